"""The network of the study: one architecture, whose normalization layers `norm_arg` chooses."""

import math

from torch import Tensor, nn

NORMALIZATIONS = ("batch", "layer", "group", "instance", "none")

NORMALIZED_CHANNELS = (8, 12, 16, 16, 16)
"""The channels of each normalized layer, in order: what `groups` must divide."""


def normalization(norm_arg: str, channels: int, groups: int) -> nn.Module:
    """The layer that `norm_arg` names, for activations (N, channels, H, W).

    Each layer subtracts a mean and divides by a standard deviation; they differ only in the elements that share them:

    - `"batch"`: one channel of all images (Ioffe & Szegedy, 2015, arXiv:1502.03167)
    - `"layer"`: all channels of one image (Ba et al., 2016, arXiv:1607.06450)
    - `"group"`: each of `groups` groups of neighbouring channels of one image (Wu & He, 2018, arXiv:1803.08494)
    - `"instance"`: one channel of one image (Ulyanov et al., 2016, arXiv:1607.08022)
    - `"none"`: nothing is normalized

    All but `"none"` then scale and shift each channel by a trained gamma (channels,) and beta (channels,).

    Raises:
        ValueError: `norm_arg` is unknown, or `groups` does not divide `channels`.
    """
    match norm_arg:
        case "batch":
            return nn.BatchNorm2d(channels)
        case "layer":
            return nn.GroupNorm(1, channels)
        case "group":
            return nn.GroupNorm(groups, channels)
        case "instance":
            return nn.GroupNorm(channels, channels)
        case "none":
            return nn.Identity()
    raise ValueError(f"norm_arg is {norm_arg!r}; it must be one of {', '.join(NORMALIZATIONS)}")


class Net(nn.Module):
    """Images (N, 1, 28, 28) to the logits (N, 10) of ten classes, with fewer than 8,000 parameters.

    A convolution has no bias where the normalization behind it brings its own, beta.

    Raises:
        ValueError: `norm_arg` is unknown, or `groups` does not divide the channels of every normalized layer.
    """

    def __init__(self, norm_arg: str, groups: int = 4):
        super().__init__()
        common = math.gcd(*NORMALIZED_CHANNELS)
        if groups < 1 or common % groups:
            divisors = ", ".join(str(number) for number in range(1, common + 1) if common % number == 0)
            channels = ", ".join(map(str, NORMALIZED_CHANNELS))
            raise ValueError(f"groups is {groups}; it must divide the channels of every layer, {channels}: {divisors}")

        def block(channels_in: int, channels: int, stride: int = 1, padding: int = 1) -> nn.Sequential:
            convolution = nn.Conv2d(channels_in, channels, 3, stride, padding, bias=norm_arg == "none")
            return nn.Sequential(convolution, normalization(norm_arg, channels, groups), nn.ReLU())

        a, b, c, d, e = NORMALIZED_CHANNELS
        self.features = nn.Sequential(
            block(1, a, stride=2),  # (N, 8, 14, 14)
            block(a, b),
            block(b, c),  # (N, 16, 14, 14)
            nn.MaxPool2d(2),  # (N, 16, 7, 7)
            block(c, d),
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
