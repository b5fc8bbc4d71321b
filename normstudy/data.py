"""Datasets as tensors that live on the device, their normalization, and the augmentation of a batch at a time."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from normstudy import files

CLASSES = {
    "mnist": tuple("0123456789"),
    "fashion_mnist": (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
    "kmnist": ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "digits": tuple("0123456789"),
}


@dataclass(frozen=True)
class Dataset:
    """Training and test images of ten classes, all tensors on one device.

    `mean` and `std` are those of all pixels of the training images, on the scale where black is 0 and white is 1.
    """

    name: str
    classes: tuple[str, ...]
    train_images: Tensor  # (N, 28, 28) uint8
    train_labels: Tensor  # (N,) int64, 0 to 9
    test_images: Tensor
    test_labels: Tensor
    mean: float
    std: float

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.train_images.device


def load(name: str, device: str | torch.device = "cpu") -> Dataset:
    """The dataset `name` on `device`; missing files are downloaded into the data folder where the network allows.

    `digits` are the 1,797 handwritten digits of 8×8 pixels inside scikit-learn (Alpaydin & Kaynak, 1998), enlarged to
    28×28 and split once and for all, each class in the same proportion: 599 for training and 1,198 for the test, since
    with so few images a smaller test set would say little.

    Raises:
        ValueError: there is no such dataset.
        files.DataError: a file is missing and cannot be downloaded, or is damaged.
    """
    if name not in files.DATASETS:
        raise ValueError(f"dataset is {name!r}; it must be one of {', '.join(files.DATASETS)}")
    if name == "digits":
        parts = _digits()
    else:
        files.fetch(name)
        arrays = files.read(name)
        parts = [_tensor(arrays[file]) for file in files.FILES]
    train_images, train_labels, test_images, test_labels = (part.to(device) for part in parts)
    mean, std = mean_and_std(train_images)
    return Dataset(name, CLASSES[name], train_images, train_labels.long(), test_images, test_labels.long(), mean, std)


def hold_out(dataset: Dataset, number: int) -> Dataset:
    """The same dataset with its last `number` training images in the place of the test images.

    For choosing hyperparameters without a look at the test set.
    """
    images, labels = dataset.train_images, dataset.train_labels
    mean, std = mean_and_std(images[:-number])
    return replace(
        dataset,
        train_images=images[:-number],
        train_labels=labels[:-number],
        test_images=images[-number:],
        test_labels=labels[-number:],
        mean=mean,
        std=std,
    )


def mean_and_std(images: Tensor) -> tuple[float, float]:
    """The mean and the standard deviation of all pixels of uint8 images, black being 0 and white 1."""
    # Counting the 256 values is exact, and needs no copy of the images in floating point.
    counts = torch.bincount(images.flatten(), minlength=256).cpu().double()
    values = torch.arange(256, dtype=torch.float64) / 255
    mean = (counts * values).sum() / counts.sum()
    variance = (counts * (values - mean) ** 2).sum() / counts.sum()
    return mean.item(), variance.sqrt().item()


def to_input(images: Tensor, dataset: Dataset) -> Tensor:
    """Images (N, 28, 28), 0 to 255, to a network's input (N, 1, 28, 28): normalized as `dataset` says."""
    return images.unsqueeze(1).float().sub_(255 * dataset.mean).div_(255 * dataset.std)


def augment(images: Tensor, generator: torch.Generator, rotation: float, shift: float, scale: float) -> Tensor:
    """Each image turned, moved and resized by amounts of its own, drawn uniformly; what comes in from outside is black.

    Args:
        images: (N, 28, 28), 0 to 255.
        generator: the source of the amounts, on the device of the images.
        rotation: the largest turn, in degrees, either way.
        shift: the largest move along each axis, in pixels, either way.
        scale: the largest change of size: 0.1 is from 10 % smaller to 10 % larger.

    Returns:
        The images (N, 28, 28) as float, 0 to 255, interpolated bilinearly.
    """
    number, size = images.shape[0], images.shape[-1]
    draws = torch.rand(4, number, 1, 1, generator=generator, device=images.device).mul_(2).sub_(1)
    angle = draws[0] * (rotation * torch.pi / 180)
    zoom = 1 / (1 + draws[1] * scale)  # the grid says where a pixel comes from, so it does the inverse
    right, down = draws[2:] * (2 * shift / size)  # the grid measures the image from -1 to 1
    cosine, sine = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    x = torch.linspace(1 / size - 1, 1 - 1 / size, size, device=images.device)  # the middles of the pixels
    y = x.unsqueeze(1)
    grid = torch.stack([cosine * x + (right - sine * y), sine * x + (down + cosine * y)], dim=1)  # (N, 2, 28, 28)
    grid = grid.permute(0, 2, 3, 1)  # (N, 28, 28, 2), a view: writing it in this order would take four times as long
    return F.grid_sample(images.unsqueeze(1).float(), grid, align_corners=False).squeeze(1)


def _tensor(array: files.Array) -> Tensor:
    return torch.frombuffer(bytearray(array.values), dtype=torch.uint8).view(array.shape)


def _digits() -> list[Tensor]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    small, labels = load_digits(return_X_y=True)  # (1797, 64), 0 to 16
    images = torch.from_numpy(small).float().view(-1, 1, 8, 8) * (255 / 16)
    enlarged = F.interpolate(images, size=(files.SIZE, files.SIZE), mode="bilinear").round().to(torch.uint8).squeeze(1)
    train, test = train_test_split(range(len(labels)), test_size=1198, stratify=labels, random_state=0)
    targets = torch.from_numpy(labels)
    return [enlarged[train], targets[train], enlarged[test], targets[test]]
