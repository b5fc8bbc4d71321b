"""The normalization layers of somebody's own network, as PyTorch's own layers that compute the same.

They are found by what they compute (`checking.layers`), and gamma, beta and running statistics are read off that.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from normstudy import statistics
from normstudy.checking import running, sharing
from normstudy.checking.layers import Layer, find
from normstudy.checking.sharing import Sharing
from normstudy.checking.trace import record

FEW = 6
"""How many images are enough to see who shares."""


@torch.no_grad()
def observe(net: nn.Module, inputs: Tensor, training: bool) -> list[tuple[str, nn.Module, Tensor, Tensor]]:
    """The layers behind a convolution or linear layer, for inputs (N, 1, H, W).

    Each with its name, PyTorch's layer in its place, and what it was given and returned, (N, C, H, W).

    In training mode the running statistics are those after the batch, otherwise those before it. The network stays as
    it was.
    """
    few = _found(copy.deepcopy(net).train(), inputs[:FEW])
    alike = [sharing.measure(layer.function, layer.shape) for layer in few]
    before, after = copy.deepcopy(net), copy.deepcopy(net).train()
    observed = _found(after, inputs)
    states = [_running(each, inputs, few) for each in (before, after)]
    seen = []
    for number, (layer, found) in enumerate(zip(observed, alike, strict=True)):
        gamma, beta = _gamma_and_beta(few[number], found)
        module = _module(found, gamma, beta)
        if isinstance(module, nn.BatchNorm2d):
            _set_running(module, layer, [state[number] for state in states], gamma, beta, training)
        seen.append((layer.module or f"after {layer.after}", module, layer.given, layer.function(layer.given)))
    return seen


def _found(net: nn.Module, inputs: Tensor) -> list[Layer]:
    return [layer for layer in find(net, record(net, inputs)) if layer.weighted_before and layer.kind != "fixed"]


def _gamma_and_beta(layer: Layer, found: Sharing) -> tuple[Tensor, Tensor]:
    """By what a layer scales and shifts: a number a channel, (C, 1, 1), or an element, (C, H, W)."""
    channels = layer.shape[1]
    if not found.names:
        return torch.ones(channels, 1, 1).double(), torch.zeros(channels, 1, 1).double()
    kind = found.names[0]
    given = [1e3 * sharing.example(layer.shape, seed) for seed in range(3)]  # so large that no ε counts
    z = torch.cat([statistics.normalize(each, kind, found.groups, epsilon=0) for each in given])  # (3·N, C, H, W)
    y = torch.cat([layer.function(each) for each in given])
    elements = any(torch.Size(shape).numel() > channels for shape in layer.parameters.values())
    over = (0,) if elements else (0, 2, 3)
    centred, mean = z - z.mean(over, keepdim=True), y.mean(over, keepdim=True)
    gamma = (centred * (y - mean)).sum(over, keepdim=True) / (centred**2).sum(over, keepdim=True)
    return gamma[0], (mean - gamma * z.mean(over, keepdim=True))[0]


def _module(found: Sharing, gamma: Tensor, beta: Tensor) -> nn.Module:
    channels = found.shape[1]
    module: nn.Module
    if gamma.numel() > channels:
        module = nn.LayerNorm(list(gamma.shape))
    elif "batch" in found.names:
        module = nn.BatchNorm2d(channels)
    else:
        module = nn.GroupNorm(found.groups if channels % found.groups == 0 else 1, channels)
    module = module.double()
    for parameter, value in zip(module.parameters(), (gamma, beta), strict=True):
        parameter.copy_(value.view(parameter.shape))
    return module


def _running(net: nn.Module, inputs: Tensor, few: Sequence[Layer]) -> list[tuple[Tensor, Tensor] | None]:
    """Slope and offset of each layer in evaluation mode, (C,) each; None where they cannot be told."""
    evaluations = running.evaluations(net, inputs[:FEW], list(few))
    found: list[tuple[Tensor, Tensor] | None] = []
    for evaluation, layer in zip(evaluations, few, strict=True):
        if evaluation is None:
            found.append(None)
            continue
        nothing = torch.zeros(layer.shape, dtype=torch.float64)
        offset = evaluation(nothing)[0, :, 0, 0]
        found.append((evaluation(nothing + 1)[0, :, 0, 0] - offset, offset))
    return found


def _set_running(
    module: nn.BatchNorm2d,
    layer: Layer,
    states: Sequence[tuple[Tensor, Tensor] | None],
    gamma: Tensor,
    beta: Tensor,
    training: bool,
) -> None:
    """Give a layer the running statistics that were read off, and the momentum by which a batch moved them."""
    means, variances = [], []
    for state in states:
        slope, offset = state or (torch.full_like(gamma.flatten(), torch.nan),) * 2
        means.append((beta.flatten() - offset) / slope)
        variances.append((gamma.flatten() / slope) ** 2 - module.eps)
    batch = layer.given.mean(dim=(0, 2, 3))
    module.momentum = float(((means[1] - means[0]) / (batch - means[0])).median())
    assert module.running_mean is not None
    assert module.running_var is not None
    module.running_mean.copy_(means[training])
    module.running_var.copy_(variances[training])
