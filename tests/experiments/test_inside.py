"""What goes on inside a network: what is looked at, by networks whose numbers are known; `test_single` has the study's.

Of two images alike, one of each class, a linear network's cross-entropy is a bowl over the difference d of its logits.
"""

import copy
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from normstudy.data import Dataset
from normstudy.experiments import inside
from normstudy.model import GhostBatchNorm2d
from normstudy.normalizations import NORMALIZATIONS
from tests.trainings import build

INPUTS, LABELS = torch.ones(2, 1, dtype=torch.float64), torch.tensor([0, 1])
ACTIVATIONS = torch.tensor([[[[0.0, 2.0]], [[10.0, 14.0]]], [[[4.0, 6.0]], [[30.0, 34.0]]]])


@pytest.fixture(scope="module")
def many() -> Dataset:
    """Images of noise, more than are looked at."""
    pixels = torch.randint(0, 256, (300, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    labels = torch.arange(300) % 10
    return Dataset("many", tuple("0123456789"), pixels, labels, pixels[:1], labels[:1], 0.5, 0.3)


@pytest.fixture
def small() -> nn.Module:
    """A small network that keeps running statistics."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 3, 14, 14), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 10))


def bowl(first: float, bias: float) -> nn.Linear:
    """A linear network whose logits differ by first + bias."""
    net = nn.Linear(1, 2).double()
    net.weight.data = torch.tensor([[first], [0.0]], dtype=torch.float64)
    net.bias.data = torch.tensor([bias, 0.0], dtype=torch.float64)
    return net


def loss(d: float) -> float:
    return math.log(2 * math.cosh(d / 2))


def slope(d: float) -> float:
    return math.tanh(d / 2) / 2


def along(d: float, moved: list[float]) -> tuple[float, float]:
    """The largest change of the slope and the range of the loss where d moves to other places."""
    losses = [loss(each) for each in (d, *moved)]
    return max(abs(slope(each) / slope(d) - 1) for each in moved), max(losses) - min(losses)


def same(one: nn.Module, other: nn.Module) -> bool:
    states = (one.state_dict(), other.state_dict())
    return all(torch.equal(states[0][name], states[1][name]) for name in states[0] | states[1])


class TestTheImagesThatAreLookedAtAreTheFirst:
    def changed(self, dataset: Dataset, image: int) -> Dataset:
        images, labels = dataset.train_images.clone(), dataset.train_labels.clone()
        images[image], labels[image] = 255 - images[image], 9 - labels[image]
        return replace(dataset, train_images=images, train_labels=labels)

    def test_as_many_as_there_are_but_no_more_than_are_asked_for(self, many: Dataset, small: nn.Module):
        found = inside.measure(small, many, 0.01)
        assert inside.measure(small, self.changed(many, inside.IMAGES), 0.01) == found
        assert inside.measure(small, self.changed(many, inside.IMAGES - 1), 0.01) != found
        few = replace(many, train_images=many.train_images[:30], train_labels=many.train_labels[:30])
        assert inside.measure(small, self.changed(few, 29), 0.01) != inside.measure(small, few, 0.01)

    def test_as_many_as_make_whole_parts_where_statistics_are_those_of_some(self, many: Dataset, small: nn.Module):
        small[1] = GhostBatchNorm2d(3, images=100)
        found = inside.measure(small, many, 0.01)
        assert inside.measure(small, self.changed(many, 200), 0.01) == found
        assert inside.measure(small, self.changed(many, 199), 0.01) != found


def test_a_network_is_looked_at_in_training_mode_and_left_as_it_was(many: Dataset, small: nn.Module):
    small[1].running_mean.fill_(3)
    before = copy.deepcopy(small)
    found = inside.measure(small.eval(), many, 0.01)
    assert not any(module.training for module in small.modules())
    assert found == inside.measure(small.train(), many, 0.01)
    assert all(module.training for module in small.modules())
    assert same(small, before)
    assert all(parameter.grad is None for parameter in small.parameters())
    assert found["returned_mean"] == pytest.approx([0], abs=1e-5), "the batch's statistics, not those it keeps"


def test_everything_has_a_name_of_its_own(many: Dataset, small: nn.Module):
    sides = [
        f"{side}_{what}" for side in ("given", "returned") for what in ("mean", "sd", "channel_mean", "channel_sd")
    ]
    parameters = ["gamma_mean", "gamma_sd", "beta_mean", "beta_sd"]
    lengths = ["gradient_norm", "gradient_change", "loss_range", "relative_norm", "relative_change", "relative_range"]
    found = inside.measure(small, many, 0.01)
    assert list(found) == sides + parameters + lengths
    assert all(len(found[name]) == 1 for name in sides + parameters)
    assert all(found[name] > 0 for name in lengths)


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_a_network_s_normalization_layers_come_in_order_and_are_identities_without(norm_arg: str):
    found = inside.normalization_layers(build(norm_arg))
    assert list(found) == [f"features.{block}.1" for block in (0, 1, 2, 4, 5)]
    assert all(isinstance(layer, nn.Identity) for layer in found.values()) == (norm_arg == "none")


def test_of_what_goes_in_and_comes_out_there_are_mean_and_standard_deviation_also_of_each_channel():
    net = nn.Sequential(nn.Identity(), nn.GroupNorm(2, 2))
    found = inside.activations(net, ACTIVATIONS)
    assert found["given_mean"] == [12.5, 12.5]
    assert found["given_sd"] == pytest.approx([ACTIVATIONS.std().item()] * 2)
    assert found["given_channel_mean"] == [[3, 22]] * 2
    assert found["given_channel_sd"] == [pytest.approx([math.sqrt(20 / 3), math.sqrt(416 / 3)])] * 2
    assert found["returned_mean"] == pytest.approx([12.5, 0], abs=1e-5)
    assert found["returned_channel_mean"] == [[3, 22], pytest.approx([0, 0], abs=1e-5)]
    assert found["returned_channel_sd"][1] == pytest.approx([math.sqrt(4 / 3)] * 2, abs=1e-4)
    assert found["returned_sd"][1] == pytest.approx(math.sqrt(8 / 7), abs=1e-4)


def test_nothing_stays_behind_in_a_network_whose_activations_were_noted():
    net = nn.Sequential(nn.Identity())
    found = inside.activations(net, ACTIVATIONS)
    net(2 * ACTIVATIONS)
    assert found["given_mean"] == [12.5]


def test_without_normalization_layers_there_is_nothing_to_note():
    assert inside.activations(nn.Sequential(nn.ReLU()), ACTIVATIONS) == {}


def test_gamma_and_beta_have_mean_and_standard_deviation_over_their_channels():
    net = nn.Sequential(nn.BatchNorm2d(2), nn.Identity(), nn.GroupNorm(1, 2))
    for layer, gamma, beta in ((net[0], [1.0, 3.0], [0.0, -2.0]), (net[2], [5.0, 5.0], [0.5, 0.5])):
        layer.weight.data, layer.bias.data = torch.tensor(gamma), torch.tensor(beta)
    found = inside.gamma_and_beta(net)
    assert (found["gamma_mean"], found["beta_mean"]) == ([2, 5], [-1, 0.5])
    assert found["gamma_sd"] == found["beta_sd"] == pytest.approx([math.sqrt(2), 0])


def test_where_there_is_no_gamma_and_beta_there_are_none():
    found = inside.gamma_and_beta(nn.Sequential(nn.Conv2d(1, 1, 1), nn.Identity()))
    assert found == dict.fromkeys(("gamma_mean", "gamma_sd", "beta_mean", "beta_sd"))


@given(st.floats(0.5, 2), st.floats(0, 2), st.floats(0.1, 8))
def test_along_the_gradient_all_parameters_move_by_one_half_to_four_learning_rates(
    first: float, bias: float, learning_rate: float
):
    net, d = bowl(first, bias), first + bias
    found = inside.smoothness(net, INPUTS, LABELS, learning_rate)
    change, spread = along(d, [d - 4 * learning_rate * step * slope(d) for step in (0.5, 1, 2, 4)])
    assert found == pytest.approx({"gradient_norm": 2 * slope(d), "gradient_change": change, "loss_range": spread})


@given(st.floats(0.5, 2), st.floats(0, 2))
def test_relative_steps_move_the_weights_alone_by_shares_of_their_norm(first: float, bias: float):
    net, d = bowl(first, bias), first + bias
    found = inside.relative_smoothness(net, INPUTS, LABELS)
    change, spread = along(d, [d - math.sqrt(2) * first * share for share in (0.003, 0.01, 0.03)])
    norm = first * math.sqrt(2) * slope(d)
    assert found == pytest.approx({"relative_norm": norm, "relative_change": change, "relative_range": spread})


class Wave(nn.Module):
    """Its logits differ by the sine of its one parameter, which begins at 1."""

    def __init__(self):
        super().__init__()
        self.angle = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.cat([self.angle.sin() * inputs, 0 * inputs], dim=1)


def test_the_largest_change_counts_though_the_longest_step_may_have_a_smaller_one():
    def steepness(angle: float) -> float:
        return slope(math.sin(angle)) * math.cos(angle)

    moved = [1 - 20 * step * steepness(1) for step in (0.5, 1, 2, 4)]
    changes = [abs(steepness(angle) / steepness(1) - 1) for angle in moved]
    assert inside.smoothness(Wave(), INPUTS, LABELS, 20)["gradient_change"] == pytest.approx(max(changes))
    assert max(changes) > 1.1 * changes[-1]


def test_without_a_step_nothing_changes():
    found = inside.smoothness(bowl(1, 1), INPUTS, LABELS, 0.0)
    assert (found["gradient_change"], found["loss_range"]) == (0, 0)


def test_after_all_steps_the_weights_are_what_they_were_to_the_last_bit():
    net = bowl(1 / 3, 1 / 7)
    before = copy.deepcopy(net)
    inside.smoothness(net, INPUTS, LABELS, 0.1)
    inside.relative_smoothness(net, INPUTS, LABELS)
    assert same(net, before)


def test_relative_steps_know_convolutions_and_linear_layers_but_no_gamma():
    net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 2)).double().eval()
    inputs: Tensor = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64).view(3, 1, 1, 1)
    labels = torch.tensor([0, 1, 1])
    nn.functional.cross_entropy(net(inputs), labels).backward()
    parts = [(layer.weight.norm() * layer.weight.grad).flatten() for layer in (net[0], net[3])]
    found = inside.relative_smoothness(net, inputs, labels)
    assert found["relative_norm"] == pytest.approx(torch.cat(parts).norm().item())
