"""Every fourth channel is of one group, where the two dimensions of a view are taken for one another."""

from plain import Layer, Network, by_hand, layer_of


def scattered(x):
    n, c, h, w = x.shape
    return by_hand(x.view(n, c // 4, 4, h, w), (1, 3, 4)).view(n, c, h, w)


def Net(norm_arg):
    if norm_arg == "group":
        return Network(lambda channels, height: Layer(channels, scattered))
    return Network(layer_of(norm_arg))
