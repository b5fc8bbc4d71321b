"""A variance is taken for a standard deviation."""

from plain import Layer, Network, layer_of


def variance(x):
    groups = x.reshape(x.shape[0], 4, -1)
    mean, square = groups.mean(2, keepdim=True), groups.var(2, keepdim=True)
    return ((groups - mean) / (square + 1e-5)).view_as(x)


def Net(norm_arg):
    if norm_arg == "group":
        return Network(lambda channels, height: Layer(channels, variance))
    return Network(layer_of(norm_arg))
