"""What the project promises of training, on a CUDA device: `make gpu` runs these tests, wherever there is one.

A GPU may add in any order: where numbers are compared with those of another run, it is said how near they must be.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from normstudy import data
from normstudy.data import Dataset
from normstudy.model import Net
from normstudy.normalizations import NORMALIZATIONS
from normstudy.training import Diverged, EpochMetrics, Settings, evaluate, fit, loop, penalty
from tests.trainings import build, settings

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]

DEVICE = "cuda"
SHORT = settings(epochs=3, batch_size=32, easy=1.0, l1=1e-5, l2=1e-4)
STILL = replace(SHORT, learning_rate=1e-9)
"""So small a rate that an epoch's loss depends on the images it saw, and not on the weights of the epoch before."""


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return data.load("digits", DEVICE)


@pytest.fixture
def same_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions that add in one order."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


def train(dataset: Dataset, settings: Settings, norm_arg: str = "batch", **how: Any) -> tuple[Net, list[EpochMetrics]]:
    net = build(norm_arg, DEVICE, seed=settings.seed)
    return net, fit(net, dataset, settings, **how)


def losses(history: list[EpochMetrics]) -> list[list[float]]:
    return [[metrics.train_loss, metrics.train_penalty, metrics.test_loss] for metrics in history]


def weights(net: Net) -> dict[str, torch.Tensor]:
    return {name: tensor.cpu() for name, tensor in net.state_dict().items()}


def test_the_first_weights_and_what_they_make_of_images_are_those_of_the_cpu(digits: Dataset) -> None:
    there, here = build("group", DEVICE), build("group")
    assert all(torch.equal(tensor, here.state_dict()[name]) for name, tensor in weights(there).items())
    on_gpu = evaluate(there, digits.test_images, digits.test_labels, digits)
    on_cpu = evaluate(here, digits.test_images.cpu(), digits.test_labels.cpu(), data.load("digits"))
    assert on_gpu.loss == pytest.approx(on_cpu.loss, rel=1e-2)


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.02), (0.01, 0.02)])
def test_the_gradients_of_the_penalties_are_those_of_the_cpu(l1: float, l2: float) -> None:
    found = []
    for device in (DEVICE, "cpu"):
        net = build("batch", device)
        penalty(net, settings(l1=l1, l2=l2)).backward()
        found.append({name: parameter.grad for name, parameter in net.named_parameters()})
    there, here = found
    for name, gradient in here.items():
        if gradient is None:
            assert there[name] is None
        else:
            torch.testing.assert_close(there[name].cpu(), gradient, rtol=1e-6, atol=0)


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_the_same_seed_draws_the_same_images_and_gives_nearly_the_same_numbers(digits: Dataset, norm_arg: str) -> None:
    (_, still), (_, again) = train(digits, STILL, norm_arg), train(digits, STILL, norm_arg)
    assert losses(still) == [pytest.approx(epoch, rel=1e-5) for epoch in losses(again)]
    (_, one), (_, other) = train(digits, SHORT, norm_arg), train(digits, SHORT, norm_arg)
    assert losses(one) == [pytest.approx(epoch, rel=0.05, abs=0.02) for epoch in losses(other)]
    assert one[-1].train_loss < one[0].train_loss


@pytest.mark.usefixtures("same_kernels")
@pytest.mark.parametrize("easy", [1.0, 0.2])
@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_recorded_steps_give_the_numbers_of_unrecorded_ones_bit_for_bit(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch, norm_arg: str, easy: float
) -> None:
    chosen = replace(SHORT, easy=easy)
    recorded, history = train(digits, chosen, norm_arg)

    def unrecorded(step: Callable[[], None], rehearsal: Callable[[], None], generator: object) -> Callable[[], None]:
        rehearsal()
        return step

    monkeypatch.setattr(loop, "record", unrecorded)
    plain, expected = train(digits, chosen, norm_arg)
    assert losses(history) == losses(expected)
    for name, tensor in weights(plain).items():
        assert torch.equal(weights(recorded)[name], tensor), name


@pytest.mark.usefixtures("same_kernels")
@pytest.mark.parametrize("stopped_after", [1, 2])
def test_a_resumed_run_sees_the_images_of_one_that_never_stopped_and_ends_as_it(
    digits: Dataset, tmp_path: Path, stopped_after: int
) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def stop(metrics: EpochMetrics) -> None:
        if metrics.epoch == stopped_after:
            raise Stop

    for chosen, near in ((STILL, {"rel": 1e-5}), (SHORT, {"rel": 0.05, "abs": 0.02})):
        checkpoint = tmp_path / f"{chosen.learning_rate}.safetensors"
        _, whole = train(digits, chosen)
        with pytest.raises(Stop):
            train(digits, chosen, checkpoint=checkpoint, on_epoch=stop)
        trained: list[EpochMetrics] = []
        _, history = train(digits, chosen, checkpoint=checkpoint, on_epoch=trained.append)
        assert [metrics.epoch for metrics in trained] == list(range(stopped_after + 1, chosen.epochs + 1))
        assert losses(history) == [pytest.approx(epoch, **near) for epoch in losses(whole)]


@pytest.mark.parametrize("wrong", [{"learning_rate": 1e30}, {"l1": 1e38}, {"l2": 1e38}], ids=str)
def test_divergence_ends_training_with_its_epoch_and_leaves_the_network_of_the_epoch_before(
    digits: Dataset, wrong: dict[str, float]
) -> None:
    seen: list[EpochMetrics] = []
    net = build("none", DEVICE)
    with pytest.raises(Diverged, match="the loss is not finite in epoch ") as error:
        fit(net, digits, replace(SHORT, **wrong), on_epoch=seen.append)
    batches = len(digits.train_images) // SHORT.batch_size
    assert error.value.epoch == len(seen) + 1
    assert 1 <= error.value.batch <= batches
    assert error.value.history == seen
    untrained = evaluate(build("none", DEVICE), digits.test_images, digits.test_labels, digits).loss
    loss = evaluate(net, digits.test_images, digits.test_labels, digits).loss
    assert loss == pytest.approx(seen[-1].test_loss if seen else untrained, rel=1e-4)


def test_training_leaves_the_global_generators_as_they_were(digits: Dataset) -> None:
    before = torch.get_rng_state(), torch.cuda.get_rng_state()
    train(digits, replace(SHORT, epochs=1))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert torch.equal(torch.cuda.get_rng_state(), before[1])
