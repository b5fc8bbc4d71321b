"""Layer normalization as it was published: gamma and beta for each element."""

from plain import Network, layer_of
from torch import nn


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: nn.LayerNorm([channels, height, height]))
    return Network(layer_of(norm_arg))
