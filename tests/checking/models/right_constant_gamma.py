"""Gamma and beta that are made anew in each pass, and weights that begin at zero: both are unusual, and right."""

import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    def __init__(self, norm_arg, channels):
        super().__init__()
        self.groups = {"layer": 1, "group": 4}.get(norm_arg, 0)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))

    def forward(self, x):
        gamma, beta = torch.ones(x.shape[1]), torch.zeros(x.shape[1])
        if self.groups:
            return F.group_norm(x, self.groups, gamma, beta)
        return F.batch_norm(x, self.mean, self.variance, gamma, beta, self.training)


class Net(nn.Sequential):
    def __init__(self, norm_arg):
        super().__init__(
            nn.Conv2d(1, 8, 3, 2, bias=False), Norm(norm_arg, 8), nn.ReLU(),
            nn.Conv2d(8, 12, 3, 2, bias=False), Norm(norm_arg, 12), nn.ReLU(),
            nn.Flatten(), nn.Linear(12 * 36, 10),
        )  # fmt: skip
        nn.init.zeros_(self[-1].weight)
