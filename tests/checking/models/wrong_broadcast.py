"""Batch normalization without keepdim: where maps are as wide as there are channels, it subtracts along the width."""

import torch.nn.functional as F
from plain import Layer, layer_of
from torch import nn


def along_the_width(x):
    return (x - x.mean((0, 2, 3))) / (x.var((0, 2, 3), unbiased=False) + 1e-5).sqrt()


class Net(nn.Module):
    def __init__(self, norm_arg):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 6, 2, bias=False)
        self.norm = Layer(12, along_the_width) if norm_arg == "batch" else layer_of(norm_arg)(12)
        self.linear = nn.Linear(12 * 36, 10)

    def forward(self, x):
        return self.linear(F.max_pool2d(self.norm(self.conv(x)), 2).flatten(1))
