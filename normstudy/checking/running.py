"""What batch normalization's running statistics take up from a batch: the unbiased variance, as PyTorch's, or not.

It is read off what the layers compute in evaluation mode before, between and after two steps on the same batch: a mean
that forgets by a constant factor leads to its limit by three of its values (Aitken, 1926).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from normstudy.checking.layers import Layer, find
from normstudy.checking.sharing import Function, differs, example
from normstudy.checking.trace import Trace, record

Evaluations = list[Function | None]
Line = tuple[Tensor, Tensor]


def of_layers(net: nn.Module, images: Tensor, layers: list[Layer], step: Callable[[], Trace]) -> list[str]:
    """A word a layer: "unbiased", "biased" or "other" for the variance that is taken up; "" if it cannot be told.

    Where it does not lead near the batch's statistics it is "far", and where something is not taken up "unmoved",
    "unmoved mean" or "unmoved variance".

    `step` runs the network in training mode on the batch of which `layers` were found, and is called twice.
    """
    lines: list[list[Line | None]] = []
    for number in range(3):
        if number:
            step()
        lines.append([_line(each, layer) for each, layer in zip(evaluations(net, images, layers), layers, strict=True)])
    return [_word(layer, list(of)) for layer, of in zip(layers, zip(*lines, strict=True), strict=True)]


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


def _line(evaluation: Function | None, layer: Layer) -> Line | None:
    """Each channel's slope γ / √(running variance + ε), and what it makes of 0, (C,) each."""
    if evaluation is None:
        return None
    given = example(layer.shape)
    slope, offset = evaluation(given + 1) - evaluation(given), evaluation(torch.zeros_like(given))
    if differs(slope, slope[:1, :, :1, :1].expand_as(slope)).any():  # its channels are not those of the layer
        return None
    return slope[0, :, 0, 0], offset[0, :, 0, 0]


def _word(layer: Layer, lines: list[Line | None]) -> str:
    known = [line for line in lines if line is not None]
    if len(known) < len(lines):
        return ""
    given, batch = example(layer.shape), _channels(layer.given)
    variance = _channels(given).var(dim=1, correction=0)
    # With a large input ε does not count, with a small one it does.
    gamma = _slope(given, layer.function(1e3 * given)) * variance.sqrt()
    epsilon = (1e-2 * gamma / _slope(given, layer.function(1e-2 * given))) ** 2 - 1e-4 * variance
    beta = _channels(layer.function(given)).mean(dim=1)
    means = [(beta - offset) / slope for slope, offset in known]
    first, second, third = ((gamma / slope) ** 2 - epsilon for slope, _ in known)
    biased, unbiased = batch.var(dim=1, correction=0), batch.var(dim=1)
    stays = {
        " mean": _stays(means[0], means[1], batch.mean(dim=1), biased.sqrt()),
        " variance": _stays(first, second, biased, biased),
    }
    if any(stays.values()):
        return "unmoved" + ("" if all(stays.values()) else "".join(name for name, still in stays.items() if still))
    limit = _limit(first, second, third)
    gap = unbiased - biased
    share = ((limit - biased) / gap)[gap > 1e-9]
    middle = float(share.median()) if len(share) else math.nan
    off = (_limit(*means) - batch.mean(dim=1)).abs() / biased.sqrt()
    if math.isnan(middle):
        return ""
    if bool(off[gap > 1e-9].median() > 0.01):
        return "far"
    if min(abs(middle), abs(middle - 1)) < 0.2:
        return "unbiased" if middle > 0.5 else "biased"
    # Deviations may be averaged instead of variances, and ε be added to either.
    limits = limit, _limit(first.sqrt(), second.sqrt(), third.sqrt()) ** 2
    near = [bool((each / of - 1).abs()[gap > 1e-9].median() < 0.05) for each in limits for of in (biased, unbiased)]
    return "other" if any(near) else "far"


def _limit(first: Tensor, second: Tensor, third: Tensor) -> Tensor:
    return first - (second - first) ** 2 / ((third - second) - (second - first))


def _stays(before: Tensor, after: Tensor, batch: Tensor, unit: Tensor) -> bool:
    """Whether a running statistic takes no step towards a batch's, of the channels where that is another one."""
    way = batch - before
    far = way.abs() > 1e-3 * unit
    return bool(far.any() and ((after - before).abs() < 1e-6 * way.abs())[far].all())


def _channels(values: Tensor) -> Tensor:
    return values.transpose(0, 1).flatten(1)  # (C, N·H·W)


def _slope(given: Tensor, returned: Tensor) -> Tensor:
    """By how much a channel's output grows with its input, (C,)."""
    x, y = _channels(given), _channels(returned)
    x = x - x.mean(dim=1, keepdim=True)
    return (x * y).sum(dim=1) / (x**2).sum(dim=1)
