"""One run of an experiment: a pure function of its parameters, and what its rows say."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from normstudy import data, training
from normstudy.experiments import inside, single
from normstudy.experiments.sweep_files import expand
from normstudy.model import NORMALIZED_CHANNELS
from tests.trainings import build

ROOT = Path(__file__).parents[2]
SHORT = {"epochs": 2, "batch_size": 64, "seed": 3, "norm_arg": "batch", "l1": 1e-4}


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits")


@pytest.fixture(scope="module")
def few(digits: data.Dataset) -> data.Dataset:
    return replace(digits, train_images=digits.train_images[:128], train_labels=digits.train_labels[:128],
                   test_images=digits.test_images[:100], test_labels=digits.test_labels[:100])  # fmt: skip


def parameters(**changes: Any) -> dict[str, Any]:
    (run,) = expand(ROOT, ROOT / "params" / "batch.yaml", SHORT | changes).values()
    return run


def untimed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def test_a_run_has_a_row_an_epoch_with_its_parameters_and_metrics(few: data.Dataset):
    rows = single.run(parameters(), few)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(parameters().items() <= row.items() for row in rows)
    assert all(0 <= row["test_accuracy"] <= 1 and row["test_loss"] > 0 for row in rows)
    assert len({row["made_by"] for row in rows} | {row["code"] for row in rows}) == 2


def test_the_last_row_lists_the_misclassified_test_images(few: data.Dataset):
    rows = single.run(parameters(), few)
    assert rows[0]["wrong"] is None
    assert len(rows[1]["wrong"]) == round((1 - rows[1]["test_accuracy"]) * rows[1]["test_images"])
    assert set(rows[1]["wrong"]) <= set(range(100))


def test_the_same_parameters_give_the_same_rows_after_other_runs_too(few: data.Dataset):
    first = single.run(parameters(), few)
    single.run(parameters(seed=4, norm_arg="none"), few)
    assert untimed(single.run(parameters(), few)) == untimed(first)


def test_each_penalty_acts_on_the_weights(few: data.Dataset):
    def end(**changes: float) -> dict[str, Any]:
        return single.run(parameters(**({"epochs": 4, "l1": 0.0, "l2": 0.0} | changes)), few)[-1]

    plain, sparse, small = end(), end(l1=0.01), end(l2=0.05)
    assert sparse["weights_near_zero"] > 3 * plain["weights_near_zero"]
    assert sparse["weights_l1"] < plain["weights_l1"]
    assert small["weights_l2"] < 0.8 * plain["weights_l2"]


def test_a_run_that_diverges_ends_with_an_empty_row(few: data.Dataset):
    rows = single.run(parameters() | {"learning_rate": 1e30, "norm_arg": "none"}, few)
    assert rows[-1]["epoch"] == 1
    assert [rows[-1][name] for name in ("train_loss", "test_loss", "test_accuracy", "wrong")] == [None] * 4


class TestMeasurements:
    def test_begin_before_the_first_epoch_and_change_nothing(self, few: data.Dataset):
        measured = single.run(parameters(measure=True), few)
        assert [row["epoch"] for row in measured] == [0, 1, 2]
        plain = single.run(parameters(), few)
        for name in ("train_loss", "test_loss", "weights_l2", "wrong"):
            assert [row[name] for row in measured[1:]] == [row[name] for row in plain], name

    @pytest.mark.parametrize("norm_arg", ["batch", "layer", "none"])
    def test_have_a_number_a_normalized_layer(self, norm_arg: str, few: data.Dataset):
        found = inside.measure(build(norm_arg), few, 0.01)
        layers = len(NORMALIZED_CHANNELS)
        assert all(len(found[f"{side}_{what}"]) == layers for side in ("given", "returned") for what in ("mean", "sd"))
        if norm_arg == "none":
            assert found["gamma_mean"] is None
        else:
            assert found["gamma_mean"] == [1.0] * layers
            assert found["beta_sd"] == [0.0] * layers

    def test_batch_normalization_returns_mean_0_and_standard_deviation_1_before_training(self, few: data.Dataset):
        found = inside.measure(build("batch"), few, 0.01)
        assert found["returned_mean"] == pytest.approx([0] * len(NORMALIZED_CHANNELS), abs=1e-5)
        assert found["returned_sd"] == pytest.approx([1] * len(NORMALIZED_CHANNELS), abs=0.01)

    def test_the_gradient_norm_is_that_of_the_cross_entropy(self, few: data.Dataset):
        net = build("group")
        found = inside.measure(net, few, 0.01)
        inputs = data.to_input(few.train_images[: inside.IMAGES], few)
        torch.nn.functional.cross_entropy(net(inputs), few.train_labels[: inside.IMAGES]).backward()
        gradient = torch.cat([parameter.grad.flatten() for parameter in net.parameters()])
        assert found["gradient_norm"] == pytest.approx(gradient.norm().item(), rel=1e-4)

    def test_channels_are_measured_one_by_one(self, few: data.Dataset):
        found = inside.measure(build("batch"), few, 0.01)
        for side in ("given", "returned"):
            means, deviations = found[f"{side}_channel_mean"], found[f"{side}_channel_sd"]
            assert [len(layer) for layer in means] == [len(layer) for layer in deviations] == list(NORMALIZED_CHANNELS)
            assert [sum(layer) / len(layer) for layer in means] == pytest.approx(found[f"{side}_mean"], abs=1e-5)
        for layer in found["returned_channel_sd"]:
            assert layer == pytest.approx([1] * len(layer), abs=0.01)

    @pytest.mark.parametrize("norm_arg", ["batch", "layer", "group"])
    def test_relative_steps_do_not_see_the_scale_of_weights_that_normalization_undoes(
        self, norm_arg: str, few: data.Dataset
    ):
        net = build(norm_arg)
        before = inside.measure(net, few, 0.01)
        with torch.no_grad():
            for block in net.features:
                if isinstance(block, torch.nn.Sequential):
                    block[0].weight.mul_(10)
        after = inside.measure(net, few, 0.01)
        for name in ("relative_norm", "relative_change", "relative_range"):
            assert after[name] == pytest.approx(before[name], rel=0.02), name
        assert after["gradient_norm"] < 0.9 * before["gradient_norm"]

    def test_relative_steps_are_shares_of_the_weights_norms(self, few: data.Dataset):
        net = build("group")
        inputs, labels = data.to_input(few.train_images, few), few.train_labels
        weights = list(training.penalized_weights(net))

        def relative_gradient() -> torch.Tensor:
            gradients = torch.autograd.grad(torch.nn.functional.cross_entropy(net(inputs), labels), weights)
            return torch.cat([size * gradient.flatten() for size, gradient in zip(sizes, gradients, strict=True)])

        sizes = [weight.detach().norm() for weight in weights]
        start, changes = relative_gradient(), []
        kept = [weight.detach().clone() for weight in weights]
        for share in inside.SHARES:
            moves = (share * start / start.norm()).split([weight.numel() for weight in weights])
            with torch.no_grad():
                for weight, was, size, move in zip(weights, kept, sizes, moves, strict=True):
                    weight.copy_(was - size * move.view_as(was))
            changes.append(((relative_gradient() - start).norm() / start.norm()).item())
        with torch.no_grad():
            for weight, was in zip(weights, kept, strict=True):
                weight.copy_(was)
        found = inside.measure(net, few, 0.01)
        assert found["relative_norm"] == pytest.approx(start.norm().item(), rel=1e-4)
        assert found["relative_change"] == pytest.approx(max(changes), rel=1e-3)

    def test_a_shorter_step_is_more_predictable(self, few: data.Dataset):
        net = build("group")
        changes = [inside.measure(net, few, rate)["gradient_change"] for rate in (1e-4, 1e-2)]
        assert changes[0] < changes[1] / 10
