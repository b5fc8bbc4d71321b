"""A part of a forward pass, run again on other inputs: what follows it without changing more than scale and place."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from normstudy.checking.stretches import AFFINE, JOINS, VIEWS, Stretch
from normstudy.checking.trace import Trace, storage


@dataclass(frozen=True)
class Part:
    """A part of a forward pass, from one tensor to another: the numbers of their operations, and the tensors."""

    trace: Trace
    begin: int
    entry: Tensor
    end: int
    exit: Tensor

    def __call__(self, given: Tensor) -> Tensor:
        """What comes out for another input, in float64."""
        return self.trace.replay(self.begin, self.end, self.entry, given.reshape(self.entry.shape), self.exit)


def with_gamma_and_beta(core: Part, stretch: Stretch) -> Part:
    """The same part with what follows that only scales, shifts and rearranges, as far as its shape is the entry's."""
    trace, at, last, part = core.trace, core.end, core.exit, core
    changing = {storage(each) for number in stretch.steps for each in trace.steps[number].outputs}
    changing.add(storage(stretch.entry))
    shapes = {core.entry.shape} | {view.shape for _, view in _views(core)}
    for number in (number for number in stretch.steps if number > core.end):
        step = trace.steps[number]
        if not any(each is last for each in step.inputs):
            continue
        fixed = all(each is last or storage(each) not in changing for each in step.inputs)
        if step.name in AFFINE | VIEWS and fixed and step.outputs[0].numel() == last.numel():
            at, last = number, step.outputs[0]
        elif (joined := _joined(trace, stretch, at, last)) is not None:
            at, last = joined
        else:
            break
        if last.shape in shapes:
            part = Part(trace, core.begin, core.entry, at, last)
    return part


def _joined(trace: Trace, stretch: Stretch, begin: int, whole: Tensor) -> tuple[int, Tensor] | None:
    """The operation that joins the pieces of a tensor, each element in one place, and what it gives."""
    for number in (number for number in stretch.steps if number > begin and trace.steps[number].name in JOINS):
        again = trace.steps[number].outputs[0]
        if again.numel() == whole.numel() and _permuted(Part(trace, begin, whole, number, again)) is not None:
            return number, again
    return None


def _views(part: Part) -> Iterator[tuple[int, Tensor]]:
    """The rearrangements of a part's entry."""
    seen = [part.entry]
    for number in range(part.begin + 1, part.end):
        step = part.trace.steps[number]
        if step.name in VIEWS and any(tensor is step.inputs[0] for tensor in seen):
            seen.append(step.outputs[0])
            yield number, step.outputs[0]


def places(part: Part) -> Tensor:
    """Where in the entry each element of the exit belongs."""
    if part.exit.shape != part.entry.shape:
        for number in reversed(range(part.begin + 1, part.end)):
            for tensor in part.trace.steps[number].outputs[:1]:
                inner = Part(part.trace, part.begin, part.entry, number, tensor)
                if tensor.shape == part.exit.shape and (found := _permuted(inner)) is not None:
                    return found
    return torch.arange(part.entry.numel())


def _permuted(part: Part) -> Tensor | None:
    """Where in the entry each element of the exit belongs, one after the other; None if it does more than that."""
    whole = torch.arange(part.entry.numel(), dtype=torch.float64)
    found = part(whole).flatten()
    return found.long() if torch.equal(found.sort().values, whole) else None
