"""The mean and the standard deviation are taken out of the gradient."""

from plain import Layer, Network, layer_of


def detached(x):
    mean = x.detach().mean((1, 2, 3), keepdim=True)
    deviation = x.detach().std((1, 2, 3), keepdim=True)
    return (x - mean) / (deviation + 1e-5)


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: Layer(channels, detached))
    return Network(layer_of(norm_arg))
