"""Finds the normalization layers of a network in what it computes: modules, functional calls and arithmetic alike.

Within a stretch of arithmetic, a normalization is what stays the same when its whole input is scaled, while an output
depends on more than its own input.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from normstudy.checking.parts import Part, places, with_gamma_and_beta
from normstudy.checking.sharing import PUSH, Function, differs, example
from normstudy.checking.stretches import AFFINE, READY_MADE, REDUCTIONS, Stretch, divide
from normstudy.checking.trace import Step, Trace, storage

INCOMPLETE = ("mean", "power")
"""Kinds of a normalization that what follows may complete."""

WEIGHTED = {"convolution", "addmm", "mm", "bmm", "baddbmm", "linear", "mkldnn_convolution"}
BIAS = {"convolution": 2, "addmm": 0}
"""Which argument of an operation is a bias."""


@dataclass(frozen=True)
class Layer:
    """A normalization layer that was found.

    Attributes:
        module: the innermost module that computes it; "" is the network itself.
        leaf: whether that module has no others in it.
        after: the module whose output goes into it.
        shape: (N, C, H, W) of its input; sizes that a tensor lacks are 1.
        function: what it computes, with everything else as it was.
        given: what it was given, (N, C, H, W) in float64.
        kind: "mean and deviation"; "deviation", as RMS normalization; "mean"; "power", where what it divides by is no
            deviation; or "fixed", where nothing is shared.
        parameters: the names of the network's parameters that it uses, with their shapes.
        weighted_before, weighted_after: whether convolutions or linear layers come before and after it.
        bias: whether what comes right before it adds a bias.
    """

    module: str
    leaf: bool
    after: str
    shape: tuple[int, int, int, int]
    function: Function
    given: Tensor
    kind: str
    parameters: dict[str, tuple[int, ...]]
    weighted_before: bool
    weighted_after: bool
    bias: bool


def find(net: nn.Module, trace: Trace) -> list[Layer]:
    """The normalization layers of a recorded forward pass of a network, in order."""
    stretches, constants = divide(trace)
    found = [each for stretch in stretches for each in _of_stretch(trace, stretch)]
    return [_layer(net, core, part, kind, constants) for core, part, kind in sorted(found, key=lambda each: each[0])]


def _of_stretch(trace: Trace, stretch: Stretch) -> list[tuple[int, Part, str]]:
    """The normalizations of a stretch: the number of the operation that completes one, its part, and its kind."""
    if not any(trace.steps[number].name in READY_MADE | REDUCTIONS for number in stretch.steps):
        return []
    entries = {stretch.entry.numel(): (stretch.begin, stretch.entry)}
    for number in stretch.steps:
        for tensor in trace.steps[number].outputs:
            if tensor.is_floating_point():
                entries.setdefault(tensor.numel(), (number, tensor))
    found: list[tuple[int, Part, str]] = []
    for _, (begin, entry) in sorted(entries.items(), reverse=True):
        inside = any(part.begin < begin <= part.end for _, part, _ in found)  # statistics of what is known already
        if entry.dim() >= 2 and entry.shape[0] == trace.given.shape[0] and not inside:
            found += _one_behind_the_other(trace, stretch, begin, entry)
    return found


def _one_behind_the_other(trace: Trace, stretch: Stretch, begin: int, entry: Tensor) -> Iterator[tuple[int, Part, str]]:
    while True:
        core: tuple[Part, str] | None = None
        last_written = {each: number for number in stretch.steps for each in trace.steps[number].written}
        for number in stretch.steps:
            tensor = _left_behind(trace, number, entry.numel()) if number > begin else None
            # What is written part by part is complete with the last one.
            if tensor is not None and last_written.get(storage(tensor), number) <= number:
                part = Part(trace, begin, entry, number, tensor)
                kind = _kind(part, trace.steps[number])
                core = (part, kind) if kind else core
            if core and core[1] not in INCOMPLETE:
                break
        if core is None:
            return
        part = with_gamma_and_beta(core[0], stretch)
        yield core[0].end, part, core[1]
        begin, entry = part.end, part.exit


def _left_behind(trace: Trace, number: int, size: int) -> Tensor | None:
    """The tensor of so many elements that an operation leaves behind: its output, or what that is a part of.

    None where the operation only asks for memory, which holds anything until something is written into it.
    """
    step = trace.steps[number]
    if step.name.removeprefix("new_").startswith("empty"):
        return None
    own = step.outputs[:1]
    if step.name in ("copy", "index_put", *AFFINE):
        wholes = {storage(tensor) for tensor in own}
        own += [each for before in trace.steps[:number] for each in before.outputs if storage(each) in wholes]
    return next((tensor for tensor in own if tensor.numel() == size and tensor.is_floating_point()), None)


def _kind(part: Part, step: Step) -> str:
    """What kind of normalization a part is; "" if it is none."""
    given, other = example(part.entry.shape), example(part.entry.shape, seed=1)
    pushed = given.clone()
    pushed[tuple(size // 2 for size in given.shape)] += PUSH
    try:
        returned = part(given)
        if not returned.isfinite().all():
            return ""
        if differs(returned, part(pushed)).sum() <= 1:
            return "fixed" if step.name in READY_MADE else ""
        moved = bool(differs(returned, part(given + 10)).any())
        small, large = part(1e3 * given), part(2e3 * given)
        if not differs(small, large).any():
            # What is divided by its sum, as probabilities are, keeps its sign when its input changes it.
            odd = not differs(small + part(-1e3 * given), part(1e3 * other) + part(-1e3 * other)).any()
            return ("deviation" if moved else "mean and deviation") if odd else ""
        if moved:
            return ""
        # A power of the scale, whatever gamma and beta are: it grows by one factor everywhere.
        growth = (part(4e3 * given) - large) / (large - small)
        growth = growth[(large - small).abs() > 1e-9 * large.abs().max()]
        if not len(growth) or (growth - growth.median()).abs().max() > 1e-3 * growth.median().abs():
            return ""
        return "mean" if abs(float(growth.median()) - 2) < 1e-2 else "power"
    except RuntimeError:  # an operation that takes no float64
        return ""


def _layer(net: nn.Module, core: int, part: Part, kind: str, constants: set[int]) -> Layer:
    trace, shape, where = part.trace, _four(part.entry.shape), places(part)

    def function(given: Tensor) -> Tensor:
        flat = part(given).flatten()
        return torch.empty_like(flat).index_copy(0, where, flat).view(shape)

    module = trace.steps[core].module
    before = trace.steps[part.begin] if part.begin >= 0 else None
    weighted = [number for number, step in enumerate(trace.steps) if step.name in WEIGHTED]
    return Layer(
        module=module,
        leaf=not list(net.get_submodule(module).children()),
        after=before.module if before else "",
        shape=shape,
        function=function,
        given=trace.value(part.entry, part.begin).double().reshape(shape),
        kind=kind,
        parameters=_parameters(net, part, constants),
        weighted_before=any(number <= part.begin for number in weighted),
        weighted_after=any(number > part.end for number in weighted),
        bias=bool(before and before.name in BIAS and before.arguments[BIAS[before.name]] is not None),
    )


def _four(shape: torch.Size) -> tuple[int, int, int, int]:
    number, channels, *places = shape
    return number, channels, places[0] if places else 1, torch.Size(places[1:]).numel()


def _parameters(net: nn.Module, part: Part, constants: set[int]) -> dict[str, tuple[int, ...]]:
    """The parameters that a part uses, as they are or rearranged."""
    shapes = {name: tuple(tensor.shape) for name, tensor in net.named_parameters()}
    origin = {storage(tensor): name for name, tensor in net.named_parameters()}
    used: dict[str, tuple[int, ...]] = {}
    for number, step in enumerate(part.trace.steps[: part.end + 1]):
        names = [origin[storage(tensor)] for tensor in step.inputs if storage(tensor) in origin]
        if number in constants and names:
            origin.update((storage(each), names[0]) for each in step.outputs)
        elif number > part.begin:
            used |= {name: shapes[name] for name in names}
    return used
