"""What the project promises of the loop: numbers repeat, a stopped run goes on, a loss that is not finite ends it."""

import dataclasses
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from normstudy import data
from normstudy.data import Dataset
from normstudy.machine.recording import Epoch
from normstudy.normalizations import NORMALIZATIONS
from normstudy.training import Diverged, EpochMetrics, evaluate, fit, loop, one_cycle
from tests.trainings import SHORT, assert_same_weights, build, train, untimed

# Metrics and the learning rate


def test_every_epoch_is_reported_in_order_as_soon_as_it_is_known(few: Dataset) -> None:
    seen: list[EpochMetrics] = []
    _, history = train(few, SHORT, on_epoch=seen.append)
    assert seen == history
    assert [metrics.epoch for metrics in history] == [1, 2, 3]
    for metrics in history:
        assert 0 <= metrics.train_accuracy <= 1
        assert 0 <= metrics.test_accuracy <= 1
        assert metrics.seconds > 0
        json.dumps(dataclasses.asdict(metrics), allow_nan=False)


def test_the_numbers_of_training_are_those_of_the_images_it_sees(few: Dataset) -> None:
    settings = replace(SHORT, epochs=1, batch_size=200, learning_rate=1e-12, rotation=0.0, shift=0.0, scale=0.0)
    before = evaluate(build("layer", seed=settings.seed), few.train_images, few.train_labels, few)
    _, (metrics,) = train(few, settings, "layer")
    assert metrics.train_accuracy == pytest.approx(before.accuracy)
    assert metrics.train_loss == pytest.approx(before.loss)


def test_the_seconds_of_epochs_add_up_to_no_more_than_the_training_takes(few: Dataset) -> None:
    began = time.perf_counter()
    _, history = train(few, SHORT)
    assert 0 < sum(metrics.seconds for metrics in history) < time.perf_counter() - began


def test_on_the_cpu_the_channels_of_the_study_s_network_are_last_and_those_of_another_as_they_were(
    few: Dataset,
) -> None:
    net, _ = train(few, replace(SHORT, epochs=1))
    other = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(4 * 576, 10))
    fit(other, few, replace(SHORT, epochs=1))
    for weight, last in ((net.features[1][0].weight, True), (other[1].weight, False)):
        assert weight.is_contiguous(memory_format=torch.channels_last) is last
        assert weight.is_contiguous() is not last


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nearly_nothing(few: Dataset) -> None:
    _, history = train(few, replace(SHORT, epochs=10))
    rates = [metrics.learning_rate for metrics in history]
    peak = rates.index(max(rates))
    assert 0 < peak < 5
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert max(rates) <= SHORT.learning_rate
    assert rates[-1] < SHORT.learning_rate / 1000


@pytest.mark.parametrize("steps", [10, 33, 1000])
def test_the_learning_rates_are_those_of_pytorchs_one_cycle(steps: int) -> None:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, total_steps=steps, cycle_momentum=False)
    expected = []
    for _ in range(steps):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(expected) < steps:
            schedule.step()
    assert one_cycle(0.02, steps) == pytest.approx(expected, rel=1e-9, abs=0)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_cycle_of_few_steps_stays_between_nothing_and_the_peak(steps: int) -> None:
    assert all(0 < rate <= 0.02 for rate in one_cycle(0.02, steps))


@pytest.mark.parametrize("norm_arg", ["batch", "layer", "group"])
def test_every_variant_learns_the_digits_in_a_few_epochs(digits: Dataset, norm_arg: str) -> None:
    _, history = train(digits, replace(SHORT, epochs=8), norm_arg)
    assert history[-1].test_accuracy > 0.9
    assert history[-1].train_loss < history[0].train_loss


# The same numbers again


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_the_same_seed_gives_the_same_weights_and_metrics(few: Dataset, norm_arg: str) -> None:
    torch.manual_seed(1)
    one, first = train(few, replace(SHORT, epochs=2), norm_arg)
    torch.manual_seed(2)
    other, second = train(few, replace(SHORT, epochs=2), norm_arg)
    assert untimed(first) == untimed(second)
    assert_same_weights(one, other)


def test_another_seed_gives_another_start_and_another_result(few: Dataset) -> None:
    assert not torch.equal(next(build("batch").parameters()), next(build("batch", seed=1).parameters()))
    _, first = train(few, replace(SHORT, epochs=1))
    _, second = train(few, replace(SHORT, epochs=1, seed=1))
    assert first[0].train_loss != second[0].train_loss


