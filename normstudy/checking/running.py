"""What batch normalization's running variance takes up from a batch: the unbiased variance, as PyTorch's, or not.

It is read off what the layers compute in evaluation mode before, between and after two steps on the same batch: a mean
that forgets by a constant factor leads to its limit by three of its values (Aitken, 1926).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from normstudy.checking.layers import Layer, find
from normstudy.checking.sharing import Function, example
from normstudy.checking.trace import Trace, record

Evaluations = list[Function | None]


def of_layers(net: nn.Module, images: Tensor, layers: list[Layer], step: Callable[[], Trace]) -> list[str]:
    """A word a layer: "unbiased", "biased", "unmoved" if nothing is taken up, "other", or "" if it cannot be told.

    `step` runs the network in training mode on the batch of which `layers` were found, and is called twice.
    """
    scales: list[list[Tensor | None]] = []
    for number in range(3):
        if number:
            step()
        scales.append(
            [_scale(each, layer) for each, layer in zip(evaluations(net, images, layers), layers, strict=True)]
        )
    return [_word(layer, list(of)) for layer, of in zip(layers, zip(*scales, strict=True), strict=True)]


def evaluations(net: nn.Module, images: Tensor, layers: list[Layer]) -> Evaluations:
    """What each layer computes in evaluation mode: found by its module, or None."""
    trace = record(net.eval(), images)
    ready_made = [layer for layer in find(net, trace) if layer.kind == "fixed"]
    found: Evaluations = []
    for layer in layers:
        before = sum(each.module == layer.module for each in layers[: len(found)])
        same = [each.function for each in ready_made if each.module == layer.module][before:]
        calls = [call for call in trace.calls if call.module == layer.module][before:]
        if same:
            found.append(same[0])
        elif calls and layer.leaf:
            found.append(_of_call(trace, calls[0].given, calls[0].returned, calls[0].begin, calls[0].end))
        else:
            found.append(None)
    return found


def _of_call(trace: Trace, given: Tensor, returned: Tensor, begin: int, end: int) -> Function:
    def function(values: Tensor) -> Tensor:
        return trace.replay(begin - 1, end, given, values.view(given.shape), returned).view(values.shape)

    return function


def _scale(evaluation: Function | None, layer: Layer) -> Tensor | None:
    """γ / √(running variance + ε) of each channel, (C,)."""
    if evaluation is None:
        return None
    given = example(layer.shape)
    return (evaluation(given + 1) - evaluation(given))[0, :, 0, 0]


def _word(layer: Layer, scales: list[Tensor | None]) -> str:
    before, between, after = scales
    if before is None or between is None or after is None:
        return ""
    if torch.equal(before, between):
        return "unmoved"
    given = example(layer.shape)
    variance = _channels(given).var(dim=1, correction=0)
    # With a large input ε does not count, with a small one it does.
    gamma = _slope(given, layer.function(1e3 * given)) * variance.sqrt()
    epsilon = (1e-2 * gamma / _slope(given, layer.function(1e-2 * given))) ** 2 - 1e-4 * variance
    first, second, third = ((gamma / scale) ** 2 - epsilon for scale in (before, between, after))
    limit = first - (second - first) ** 2 / ((third - second) - (second - first))
    batch = _channels(layer.given)
    gap = batch.var(dim=1) - batch.var(dim=1, correction=0)
    share = ((limit - batch.var(dim=1, correction=0)) / gap)[gap > 1e-9]
    middle = float(share.median()) if len(share) else float("nan")
    return "unbiased" if abs(middle - 1) < 0.2 else "biased" if abs(middle) < 0.2 else "other"


def _channels(values: Tensor) -> Tensor:
    return values.transpose(0, 1).flatten(1)  # (C, N·H·W)


def _slope(given: Tensor, returned: Tensor) -> Tensor:
    """By how much a channel's output grows with its input, (C,)."""
    x, y = _channels(given), _channels(returned)
    x = x - x.mean(dim=1, keepdim=True)
    return (x * y).sum(dim=1) / (x**2).sum(dim=1)
