"""Parts of a forward pass: where their elements belong, and how far gamma and beta go."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from normstudy.chapters.check import Function
from normstudy.checking.parts import Part, places, with_gamma_and_beta
from normstudy.checking.stretches import divide
from normstudy.checking.trace import Trace, record

GAMMA = torch.tensor([2.0, 3.0, 5.0, 7.0]).view(4, 1, 1)


def traced(function: Callable[[Tensor], Tensor]) -> Trace:
    return record(Function(function), torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(0)))


def part(trace: Trace, name: str) -> Part:
    """From the input to what the first operation of this name gives."""
    number = next(number for number, step in enumerate(trace.steps) if step.name == name)
    return Part(trace, -1, trace.given, number, trace.steps[number].outputs[0])


def stacked(x: Tensor) -> Tensor:
    return torch.stack(x.split(2, dim=1))  # (2, N, 2, H, W)


@pytest.mark.parametrize(
    "rearranged",
    [lambda x: x.permute(0, 2, 3, 1), lambda x: x.view(2, 2, 2, 9).transpose(0, 1), stacked],
    ids=["channels last", "view", "stacked"],
)
def test_each_element_of_a_rearranged_tensor_is_put_back_where_it_was(rearranged: Callable[[Tensor], Tensor]):
    trace = traced(lambda x: rearranged(x) * 2)
    found = part(trace, "mul")
    again = torch.empty(trace.given.numel(), dtype=torch.float64)
    again[places(found)] = found(trace.given.double()).flatten()
    assert torch.equal(again.view_as(trace.given), 2 * trace.given.double())


def test_where_nothing_is_rearranged_each_element_stays():
    assert torch.equal(places(part(traced(lambda x: x * 2), "mul")), torch.arange(72))


@pytest.mark.parametrize(
    ("function", "factor"),
    [
        (lambda x: x.abs() * GAMMA + 1, GAMMA),
        (lambda x: torch.cat(list(stacked(x).abs()), dim=1) * GAMMA + 1, GAMMA),
        (lambda x: torch.cat([each * (number + 1) for number, each in enumerate(stacked(x).abs())], dim=1) + 1, None),
        (lambda x: x.abs() * x + 1, None),
    ],
    ids=["at once", "joined again", "scaled piece by piece", "scaled by itself"],
)
def test_gamma_and_beta_belong_to_a_part_where_they_scale_and_shift_all_of_it(
    function: Callable[[Tensor], Tensor], factor: Tensor | None
):
    trace = traced(function)
    (stretch, *_), _ = divide(trace)
    core = part(trace, "abs")
    whole = with_gamma_and_beta(core, stretch)
    if factor is None:
        assert whole is core
    else:
        given = trace.given.double()
        assert torch.equal(whole(given), given.abs() * factor + 1)
