"""The benchmarks run where there is no GPU and no MNIST, and what they count is right."""

from dataclasses import replace

import pytest
import torch

from tests.benchmarks import __main__ as benchmarks


def test_the_floor_on_a_gpu_is_the_larger_of_arithmetic_and_memory() -> None:
    settings = replace(benchmarks.SETTINGS, epochs=1)
    arithmetic = benchmarks.floor(settings, flops=1, bandwidth=float("inf"))
    memory = benchmarks.floor(settings, flops=float("inf"), bandwidth=1)
    assert benchmarks.floor(settings, flops=1, bandwidth=1) == max(arithmetic, memory)
    # Each weight of the first layer, 8 × 9, is used at each of its 14 × 14 positions, forward and for its gradient.
    assert arithmetic > 60_000 * 2 * 2 * 14 * 14 * 8 * 9
    assert benchmarks.floor(replace(settings, epochs=3), 1, 1) == 3 * benchmarks.floor(settings, 1, 1)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_row_that_cannot_be_measured_here_says_why() -> None:
    row = benchmarks.gpu()
    assert row.kept is None
    assert row.here.startswith("no ")


def test_what_is_measured_on_a_gpu_runs_on_the_cpu_as_well() -> None:
    seconds = benchmarks.train_all(benchmarks.excerpt(200), replace(benchmarks.SETTINGS, epochs=1, batch_size=64))
    assert list(seconds) == ["batch", "layer", "group"]
    assert min(seconds.values()) > 0


def test_the_excerpt_has_the_proportions_of_mnist() -> None:
    dataset = benchmarks.excerpt(100)
    assert (len(dataset.train_images), len(dataset.test_images)) == (600, 100)
