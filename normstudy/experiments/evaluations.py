"""A trained network with batch normalization, evaluated with other statistics than its running ones.

A network may learn well with the statistics of few images, and yet fail with the running statistics of these (Wu &
Johnson, 2021, arXiv:2105.07576, section 3).
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.data import Dataset, to_input
from normstudy.model import Net
from normstudy.training import evaluate


def by_statistics(net: Net, dataset: Dataset, batch_size: int) -> dict[str, float]:
    """Test loss and accuracy (0 to 1) with two other kinds of statistics; `net` is left as it was.

    Returns:
        `test_loss_own`, `test_accuracy_own`: each batch of test images is normalized by its own statistics, shared as
        in training. `test_loss_precise`, `test_accuracy_precise`: by those that `with_precise_statistics` finds.
    """
    labels = dataset.test_labels
    own = _in_training_mode(copy.deepcopy(net), dataset.test_images, dataset, batch_size)
    precise = evaluate(with_precise_statistics(net, dataset, batch_size), dataset.test_images, labels, dataset)
    return {
        "test_loss_own": F.cross_entropy(own, labels).item(),
        "test_accuracy_own": (own.argmax(dim=1) == labels).float().mean().item(),
        "test_loss_precise": precise.loss,
        "test_accuracy_precise": precise.accuracy,
    }


def with_precise_statistics(net: Net, dataset: Dataset, batch_size: int) -> Net:
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
def _in_training_mode(net: Net, images: Tensor, dataset: Dataset, batch_size: int) -> Tensor:
    """Logits (N, 10), batch by batch; a last incomplete batch is filled with the images before it."""
    net.train()
    size, logits = min(batch_size, len(images)), []
    for end in range(size, len(images) + size, size):
        new = size - max(0, end - len(images))
        logits.append(net(to_input(images[min(end, len(images)) - size :][:size], dataset))[-new:])
    return torch.cat(logits)
