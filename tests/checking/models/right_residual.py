"""Normalization before the convolution, shortcuts, squeeze and excitation, a normalized input."""

import torch.nn.functional as F
from plain import layer_of
from torch import nn


class Block(nn.Module):
    def __init__(self, norm, channels):
        super().__init__()
        self.norm1, self.conv1 = norm(channels), nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2, self.conv2 = norm(channels), nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.squeeze, self.excite = nn.Linear(channels, 4), nn.Linear(4, channels)

    def forward(self, x):
        y = self.conv1(F.relu(self.norm1(x), inplace=True))
        y = self.conv2(F.relu(self.norm2(y), inplace=True))
        weights = self.excite(F.relu(self.squeeze(y.mean((2, 3))))).sigmoid()
        return x + y * weights[:, :, None, None]


class Net(nn.Module):
    def __init__(self, norm_arg):
        super().__init__()
        norm = layer_of(norm_arg)
        self.begin = nn.Conv2d(1, 8, 3, 2, bias=False)
        self.blocks = nn.Sequential(Block(norm, 8), Block(norm, 8))
        self.end, self.linear = norm(8), nn.Linear(8, 10)

    def forward(self, x):
        x = (x - x.mean((1, 2, 3), keepdim=True)) / x.std((1, 2, 3), keepdim=True)
        x = F.relu(self.end(self.blocks(self.begin(x))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))
