"""The benchmarks run where there is no GPU and no MNIST, and what they count is right."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from normstudy.experiments import parameters
from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks import peers, tuning


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


def test_a_trial_is_a_line_of_the_record_of_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "HELD_OUT", 300)
    trial = tuning.trial(
        benchmarks.VALUES | {"dataset": "digits", "epochs": 5, "batch_size": 32, "norm_arg": "layer", "measure": False}
    )
    record = pd.read_csv(tuning.RECORD)
    assert set(record.columns) <= set(trial)
    [like] = record.query("network == @tuning.NETWORK and norm_arg == 'layer'").parameters.unique()
    assert trial["parameters"] == like
    assert 0.5 < float(str(trial["held_out_accuracy"])) < 1


def test_the_excerpt_has_the_proportions_of_mnist() -> None:
    dataset = benchmarks.excerpt(100)
    assert (len(dataset.train_images), len(dataset.test_images)) == (600, 100)


@pytest.mark.parametrize("norm_arg", parameters.VARIANTS)
def test_the_peers_network_has_their_size_and_takes_images_of_mnist(norm_arg: str) -> None:
    net = peers.network(norm_arg)
    assert sum(parameter.numel() for parameter in net.parameters()) == 7704
    probabilities = net(torch.zeros(3, 1, 28, 28)).exp()
    assert probabilities.shape == (3, 10)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(3))


def test_the_peers_images_are_augmented_anew_each_time_and_those_of_the_test_are_not() -> None:
    images, labels = torch.full((1, 28, 28), 0, dtype=torch.uint8), torch.tensor([7])
    images[0, 8:20, 13:15] = 255
    augmented = peers.Pictures(images, labels, [*peers.AUGMENTATION, *peers.INPUT])
    plain = peers.Pictures(images, labels, peers.INPUT)
    assert not torch.equal(augmented[0][0], augmented[0][0])
    assert torch.equal(plain[0][0], plain[0][0])
    assert (plain[0][0].shape, plain[0][1]) == ((1, 28, 28), 7)


@pytest.mark.slow
def test_both_ways_are_timed_in_processes_of_their_own() -> None:
    ours, theirs = benchmarks.beside_peers(["group"], threads_each=1, rounds=1)
    assert 0 < ours < theirs


def test_a_row_measured_anew_takes_the_place_of_the_earlier_one_whatever_machine_that_was_on() -> None:
    head = "| what | bar | here | kept |\n| --- | --- | --- | --- |\n"
    one = f"{head}| a | 1 | 2 | yes |\n| b | 1 | 2 | yes |\n\nMeasured on: one, x.\n"
    assert benchmarks.merged("", "one, x", ["| a | 1 | 2 | yes |", "| b | 1 | 2 | yes |"]) == one
    assert benchmarks.merged(one, "one, x", ["| b | 1 | 3 | no |", "| c | 1 | 2 | yes |"]) == one.replace(
        "| b | 1 | 2 | yes |\n", "| b | 1 | 3 | no |\n| c | 1 | 2 | yes |\n"
    )
    both = benchmarks.merged(one, "other", ["| b | 1 | 4 | no |"])
    rest = one.replace("| b | 1 | 2 | yes |\n", "")
    assert both == f"{rest}\n{head}| b | 1 | 4 | no |\n\nMeasured on: other.\n"
    assert benchmarks.merged(both, "other", ["| a | 1 | 5 | no |"]) == (
        f"{head}| b | 1 | 4 | no |\n| a | 1 | 5 | no |\n\nMeasured on: other.\n"
    )
