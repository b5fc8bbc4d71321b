"""No convolutions: normalization of vectors."""

from torch import nn


class Net(nn.Sequential):
    def __init__(self, norm_arg):
        norm = {
            "batch": nn.BatchNorm1d,
            "layer": nn.LayerNorm,
            "group": lambda size: nn.GroupNorm(4, size),
        }[norm_arg]
        super().__init__(
            nn.Flatten(), nn.Linear(784, 16, bias=False), norm(16), nn.Tanh(),
            nn.Linear(16, 12, bias=False), norm(12), nn.Tanh(), nn.Linear(12, 10),
        )  # fmt: skip
