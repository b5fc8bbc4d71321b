"""RMS normalization, which subtracts no mean."""

import torch.nn.functional as F
from plain import Layer, Network, layer_of


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: Layer(channels, lambda x: F.rms_norm(x, x.shape[1:])))
    return Network(layer_of(norm_arg))
