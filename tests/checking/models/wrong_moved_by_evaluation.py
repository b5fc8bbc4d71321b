"""Running statistics move in evaluation mode, too."""

import torch
from plain import Network, layer_of
from torch import nn


class Batch(nn.BatchNorm2d):
    def forward(self, x):
        if not self.training:
            with torch.no_grad():
                self.running_mean += 0.1 * (x.mean((0, 2, 3)) - self.running_mean)
                self.running_var += 0.1 * (x.var((0, 2, 3)) - self.running_var)
        return super().forward(x)


def Net(norm_arg):
    return Network((lambda channels, height: Batch(channels)) if norm_arg == "batch" else layer_of(norm_arg))
