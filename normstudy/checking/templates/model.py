"""A network for handwritten digits, whose normalization is left to be written.

`normstudy check model.py` measures what the layers really compute. It says "wrong" until the tasks below are done.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Normalization(nn.Module):
    """The layer that `norm_arg` names ("batch", "layer" or "group"), for activations (N, channels, H, W)."""

    def __init__(self, norm_arg: str, channels: int, groups: int = 4):
        super().__init__()
        self.norm_arg, self.channels, self.groups = norm_arg, channels, groups
        # Task 4: a trained gamma (1 at first) and beta (0 at first) for each channel: nn.Parameter(torch.ones(…)).
        # Task 5: what batch normalization keeps for evaluation: self.register_buffer("mean", torch.zeros(…)), and
        #         a variance.

    def forward(self, x: Tensor) -> Tensor:
        """The same shape. What shares a mean and a standard deviation has mean 0 and standard deviation 1 behind it."""
        # Task 1: batch normalization. Who shares? Each channel, over all images and places:
        #         x.mean(dim=(…), keepdim=True). What is divided by is √(variance + 1e-5), with the biased variance.
        # Task 2: layer normalization. Which dimensions are averaged over now?
        # Task 3: group normalization: x.view(N, groups, …) puts channels together that share; then back to x's shape.
        # Task 4: scale by gamma and shift by beta.
        # Task 5: in evaluation mode (not self.training) batch normalization uses running statistics. In training mode
        #         they move by a tenth towards those of each batch; the variance towards the unbiased one.
        return x


class Net(nn.Module):
    """Images (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self, norm_arg: str, groups: int = 4):
        super().__init__()
        # No bias where a normalization follows: its beta does the same.
        self.conv1 = nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False)  # (N, 8, 14, 14)
        self.norm1 = Normalization(norm_arg, 8, groups)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1, bias=False)  # (N, 16, 14, 14)
        self.norm2 = Normalization(norm_arg, 16, groups)
        self.conv3 = nn.Conv2d(16, 16, 3, padding=1, bias=False)  # (N, 16, 7, 7)
        self.norm3 = Normalization(norm_arg, 16, groups)
        self.linear = nn.Linear(16 * 9, 10)

    def forward(self, images: Tensor) -> Tensor:
        """The logits of the ten classes."""
        x = torch.relu(self.norm1(self.conv1(images)))
        x = F.max_pool2d(torch.relu(self.norm2(self.conv2(x))), 2)
        x = F.max_pool2d(torch.relu(self.norm3(self.conv3(x))), 2)
        logits: Tensor = self.linear(x.flatten(1))
        return logits
