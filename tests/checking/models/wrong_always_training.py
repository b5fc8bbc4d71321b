"""The functional call normalizes with the batch in evaluation mode, too."""

import torch.nn.functional as F
from plain import Network, layer_of
from torch import nn


class Batch(nn.BatchNorm2d):
    def forward(self, x):
        return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, True, 0.1)


def Net(norm_arg):
    return Network((lambda channels, height: Batch(channels)) if norm_arg == "batch" else layer_of(norm_arg))
