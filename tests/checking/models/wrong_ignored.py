"""The argument is ignored: it is batch normalization whatever is asked for."""

from plain import Network, layer_of


def Net(norm_arg="batch"):
    return Network(layer_of("batch"))
