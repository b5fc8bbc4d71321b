"""The penalties: L1 and L2 of the weights, added to the loss."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from normstudy.training.settings import Settings


def penalized_weights(net: nn.Module) -> Iterator[Tensor]:
    """The weights of convolution and linear layers: what the penalties cover. Not biases, gamma or beta."""
    return (layer.weight for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear))


def l1_penalty(net: nn.Module) -> Tensor:
    """The sum of |w| over the penalized weights, a scalar."""
    return torch.cat([weight.flatten() for weight in penalized_weights(net)]).abs().sum()


def l2_penalty(net: nn.Module) -> Tensor:
    """The sum of w² over the penalized weights, a scalar."""
    return torch.cat([weight.flatten() for weight in penalized_weights(net)]).square().sum()


def penalty(net: nn.Module, settings: Settings) -> Tensor:
    """What is added to the loss before backward(): l1 · sum |w| + l2 · sum w²."""
    total = torch.zeros((), device=next(net.parameters()).device)
    if settings.l1:
        total = total + settings.l1 * l1_penalty(net)
    if settings.l2:
        total = total + settings.l2 * l2_penalty(net)
    return total
