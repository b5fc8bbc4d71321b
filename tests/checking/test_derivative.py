"""Whether backward gives the derivative of what forward computes."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.chapters.check import Function
from normstudy.checking import derivative


def by(x: Tensor, statistics: Tensor) -> Tensor:
    over = (1, 2, 3)
    return (x - statistics.mean(over, keepdim=True)) / (statistics.std(over, keepdim=True) + 1e-5)


def agrees(calculate: Callable[[Tensor], Tensor]) -> bool:
    torch.manual_seed(0)
    blocks = [
        nn.Conv2d(1, 6, 3, 2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, 2),
        Function(calculate),
        nn.ReLU(),
    ]
    net = nn.Sequential(*blocks, nn.Dropout(0.2), nn.Flatten(), nn.Linear(8 * 36, 10))
    return derivative.agrees(net.train(), torch.randn(6, 1, 28, 28))


def test_what_goes_through_its_statistics_has_its_derivative():
    assert agrees(lambda x: by(x, x))
    assert agrees(torch.tanh)


@pytest.mark.parametrize(
    "calculate",
    [
        lambda x: by(x, x.detach()),
        lambda x: x - x.detach().mean((1, 2, 3), keepdim=True),
        lambda x: x / x.detach().std((1, 2, 3), keepdim=True),
        lambda x: x + (torch.tanh(x) - x).detach(),
    ],
    ids=["both", "the mean alone", "the deviation alone", "a nonlinearity"],
)
def test_what_is_taken_out_of_the_gradient_is_found(calculate: Callable[[Tensor], Tensor]):
    assert not agrees(calculate)


def test_what_takes_no_float64_is_not_accused():
    assert agrees(lambda x: by(x.float(), x.float().detach()).double())
    assert agrees(lambda x: by(x, x.detach()).float())


def test_a_corner_is_no_fault():
    assert agrees(lambda x: F.relu(by(x, x) - by(x, x)))
    assert agrees(lambda x: torch.maximum(x, x.flip(1)))
