"""Its running variance takes up the biased variance; groups are chunks of different sizes."""

import torch
from plain import Layer, Network, by_hand
from torch import nn


class Batch(nn.BatchNorm2d):
    def forward(self, x):
        if not self.training:
            return super().forward(x)
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), correction=0, keepdim=True)
        with torch.no_grad():
            self.running_mean += 0.2 * (mean.flatten() - self.running_mean)
            self.running_var += 0.2 * (variance.flatten() - self.running_var)
        return self.weight.view(1, -1, 1, 1) * (x - mean) / (variance + self.eps).sqrt() + self.bias.view(1, -1, 1, 1)


def group(x):
    return torch.cat([by_hand(part, (1, 2, 3)) for part in x.chunk(5, dim=1)], dim=1)


def Net(norm_arg):
    if norm_arg == "batch":
        return Network(lambda channels, height: Batch(channels))
    function = group if norm_arg == "group" else lambda x: by_hand(x, (1, 2, 3))
    return Network(lambda channels, height: Layer(channels, function))
