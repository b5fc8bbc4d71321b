"""Layer normalization that uses running statistics in evaluation mode."""

import torch
from plain import Network, by_hand, layer_of
from torch import nn


class Running(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("deviation", torch.ones(()))

    def forward(self, x):
        if not self.training:
            return (x - self.mean) / self.deviation
        self.mean = 0.9 * self.mean + 0.1 * x.mean().detach()
        self.deviation = 0.9 * self.deviation + 0.1 * x.std().detach()
        return by_hand(x, (1, 2, 3))


def Net(norm_arg):
    if norm_arg == "layer":
        return Network(lambda channels, height: Running(channels))
    return Network(layer_of(norm_arg))
