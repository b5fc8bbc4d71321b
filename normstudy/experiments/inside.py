"""What goes on inside a network between two epochs: its activations, gamma and beta, and how far its gradient holds."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.data import Dataset, to_input
from normstudy.model import LAYERS, GhostBatchNorm2d

IMAGES = 256
"""How many training images, the first ones, are looked at: the same in every epoch and run, and not augmented."""

STEPS = (0.5, 1.0, 2.0, 4.0)
"""How far to go along the gradient, in learning rates: the range of Santurkar et al. (2018, arXiv:1805.11604)."""

SHARES = (0.003, 0.01, 0.03)
"""How far to go along the gradient, in norms of the weights."""


def measure(net: nn.Module, dataset: Dataset, learning_rate: float) -> dict[str, Any]:
    """All that this module measures, by name: numbers, or lists with one number a normalized layer, input side first.

    The network is looked at in training mode. It is left as it was, running statistics included.
    """
    net = copy.deepcopy(net).train()
    together = max((layer.images for layer in net.modules() if isinstance(layer, GhostBatchNorm2d)), default=1)
    images = min(IMAGES, len(dataset.train_images)) // together * together
    inputs, labels = to_input(dataset.train_images[:images], dataset), dataset.train_labels[:images]
    found = activations(net, inputs) | gamma_and_beta(net) | smoothness(net, inputs, labels, learning_rate)
    return found | relative_smoothness(net, inputs, labels)


def normalization_layers(net: nn.Module) -> dict[str, nn.Module]:
    """Name → normalization layer of a network, in order; without normalization it is the identity."""
    return {name: module for name, module in net.named_modules() if isinstance(module, LAYERS)}


@torch.no_grad()
def activations(net: nn.Module, inputs: Tensor) -> dict[str, list[Any]]:
    """Mean and standard deviation of all that goes into each normalization layer, and of all that comes out of it.

    `given_…` and `returned_…` have a number a layer, `…_channel_mean` and `…_channel_sd` a list a layer, with a number
    a channel.
    """
    found: dict[str, list[Any]] = {}

    def note(_: nn.Module, given: tuple[Tensor], returned: Tensor) -> None:
        for side, values in (("given", given[0]), ("returned", returned)):
            channels = values.transpose(0, 1).flatten(1)  # (C, N·H·W)
            numbers = {"mean": values.mean(), "sd": values.std()}
            numbers |= {"channel_mean": channels.mean(dim=1), "channel_sd": channels.std(dim=1)}
            for what, number in numbers.items():
                found.setdefault(f"{side}_{what}", []).append(number.tolist())

    hooks = [layer.register_forward_hook(note) for layer in normalization_layers(net).values()]
    net(inputs)
    for hook in hooks:
        hook.remove()
    return found


def gamma_and_beta(net: nn.Module) -> dict[str, list[float] | None]:
    """Mean and standard deviation over the channels of each layer's gamma and beta; None where there are none."""
    found: dict[str, list[float] | None] = {}
    for name, attribute in (("gamma", "weight"), ("beta", "bias")):
        layers = normalization_layers(net).values()
        values = [getattr(layer, attribute).detach() for layer in layers if hasattr(layer, attribute)]
        found[f"{name}_mean"] = [value.mean().item() for value in values] or None
        found[f"{name}_sd"] = [value.std().item() for value in values] or None
    return found


def smoothness(net: nn.Module, inputs: Tensor, labels: Tensor, learning_rate: float) -> dict[str, float]:
    """How far the loss keeps its course along its gradient (Santurkar et al., 2018, section 3.1).

    The weights w are moved to w − η g, where g is the gradient of the cross-entropy at w, for η from one half to four
    learning rates.

    Returns:
        `gradient_norm`: ‖g‖. `gradient_change`: the largest ‖g′ − g‖ / ‖g‖, where g′ is the gradient after the move: 0
        where g predicts it perfectly. `loss_range`: largest minus smallest loss along the way.
    """
    parameters = list(net.parameters())
    scales = [torch.ones(()) for _ in parameters]
    norm, change, spread = _along_the_gradient(
        net, inputs, labels, parameters, scales, [learning_rate * step for step in STEPS]
    )
    return {"gradient_norm": norm, "gradient_change": change, "loss_range": spread}


def relative_smoothness(net: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, float]:
    """The same, for steps relative to the weights that they change, so that networks of other scale can be compared.

    A weight tensor w of a convolution or linear layer is measured in units of its own norm ‖w‖. Behind a weight that is
    followed by normalization, the loss stays the same when the weight is scaled, and its gradient shrinks as the weight
    grows (Arora et al., 2019, arXiv:1812.03981). In these units neither happens. All weight tensors together
    are moved along the negative gradient by `SHARES`; gamma, beta and biases stay.

    Returns:
        `relative_norm`, `relative_change` and `relative_range`, as `smoothness` has them.
    """
    weights = [layer.weight for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    scales = [weight.detach().norm() for weight in weights]
    norm, change, spread = _along_the_gradient(net, inputs, labels, weights, scales, SHARES, unit=True)
    return {"relative_norm": norm, "relative_change": change, "relative_range": spread}


def _along_the_gradient(
    net: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    weights: Sequence[Tensor],
    scales: Sequence[Tensor],
    steps: Iterable[float],
    unit: bool = False,
) -> tuple[float, float, float]:
    """‖g‖, the largest ‖g′ − g‖ / ‖g‖ and the range of the loss, for weights in units of `scales`.

    With `unit`, a step is the length of the way; otherwise what the gradient is multiplied by. The weights are left as
    they were.
    """
    starts = [weight.detach().clone() for weight in weights]

    def loss_and_gradient() -> tuple[float, Tensor]:
        loss = F.cross_entropy(net(inputs), labels)
        gradients = torch.autograd.grad(loss, weights)
        scaled = [scale * gradient for scale, gradient in zip(scales, gradients, strict=True)]
        return loss.item(), torch.cat([gradient.flatten() for gradient in scaled])

    loss, gradient = loss_and_gradient()
    norm = gradient.norm()
    moves = torch.split(gradient / norm if unit else gradient, [weight.numel() for weight in weights])
    losses, changes = [loss], []
    for step in steps:
        with torch.no_grad():
            for weight, start, scale, move in zip(weights, starts, scales, moves, strict=True):
                weight.copy_(start - step * scale * move.view_as(start))
        loss, moved = loss_and_gradient()
        losses.append(loss)
        changes.append(((moved - gradient).norm() / norm).item())
    with torch.no_grad():
        for weight, start in zip(weights, starts, strict=True):
            weight.copy_(start)
    return norm.item(), max(changes), max(losses) - min(losses)
