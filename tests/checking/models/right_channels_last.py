"""Channels are moved to the end and back; the groups are a view."""

import torch.nn.functional as F
from plain import Layer, Network, layer_of


def layer(x):
    last = x.permute(0, 2, 3, 1)
    return F.layer_norm(last, last.shape[1:]).permute(0, 3, 1, 2)


def group(x):
    groups = x.reshape(x.shape[0], 4, -1)
    return F.layer_norm(groups, groups.shape[2:]).view_as(x)


def Net(norm_arg):
    if norm_arg == "batch":
        return Network(layer_of("batch"))
    return Network(lambda channels, height: Layer(channels, layer if norm_arg == "layer" else group))
