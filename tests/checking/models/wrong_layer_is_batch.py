"""The layer variant has batch normalization."""

from plain import Network, layer_of


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: layer_of("batch")(channels))
    return Network(layer_of(norm_arg))
