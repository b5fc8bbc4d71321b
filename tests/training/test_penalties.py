"""What the project promises of the penalties: what they cover, how large they are, and what they do to weights."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from normstudy.data import Dataset
from normstudy.training import Settings, l1_penalty, l2_penalty, penalized_weights, penalty
from tests.trainings import SHORT, build, settings, train


def test_the_penalties_cover_the_weights_of_convolution_and_linear_layers_and_nothing_else() -> None:
    net = build("batch")
    covered = {id(weight) for weight in penalized_weights(net)}
    for name, parameter in net.named_parameters():
        assert (id(parameter) in covered) == (parameter.ndim > 1), name


def test_the_penalties_are_the_sums_of_absolute_values_and_of_squares() -> None:
    net = build("group")
    weights = torch.cat([weight.flatten() for weight in penalized_weights(net)])
    torch.testing.assert_close(l1_penalty(net), weights.abs().sum())
    torch.testing.assert_close(l2_penalty(net), (weights**2).sum())


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), (0.01, 0.0), (0.0, 0.02), (0.01, 0.02)])
def test_the_gradient_of_the_penalty_is_l1_times_the_sign_plus_2_l2_times_the_weight(l1: float, l2: float) -> None:
    net = build("batch")
    added = penalty(net, settings(l1=l1, l2=l2))
    if l1 or l2:
        added.backward()
    for parameter in net.parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        expected = l1 * parameter.sign() + 2 * l2 * parameter if parameter.ndim > 1 else torch.zeros_like(parameter)
        torch.testing.assert_close(gradient, expected.detach())


def weights_after(dataset: Dataset, settings: Settings) -> Tensor:
    net, _ = train(dataset, settings)
    return torch.cat([weight.detach().flatten() for weight in penalized_weights(net)])


def test_training_with_l1_makes_weights_sparse_and_with_l2_small(few: Dataset) -> None:
    longer = replace(SHORT, epochs=20)
    plain = weights_after(few, replace(longer, l1=0, l2=0))
    sparse = weights_after(few, replace(longer, l1=0.02, l2=0))
    small = weights_after(few, replace(longer, l1=0, l2=0.02))

    def nearly_zero(weights: Tensor) -> float:
        return (weights.abs() < 0.01).float().mean().item()

    assert nearly_zero(sparse) > 3 * nearly_zero(plain)
    assert small.square().sum() < plain.square().sum() / 3


def test_the_loss_is_reported_without_the_penalty_and_the_penalty_beside_it(few: Dataset) -> None:
    settings = replace(SHORT, epochs=1, learning_rate=1e-9, l1=0.5, l2=0.25)
    net, (metrics,) = train(few, settings)
    assert metrics.train_penalty == pytest.approx(penalty(net, settings).item(), rel=1e-3)
    assert metrics.train_penalty > 50
    assert metrics.train_loss < 5


def test_without_a_penalty_none_is_reported(few: Dataset) -> None:
    _, history = train(few, replace(SHORT, epochs=1, l1=0, l2=0))
    assert history[0].train_penalty == 0
