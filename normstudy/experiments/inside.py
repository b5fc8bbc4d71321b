"""What goes on inside a network between two epochs: its activations, gamma and beta, and how far its gradient holds."""

import copy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.data import Dataset, to_input
from normstudy.model import Net

IMAGES = 256
"""How many training images, the first ones, are looked at: the same in every epoch and run, and not augmented."""

STEPS = (0.5, 1.0, 2.0, 4.0)
"""How far to go along the gradient, in learning rates: the range of Santurkar et al. (2018, arXiv:1805.11604)."""


def measure(net: Net, dataset: Dataset, learning_rate: float) -> dict[str, Any]:
    """All that this module measures, by name: numbers, or lists with one number a normalized layer, input side first.

    The network is looked at in training mode. It is left as it was, running statistics included.
    """
    net = copy.deepcopy(net).train()
    inputs, labels = to_input(dataset.train_images[:IMAGES], dataset), dataset.train_labels[:IMAGES]
    return activations(net, inputs) | gamma_and_beta(net) | smoothness(net, inputs, labels, learning_rate)


def normalization_layers(net: nn.Module) -> dict[str, nn.Module]:
    """Name → normalization layer of a network, in order; without normalization it is the identity."""
    kinds = nn.BatchNorm2d | nn.GroupNorm | nn.Identity
    return {name: module for name, module in net.named_modules() if isinstance(module, kinds)}


@torch.no_grad()
def activations(net: Net, inputs: Tensor) -> dict[str, list[float]]:
    """Mean and standard deviation of all that goes into each normalization layer, and of all that comes out of it."""
    found: dict[str, list[float]] = {f"{side}_{what}": [] for side in ("given", "returned") for what in ("mean", "sd")}

    def note(_: nn.Module, given: tuple[Tensor], returned: Tensor) -> None:
        for side, values in (("given", given[0]), ("returned", returned)):
            found[f"{side}_mean"].append(values.mean().item())
            found[f"{side}_sd"].append(values.std().item())

    hooks = [layer.register_forward_hook(note) for layer in normalization_layers(net).values()]
    net(inputs)
    for hook in hooks:
        hook.remove()
    return found


def gamma_and_beta(net: Net) -> dict[str, list[float] | None]:
    """Mean and standard deviation over the channels of each layer's gamma and beta; None where there are none."""
    found: dict[str, list[float] | None] = {}
    for name, attribute in (("gamma", "weight"), ("beta", "bias")):
        layers = normalization_layers(net).values()
        values = [getattr(layer, attribute).detach() for layer in layers if hasattr(layer, attribute)]
        found[f"{name}_mean"] = [value.mean().item() for value in values] or None
        found[f"{name}_sd"] = [value.std().item() for value in values] or None
    return found


def smoothness(net: Net, inputs: Tensor, labels: Tensor, learning_rate: float) -> dict[str, float]:
    """How far the loss keeps its course along its gradient (Santurkar et al., 2018, section 3.1).

    The weights w are moved to w − η g, where g is the gradient of the cross-entropy at w, for η from one half to four
    learning rates.

    Returns:
        `gradient_norm`: ‖g‖. `gradient_change`: the largest ‖g′ − g‖ / ‖g‖, where g′ is the gradient after the move: 0
        where g predicts it perfectly. `loss_range`: largest minus smallest loss along the way.
    """
    parameters = list(net.parameters())
    starts = [parameter.detach().clone() for parameter in parameters]

    def loss_and_gradient() -> tuple[float, Tensor]:
        loss = F.cross_entropy(net(inputs), labels)
        gradients = torch.autograd.grad(loss, parameters)
        return loss.item(), torch.cat([gradient.flatten() for gradient in gradients])

    loss, gradient = loss_and_gradient()
    losses, changes = [loss], []
    for step in STEPS:
        with torch.no_grad():
            moves = torch.split(gradient, [parameter.numel() for parameter in parameters])
            for parameter, start, move in zip(parameters, starts, moves, strict=True):
                parameter.copy_(start - step * learning_rate * move.view_as(start))
        loss, moved = loss_and_gradient()
        losses.append(loss)
        changes.append(((moved - gradient).norm() / gradient.norm()).item())
    return {
        "gradient_norm": gradient.norm().item(),
        "gradient_change": max(changes),
        "loss_range": max(losses) - min(losses),
    }
