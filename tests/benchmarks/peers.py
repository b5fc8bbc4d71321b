"""The peers' way: the network and the data path of the most accurate of them, to be timed beside ours.

Written after what gkdivya/EVA, 6_BatchNormalization_Regularization, does on a CPU: the same layers and sizes, images
transformed one by one, batches of 64. It shares nothing with the package, so that a change of ours cannot change it.
"""

import time

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.transforms.functional import to_pil_image

EPOCHS = 20
BATCH = 64
PENALTIES = {"batch": (1e-5, 1e-4), "layer": (0.0, 1e-4), "group": (1e-5, 0.0)}
"""L1 and L2 of each variant. Their size does not change what a step costs, only whether there is one."""

INPUT = [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
AUGMENTATION = [
    transforms.RandomRotation(6),
    transforms.RandomAffine(7, translate=(0.1, 0.1), scale=(0.8, 1.2), shear=7),
    transforms.ColorJitter(0.4, 0.4, 0.4, 0.1),
]


def network(norm_arg: str) -> nn.Sequential:
    """Images (N, 1, 28, 28) to logarithms of probabilities (N, 10), with 7,704 parameters."""

    def block(channels_in: int, channels: int, size: int = 3) -> nn.Sequential:
        normalization = {
            "batch": lambda: nn.BatchNorm2d(channels),
            "layer": lambda: nn.GroupNorm(1, channels),
            "group": lambda: nn.GroupNorm(4, channels),
        }[norm_arg]()
        convolution = nn.Conv2d(channels_in, channels, size, bias=False)
        return nn.Sequential(convolution, nn.ReLU(), normalization, nn.Dropout(0.01))

    return nn.Sequential(
        block(1, 8),  # (N, 8, 26, 26)
        block(8, 16),  # (N, 16, 24, 24)
        nn.MaxPool2d(2),
        nn.Conv2d(16, 8, 1, bias=False),  # (N, 8, 12, 12)
        block(8, 16),
        block(16, 16),
        block(16, 16),  # (N, 16, 6, 6)
        nn.AvgPool2d(6),
        block(16, 16, size=1),
        nn.Conv2d(16, 10, 1, bias=False),
        nn.Flatten(),
        nn.LogSoftmax(dim=1),
    )


class Pictures(Dataset[tuple[Tensor, int]]):
    """Images (N, 28, 28) of bytes as torchvision's datasets give them: one at a time, transformed."""

    def __init__(self, images: Tensor, labels: Tensor, transform: list[object]):
        self.images, self.labels, self.transform = images, labels, transforms.Compose(transform)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(to_pil_image(self.images[index])), int(self.labels[index])


def epoch(norm_arg: str, train: tuple[Tensor, Tensor], test: tuple[Tensor, Tensor]) -> float:
    """Seconds of an epoch of a variant on these images and labels, with its test."""
    l1, l2 = PENALTIES[norm_arg]
    net = network(norm_arg)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=l2)
    augmented = DataLoader(Pictures(*train, [*AUGMENTATION, *INPUT]), BATCH, shuffle=True)
    losses, correct = [], 0
    start = time.perf_counter()
    net.train()
    for images, labels in augmented:
        predicted = net(images)
        loss = F.nll_loss(predicted, labels)
        if l1:
            loss = loss + l1 * sum(parameter.abs().sum() for parameter in net.parameters())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        correct += int((predicted.argmax(dim=1) == labels).sum().item())
    net.eval()
    with torch.no_grad():
        for images, labels in DataLoader(Pictures(*test, INPUT), BATCH):
            predicted = net(images)
            losses.append(F.nll_loss(predicted, labels).item())
            correct += int((predicted.argmax(dim=1) == labels).sum().item())
    return time.perf_counter() - start
