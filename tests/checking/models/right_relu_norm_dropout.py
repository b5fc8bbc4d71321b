"""Convolution, ReLU, normalization, dropout: in this order, as many published networks have it."""

from plain import layer_of
from torch import nn


class Net(nn.Sequential):
    def __init__(self, norm_arg):
        norm = layer_of(norm_arg)
        super().__init__(
            nn.Conv2d(1, 8, 3, 2, bias=False), nn.ReLU(), norm(8), nn.Dropout(0.1),
            nn.Conv2d(8, 12, 3, 2, bias=False), nn.ReLU(), norm(12), nn.Dropout2d(0.1),
            nn.Conv2d(12, 16, 6, bias=False), nn.ReLU(), norm(16), nn.Dropout(0.1), nn.Flatten(), nn.Linear(16, 10),
        )  # fmt: skip
