"""A trained network with batch normalization, evaluated with other statistics than its running ones.

A network may learn well with the statistics of few images, and yet fail with the running statistics of these (Wu &
Johnson, 2021, arXiv:2105.07576, section 3).
"""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.data import Dataset, to_input
from normstudy.training import evaluate


def by_statistics(net: nn.Module, dataset: Dataset, batch_size: int) -> dict[str, Any]:
    """What two other kinds of statistics give on the test images; `net` is left as it was.

    Returns:
        `test_loss_own`, `test_accuracy_own` (0 to 1), `wrong_own` (the indices of the misclassified images): each batch
        of test images is normalized by its own statistics, shared as in training. The same three with `precise`: by
        the statistics that `with_precise_statistics` finds.
    """
    labels, precise = dataset.test_labels, with_precise_statistics(net, dataset, batch_size)
    logits = {
        "own": _in_training_mode(copy.deepcopy(net), dataset.test_images, dataset, batch_size),
        "precise": evaluate(precise, dataset.test_images, labels, dataset).logits,
    }
    found: dict[str, Any] = {}
    for name, each in logits.items():
        wrong = each.argmax(dim=1) != labels
        found[f"test_loss_{name}"] = F.cross_entropy(each, labels).item()
        found[f"test_accuracy_{name}"] = (~wrong).float().mean().item()
        found[f"wrong_{name}"] = wrong.nonzero().flatten().tolist()
    return found


def with_precise_statistics(net: nn.Module, dataset: Dataset, batch_size: int) -> nn.Module:
    """A copy of `net` whose running statistics are those of the training images, not augmented.

    The means over the batches of a channel's mean and of its mean square give mean and variance, so that the variance
    between batches counts too (Wu & Johnson, 2021, section 3.1). An incomplete batch is left out.
    """
    net = copy.deepcopy(net)
    moments: dict[nn.BatchNorm2d, list[Tensor]] = {
        layer: [] for layer in net.modules() if isinstance(layer, nn.BatchNorm2d)
    }

    def add(layer: nn.Module, given: tuple[Tensor]) -> None:
        assert isinstance(layer, nn.BatchNorm2d)
        channels = given[0].double().transpose(0, 1).flatten(1)  # (C, N·H·W)
        moments[layer].append(torch.stack([channels.mean(dim=1), channels.square().mean(dim=1)]))

    hooks = [layer.register_forward_pre_hook(add) for layer in moments]
    whole = len(dataset.train_images) // batch_size * batch_size
    _in_training_mode(net, dataset.train_images[:whole], dataset, batch_size)
    for hook in hooks:
        hook.remove()
    for layer, of_batches in moments.items():
        mean, square = torch.stack(of_batches).mean(dim=0)
        layer.running_mean, layer.running_var = mean.float(), (square - mean.square()).float()
    return net


@torch.no_grad()
def _in_training_mode(net: nn.Module, images: Tensor, dataset: Dataset, batch_size: int) -> Tensor:
    """Logits (N, 10), batch by batch; a last incomplete batch is filled with the images before it."""
    net.train()
    size, logits = min(batch_size, len(images)), []
    for end in range(size, len(images) + size, size):
        new = size - max(0, end - len(images))
        logits.append(net(to_input(images[min(end, len(images)) - size :][:size], dataset))[-new:])
    return torch.cat(logits)
