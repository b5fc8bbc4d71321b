"""The mean is subtracted, and that is all."""

from plain import Layer, Network, layer_of


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: Layer(channels, lambda x: x - x.mean((1, 2, 3), keepdim=True)))
    return Network(layer_of(norm_arg))