class Others(nn.Sequential):
    """Somebody's own network: it views channels as groups, drops some values, and puts new running means in place."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(1, 4, 5, 4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(4 * 36, 10))
        self.register_buffer("mean", torch.zeros(10))

    def forward(self, images: Tensor) -> Tensor:
        maps = self[0](images)
        groups = maps.view(len(maps), 2, -1)  # as group normalization is often written
        logits = (groups - groups.mean(dim=2, keepdim=True)).view_as(maps)
        for layer in list(self)[1:]:
            logits = layer(logits)
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * logits.detach().mean(dim=0)
        return logits - self.mean


def others() -> Others:
    torch.manual_seed(0)
    return Others()


def test_what_another_network_draws_comes_from_the_seed_alone(few: Dataset) -> None:
    found = []
    for seed, drawn in ((0, 1), (0, 2), (1, 1)):
        net = others()
        torch.manual_seed(drawn)
        found.append(untimed(fit(net, few, replace(SHORT, seed=seed))))
    assert found[0] == found[1]
    assert found[0][0].train_loss != found[2][0].train_loss


def test_what_is_drawn_differs_in_each_epoch_of_each_seed(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    trained = loop._train
    monkeypatch.setattr(loop, "_train", lambda *what: seeds.append(what[-1]) or trained(*what))
    for seed in (0, 1, 2):
        train(few, replace(SHORT, seed=seed))
    assert seeds == list(range(1, 3 * SHORT.epochs + 1))


def test_the_seed_decides_the_order_of_the_images_too(few: Dataset) -> None:
    start = build("batch").state_dict()
    losses = []
    for seed in (0, 1):
        net = build("batch")
        net.load_state_dict(start)
        losses.append(fit(net, few, replace(SHORT, epochs=1, seed=seed))[0].train_loss)
    assert losses[0] != losses[1]


def test_neither_building_nor_training_touches_the_global_generator(few: Dataset) -> None:
    before = torch.get_rng_state()
    train(few, replace(SHORT, epochs=1))
    assert torch.equal(torch.get_rng_state(), before)


# Easy images


def test_in_the_last_epoch_each_image_is_drawn_once(few: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    trained = loop._train
    monkeypatch.setattr(loop, "_train", lambda *what: trained(*what) or drawn.append(len(what[2].order.unique())))
    train(few, replace(SHORT, epochs=5, easy=0.2))
    assert drawn[0] == drawn[-1] == 192, "nothing is known in the first"
    assert all(images < 192 for images in drawn[1:-1])


def test_what_is_said_of_training_is_what_became_of_each_image_last(
    few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs: list[Epoch] = []
    trained = loop._train
    monkeypatch.setattr(loop, "_train", lambda *what: trained(*what) or epochs.append(deepcopy(what[2])))
    _, history = train(few, replace(SHORT, epochs=20, easy=0.2))
    for epoch, metrics in zip(epochs[:-1], history, strict=False):
        seen = epoch.last_losses.isfinite()
        assert metrics.train_loss == pytest.approx(epoch.last_losses[seen].mean().item())
        assert metrics.train_accuracy == pytest.approx(epoch.last_correct[seen].mean().item())
    last = epochs[-1].last_losses[epochs[-1].order.flatten()]
    assert history[-1].train_loss == pytest.approx(last.mean().item())
    assert epochs[15].losses.mean() > 1.5 * history[15].train_loss, "batches are harder than the images are"


@pytest.mark.parametrize("easy", [1.0, 0.2])
def test_a_loss_that_is_not_finite_is_found_wherever_the_batch_is(
    few: Dataset, monkeypatch: pytest.MonkeyPatch, easy: float
) -> None:
    def spoilt(net: nn.Module, step: Callable[[], None], epoch: Epoch, seed: int) -> None:
        trained(net, step, epoch, seed)
        epoch.losses[2] = math.nan

    trained = loop._train
    monkeypatch.setattr(loop, "_train", spoilt)
    with pytest.raises(Diverged, match="epoch 1, batch 3"):
        train(few, replace(SHORT, easy=easy))


# Going on from a checkpoint


class Stop(Exception):  # noqa: N818
    pass


def stop_after(epoch: int):
    def stop(metrics: EpochMetrics) -> None:
        if metrics.epoch == epoch:
            raise Stop

    return stop


@pytest.mark.parametrize(("norm_arg", "easy"), [("batch", 1.0), ("group", 1.0), ("batch", 0.2)])
@pytest.mark.parametrize("stopped_after", [1, 2, 3])
def test_a_resumed_run_ends_bit_for_bit_as_one_that_never_stopped(
    few: Dataset, tmp_path: Path, norm_arg: str, easy: float, stopped_after: int
) -> None:
    checkpoint = tmp_path / "new folder" / "checkpoint.safetensors"
    settings = replace(SHORT, easy=easy)
    whole_net, whole = train(few, settings, norm_arg)
    with pytest.raises(Stop):
        train(few, settings, norm_arg, checkpoint=checkpoint, on_epoch=stop_after(stopped_after))
    trained: list[EpochMetrics] = []
    net, history = train(few, settings, norm_arg, checkpoint=checkpoint, on_epoch=trained.append)
    assert len(trained) == SHORT.epochs - stopped_after
    assert untimed(history) == untimed(whole)
    assert_same_weights(net, whole_net)
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]


def test_another_network_goes_on_with_what_it_drew_and_kept(few: Dataset, tmp_path: Path) -> None:
    whole_net, net, checkpoint = others(), others(), tmp_path / "checkpoint.safetensors"
    whole = fit(whole_net, few, SHORT)
    with pytest.raises(Stop):
        fit(others(), few, SHORT, stop_after(2), checkpoint)
    assert untimed(fit(net, few, SHORT, checkpoint=checkpoint)) == untimed(whole)
    assert_same_weights(net, whole_net)


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"l1": 0.0}, {"learning_rate": 0.01}, {"epochs": 4}, {"easy": 0.2}, {"rotation": 5.0}],
    ids=str,
)
def test_a_checkpoint_of_other_settings_is_not_used(few: Dataset, tmp_path: Path, other: dict) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    train(few, SHORT, checkpoint=checkpoint)
    settings = replace(SHORT, **other)
    _, expected = train(few, settings)
    _, history = train(few, settings, checkpoint=checkpoint)
    assert untimed(history) == untimed(expected)


def test_a_checkpoint_of_another_network_or_dataset_is_not_used(few: Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    train(few, SHORT, "layer", checkpoint=checkpoint)
    for dataset, norm_arg in ((few, "group"), (replace(few, name="other"), "layer")):
        trained: list[EpochMetrics] = []
        train(dataset, SHORT, norm_arg, checkpoint=checkpoint, on_epoch=trained.append)
        assert len(trained) == SHORT.epochs


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100, None], ids=["empty", "text", "bytes", "truncated"])
def test_a_damaged_checkpoint_is_not_used(few: Dataset, tmp_path: Path, content: bytes | None) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    _, expected = train(few, SHORT, checkpoint=checkpoint)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-10] if content is None else content)
    trained: list[EpochMetrics] = []
    _, history = train(few, SHORT, checkpoint=checkpoint, on_epoch=trained.append)
    assert len(trained) == SHORT.epochs
    assert untimed(history) == untimed(expected)


PROGRAM = """
import sys, dataclasses, json, torch
from pathlib import Path
from typing import Any
torch.set_num_threads(1)
from normstudy import data, training
from normstudy.training import fit
from tests.trainings import build, settings
chosen = settings(epochs=6, batch_size=32, l1=1e-5, l2=1e-4)
net = build("batch")
history = fit(net, data.load("digits"), chosen, lambda metrics: print(metrics.epoch, flush=True), Path(sys.argv[1]))
digest = [float(tensor.double().sum()) for tensor in net.state_dict().values()]
print(json.dumps([digest, [dataclasses.asdict(metrics) | {"seconds": 0} for metrics in history]]))
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_in_another_with_the_same_numbers(tmp_path: Path) -> None:
    def start(checkpoint: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path / checkpoint)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    whole = start("whole").communicate()[0].splitlines()
    killed = start("killed")
    assert killed.stdout
    while killed.stdout.readline().strip() != "2":
        assert killed.poll() is None
    time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    resumed = start("killed").communicate()[0].splitlines()
    assert resumed[0] in ("3", "4", "5", "6")
    assert resumed[-1] == whole[-1]


