"""Lazy layers, which have no parameters before they see an image."""

from plain import layer_of
from torch import nn


class Net(nn.Sequential):
    def __init__(self, norm_arg):
        norm = layer_of(norm_arg)
        lazy = nn.LazyBatchNorm2d() if norm_arg == "batch" else norm(8)
        super().__init__(
            nn.LazyConv2d(8, 3, 2, bias=False), lazy, nn.ReLU(),
            nn.LazyConv2d(12, 3, 2, bias=False), norm(12), nn.ReLU(),
            nn.Flatten(), nn.LazyLinear(10),
        )  # fmt: skip
