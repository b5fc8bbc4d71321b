"""Each normalization is a function that is called in forward."""

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, norm_arg):
        super().__init__()
        self.norm_arg = norm_arg
        self.conv1 = nn.Conv2d(1, 8, 3, 2, bias=False)
        self.conv2 = nn.Conv2d(8, 12, 3, 2, bias=False)
        self.linear = nn.Linear(12 * 36, 10)
        for number, channels in ((1, 8), (2, 12)):
            self.register_parameter(f"gamma{number}", nn.Parameter(torch.ones(channels)))
            self.register_parameter(f"beta{number}", nn.Parameter(torch.zeros(channels)))
            self.register_buffer(f"mean{number}", torch.zeros(channels))
            self.register_buffer(f"variance{number}", torch.ones(channels))

    def norm(self, x, number):
        gamma, beta = getattr(self, f"gamma{number}"), getattr(self, f"beta{number}")
        if self.norm_arg == "batch":
            running = getattr(self, f"mean{number}"), getattr(self, f"variance{number}")
            return F.batch_norm(x, *running, gamma, beta, self.training)
        return F.group_norm(x, 1 if self.norm_arg == "layer" else 4, gamma, beta)

    def forward(self, x):
        x = F.relu(self.norm(self.conv1(x), 1))
        x = F.relu(self.norm(self.conv2(x), 2))
        return self.linear(x.flatten(1))