# What goes wrong


@pytest.mark.parametrize("wrong", [{"learning_rate": 1e30}, {"l1": 1e38}, {"l2": 1e38}], ids=str)
def test_a_loss_that_is_not_finite_stops_training_and_names_epoch_batch_and_culprits(
    few: Dataset, wrong: dict[str, float]
) -> None:
    settings = replace(SHORT, **wrong)
    seen: list[EpochMetrics] = []
    with pytest.raises(Diverged, match="the loss is not finite in epoch ") as error:
        train(few, settings, on_epoch=seen.append)
    assert error.value.epoch == len(seen) + 1
    assert 1 <= error.value.batch <= 6
    (name, value), *_ = wrong.items()
    assert f"{name} ({value})" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_batch_that_diverged_is_named_and_is_the_last_on_the_cpu(
    few: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_on: list[int] = []

    def counting(images: Tensor, *how: Any) -> Tensor:
        trained_on.append(len(images))
        return data.augment(images, *how)

    monkeypatch.setattr(loop, "augment", counting)
    with pytest.raises(Diverged) as error:
        train(few, replace(SHORT, l2=1e38))
    assert (error.value.epoch, error.value.batch) == (1, 1)
    with pytest.raises(Diverged) as error:
        train(few, replace(SHORT, learning_rate=1e30))
    assert error.value.epoch == 1
    rehearsals, first = 2, 1
    assert len(trained_on) == rehearsals + first + error.value.batch


@pytest.mark.parametrize("wrong", [{"learning_rate": 1e30}, {"l2": 1e38}], ids=str)
def test_after_a_divergence_the_network_is_that_of_the_last_complete_epoch(
    few: Dataset, wrong: dict[str, float]
) -> None:
    net = build("none")
    with pytest.raises(Diverged) as error:
        fit(net, few, replace(SHORT, **wrong))
    history = error.value.history
    assert [metrics.epoch for metrics in history] == list(range(1, error.value.epoch))
    untrained = evaluate(build("none"), few.test_images, few.test_labels, few)
    loss = evaluate(net, few.test_images, few.test_labels, few).loss
    assert loss == pytest.approx(history[-1].test_loss if history else untrained.loss)


def test_a_batch_larger_than_the_training_set_is_refused(few: Dataset) -> None:
    with pytest.raises(ValueError, match="batch_size is 201; there are only 200 training images"):
        train(few, replace(SHORT, batch_size=201))
