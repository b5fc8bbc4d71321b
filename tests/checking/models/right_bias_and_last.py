"""A bias before each normalization, and a normalization of the output."""

from plain import layer_of
from torch import nn


class Net(nn.Sequential):
    def __init__(self, norm_arg):
        norm = {"batch": nn.BatchNorm1d(10), "layer": nn.LayerNorm(10), "group": nn.GroupNorm(2, 10)}[norm_arg]
        super().__init__(
            nn.Conv2d(1, 8, 5, 2), layer_of(norm_arg)(8), nn.ReLU(), nn.AvgPool2d(4), nn.Flatten(),
            nn.Linear(72, 10), norm,
        )  # fmt: skip
