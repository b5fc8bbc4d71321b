"""Layer normalization that is a group normalization with a group for each channel."""

from plain import Network, layer_of
from torch import nn


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: nn.GroupNorm(channels, channels))
    return Network(layer_of(norm_arg))
