"""The network of the study: one architecture, whose normalization layers `norm_arg` chooses."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.normalizations import NORMALIZATIONS

NORMALIZED_CHANNELS = (8, 12, 16, 16, 16)
"""The channels of each normalized layer, in order: what `groups` must divide. Those that `depth` adds have the last."""

INITIALIZATIONS = ("pytorch", "he")


class GhostBatchNorm2d(nn.BatchNorm2d):
    """Batch normalization whose statistics are shared by `images` of a batch's images, (N, C, H, W) to the same.

    So the statistics are those of small batches, while everything else is as with the whole batch (Hoffer et al., 2017,
    arXiv:1705.08741, section 4). The running statistics follow the mean over the parts. In evaluation mode nothing
    differs from batch normalization.
    """

    def __init__(self, channels: int, images: int):
        super().__init__(channels)
        self.images = images

    def forward(self, activations: Tensor) -> Tensor:
        """As `nn.BatchNorm2d`. A batch has N // `images` parts, all of one size; one if it is smaller than that."""
        n, c, h, w = activations.shape
        parts = n // self.images
        if not self.training or parts <= 1:
            return super().forward(activations)
        # Image i is in part i mod parts, so that parts are further channels of a view, and nothing is copied.
        side_by_side = activations.contiguous().view(n // parts, parts * c, h, w)
        assert self.running_mean is not None
        assert self.running_var is not None
        mean, variance = self.running_mean.repeat(parts), self.running_var.repeat(parts)
        gamma, beta = self.weight.repeat(parts), self.bias.repeat(parts)
        momentum = self.momentum or 0.0
        normalized = F.batch_norm(side_by_side, mean, variance, gamma, beta, True, momentum, self.eps)
        self.running_mean.copy_(mean.view(parts, c).mean(dim=0))
        self.running_var.copy_(variance.view(parts, c).mean(dim=0))
        # What follows is slow on another layout than it was given.
        channels_last = activations.is_contiguous(memory_format=torch.channels_last)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        return normalized.view(n, c, h, w).contiguous(memory_format=layout)

    def extra_repr(self) -> str:
        """What PyTorch prints of the layer."""
        return f"{self.num_features}, images={self.images}"


class RMSNorm2d(nn.Module):
    """Divides each image by the root mean square of all its values, (N, C, H, W) to the same; subtracts nothing.

    Zhang & Sennrich (2019, arXiv:1910.07467, equation 4) have a gain only. Here a channel has a gamma and a beta, as in
    the other layers, so that networks differ in what they normalize by and have the same number of parameters.
    """

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, activations: Tensor) -> Tensor:
        """Normalized, scaled and shifted."""
        square = activations.square().mean(dim=(1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
        gamma, beta = self.weight.view(-1, 1, 1), self.bias.view(-1, 1, 1)
        return activations * (square + self.eps).rsqrt() * gamma + beta

    def extra_repr(self) -> str:
        """What PyTorch prints of the layer."""
        return f"{len(self.weight)}"


class PositionNorm2d(nn.LayerNorm):
    """Layer normalization of each image's place over its channels, (N, C, H, W) to the same.

    As transformers normalize a token, and ConvNeXt a pixel (Liu et al., 2022, arXiv:2201.03545, section 2.6).
    """

    def forward(self, activations: Tensor) -> Tensor:
        """As `nn.LayerNorm`, with the channels last."""
        return super().forward(activations.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


LAYERS = nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm | RMSNorm2d | nn.Identity
"""The kinds of layers that `normalization` makes."""


def normalization(norm_arg: str, channels: int, groups: int, ghost_batch_size: int = 0) -> nn.Module:
    """The layer that `norm_arg` names, for activations (N, channels, H, W).

    Each layer subtracts a mean and divides by a standard deviation; they differ in the elements that share them:

    - `"batch"`: one channel of all images (Ioffe & Szegedy, 2015, arXiv:1502.03167), or of `ghost_batch_size` of them
    - `"layer"`: all channels of one image (Ba et al., 2016, arXiv:1607.06450)
    - `"group"`: each of `groups` groups of neighbouring channels of one image (Wu & He, 2018, arXiv:1803.08494)
    - `"instance"`: one channel of one image (Ulyanov et al., 2016, arXiv:1607.08022)
    - `"rms"`: all channels of one image, and no mean is subtracted (Zhang & Sennrich, 2019, arXiv:1910.07467)
    - `"position"`: all channels of one place of one image (Liu et al., 2022, arXiv:2201.03545)
    - `"none"`: nothing is normalized

    All but `"none"` then scale and shift each channel by a trained gamma (channels,) and beta (channels,).

    Raises:
        ValueError: `norm_arg` is unknown, or `groups` does not divide `channels`.
    """
    match norm_arg:
        case "batch":
            return GhostBatchNorm2d(channels, ghost_batch_size) if ghost_batch_size else nn.BatchNorm2d(channels)
        case "layer":
            return nn.GroupNorm(1, channels)
        case "group":
            return nn.GroupNorm(groups, channels)
        case "instance":
            return nn.GroupNorm(channels, channels)
        case "rms":
            return RMSNorm2d(channels)
        case "position":
            return PositionNorm2d(channels)
        case "none":
            return nn.Identity()
    raise ValueError(f"norm_arg is {norm_arg!r}; it must be one of {', '.join(NORMALIZATIONS)}")


class Net(nn.Module):
    """Images (N, 1, 28, 28) to the logits (N, 10) of ten classes, with fewer than 8,000 parameters if `depth` is 0.

    A convolution has no bias where the normalization behind it brings its own, beta.

    Args:
        norm_arg: the normalization of every layer.
        groups: G of group normalization.
        depth: how many more blocks there are, each a convolution of 3×3, its normalization and ReLU on maps of 7×7.
        initialization: how the blocks' convolutions begin: as PyTorch's do, or, with `"he"`, with the variance 2/fan-in
            that keeps the size of activations from one ReLU to the next (He et al., 2015, arXiv:1502.01852, eq. 10).
        ghost_batch_size: how many images share batch normalization's statistics; 0 is the whole batch.

    Raises:
        ValueError: `norm_arg` or `initialization` is unknown, or `groups` does not divide the channels of every layer.
    """

    def __init__(
        self,
        norm_arg: str,
        groups: int = 4,
        depth: int = 0,
        initialization: str = "pytorch",
        ghost_batch_size: int = 0,
    ):
        super().__init__()
        common = math.gcd(*NORMALIZED_CHANNELS)
        if groups < 1 or common % groups:
            divisors = ", ".join(str(number) for number in range(1, common + 1) if common % number == 0)
            channels = ", ".join(map(str, NORMALIZED_CHANNELS))
            raise ValueError(f"groups is {groups}; it must divide the channels of every layer, {channels}: {divisors}")
        if initialization not in INITIALIZATIONS:
            raise ValueError(f"initialization is {initialization!r}; it must be one of {', '.join(INITIALIZATIONS)}")

        def block(channels_in: int, channels: int, stride: int = 1, padding: int = 1) -> nn.Sequential:
            convolution = nn.Conv2d(channels_in, channels, 3, stride, padding, bias=norm_arg == "none")
            if initialization == "he":
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                if convolution.bias is not None:
                    nn.init.zeros_(convolution.bias)
            return nn.Sequential(convolution, normalization(norm_arg, channels, groups, ghost_batch_size), nn.ReLU())

        a, b, c, d, e = NORMALIZED_CHANNELS
        self.features = nn.Sequential(
            block(1, a, stride=2),  # (N, 8, 14, 14)
            block(a, b),
            block(b, c),  # (N, 16, 14, 14)
            nn.MaxPool2d(2),  # (N, 16, 7, 7)
            block(c, d),
            *(block(d, d) for _ in range(depth)),
            block(d, e, padding=0),  # (N, 16, 5, 5)
            # One 5×5 filter a channel sums up the whole map, as a mean does, but knows where in the image a feature is.
            nn.Conv2d(e, e, 5, groups=e, bias=False),  # (N, 16, 1, 1)
        )
        self.classifier = nn.Linear(e, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, 10) of images (N, 1, 28, 28)."""
        logits: Tensor = self.classifier(self.features(images).flatten(1))
        return logits


def count_parameters(net: nn.Module) -> int:
    """How many numbers training adjusts."""
    return sum(parameter.numel() for parameter in net.parameters() if parameter.requires_grad)
