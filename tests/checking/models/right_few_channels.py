"""The first layer has as many channels as groups, which makes each channel a group."""

from plain import layer_of
from torch import nn


class Net(nn.Sequential):
    def __init__(self, norm_type, width=4):
        norm = layer_of(norm_type)
        super().__init__(
            nn.Conv2d(1, width, 3, 2, bias=False), norm(width), nn.ReLU(),
            nn.Conv2d(width, 8, 3, 2, bias=False), norm(8), nn.ReLU(),
            nn.Conv2d(8, 12, 6, bias=False), norm(12), nn.ReLU(),
            nn.Flatten(), nn.Linear(12, 10),
        )  # fmt: skip
