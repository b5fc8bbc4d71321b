"""The largest and the smallest value stand for the statistics."""

from plain import Layer, Network, layer_of


def extremes(x):
    low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
    return (x - low) / (high - low + 1e-5)


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: Layer(channels, extremes))
    return Network(layer_of(norm_arg))
