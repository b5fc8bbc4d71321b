"""A forward pass is recorded, and any part of it can be computed again."""

import torch
from torch import Tensor, nn

from normstudy.checking import layers
from normstudy.checking.trace import record


def test_a_part_gives_what_it_gave():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU())
    images = torch.randn(2, 1, 6, 6)
    trace = record(net.train(), images)
    numbers = [number for number, step in enumerate(trace.steps) if step.name == "native_batch_norm"]
    normalized = trace.steps[numbers[0]].outputs[0]
    again = trace.replay(-1, numbers[0], images, images, normalized)
    assert again.dtype == torch.float64
    torch.testing.assert_close(again.float(), net[1](net[0](images)))
    assert not torch.equal(trace.replay(-1, numbers[0], images, images + torch.rand(2, 1, 6, 6), normalized), again)


def test_chance_falls_the_same_each_time_and_stays_as_it_was_elsewhere():
    images = torch.randn(4, 3, 5, 5)
    for dropout in (nn.Dropout(0.5), nn.Dropout2d(0.5)):
        trace = record(dropout.train(), images)
        state = torch.get_rng_state()
        one, other = (trace.replay(-1, len(trace.steps) - 1, images, images, trace.returned) for _ in range(2))
        assert one.eq(0).any()
        assert torch.equal(one, other)
        assert torch.equal(torch.get_rng_state(), state)


class Filling(nn.Module):
    """Scales by what is made and filled in each pass, beside what dispatches no operation."""

    def forward(self, x: Tensor) -> Tensor:
        scale = nn.Parameter(torch.zeros(3, 1, 1))
        x = x + 1
        with torch.no_grad():
            scale.fill_(2)
        return x * scale


def test_what_is_made_and_filled_on_the_way_is_as_it_was_when_it_was_used():
    images = torch.randn(4, 3, 5, 5)
    trace = record(Filling(), images)
    again = trace.replay(-1, len(trace.steps) - 1, images, images, trace.returned)
    torch.testing.assert_close(again, 2 * (images.double() + 1))


def test_memory_that_nothing_was_written_into_is_no_layer():
    trace = record(nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(0.5)).train(), torch.randn(4, 3, 5, 5))
    asked = [number for number, step in enumerate(trace.steps) if step.name == "empty_like"]
    assert asked
    assert all(layers._left_behind(trace, number, 4 * 3 * 5 * 5) is None for number in asked)
