"""Batch normalization by hand, over the images but not the places."""

from plain import Layer, Network, by_hand, layer_of


def Net(norm_arg):
    if norm_arg == "batch":
        return Network(lambda channels, height: Layer(channels, lambda x: by_hand(x, 0)))
    return Network(layer_of(norm_arg))
