"""What a network's layers computed, read off them, is what the formula says; only batch looks at the company."""

import pytest
import torch

from normstudy import statistics
from normstudy.analysis import trained_layers
from tests.trainings import build

NORM_ARGS = ("batch", "layer", "group", "instance")


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("norm_arg", NORM_ARGS)
def test_every_layer_used_the_number_of_statistics_that_the_formula_gives(norm_arg: str, inputs: torch.Tensor):
    layers = trained_layers.observe(build(norm_arg), inputs)
    assert len(layers) >= 4
    for layer in layers:
        assert trained_layers.distinct(layer) == statistics.count(layer.given.shape, norm_arg, 4)


@pytest.mark.parametrize("norm_arg", NORM_ARGS)
def test_measured_statistics_are_those_of_the_formula(norm_arg: str, inputs: torch.Tensor):
    for layer in trained_layers.observe(build(norm_arg), inputs):
        found = statistics.statistics(layer.given, norm_arg, 4)
        mean, deviation = trained_layers.measured(layer)
        sets = found.sets[:, :, 0, 0]
        torch.testing.assert_close(mean, found.means[sets], atol=1e-9, rtol=1e-9)
        torch.testing.assert_close(deviation, found.standard_deviations[sets], atol=1e-9, rtol=1e-9)


def test_a_channel_without_signal_cannot_be_read(inputs: torch.Tensor):
    net = build("batch")
    with torch.no_grad():
        next(module for module in net.modules() if isinstance(module, torch.nn.Conv2d)).weight[0] = 0
    layer = trained_layers.observe(net, inputs)[0]
    assert trained_layers.measured(layer)[0][:, 0].isnan().all()
    assert trained_layers.distinct(layer) == statistics.count(layer.given.shape, "batch", 4) - 1


def test_observing_leaves_the_network_as_it_was(inputs: torch.Tensor):
    net = build("batch")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    trained_layers.observe(net, inputs)
    trained_layers.company(net, inputs, 0, 3, torch.Generator())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize(
    ("norm_arg", "depends"), [("batch", True), ("layer", False), ("group", False), ("instance", False)]
)
def test_only_batch_normalization_looks_at_the_company(norm_arg: str, depends: bool, inputs: torch.Tensor):
    answers = trained_layers.company(build(norm_arg), inputs, 0, 8, torch.Generator().manual_seed(0))
    assert answers.sum(dim=1) == pytest.approx(torch.ones(8))
    assert ((answers - answers[0]).abs().max() > 1e-4) == depends


def test_the_networks_layers_have_gamma_and_beta_for_each_channel_and_pytorchs_layer_norm_for_each_value():
    nets = {name: build(name) for name in ("batch", "layer", "group")}
    images = torch.zeros(2, 1, 28, 28)
    rows = trained_layers.parameter_counts({name: trained_layers.observe(net, images) for name, net in nets.items()})
    own = ("batch: BatchNorm2d(C)", "layer: GroupNorm(1, C)", "group: GroupNorm(G, C)")
    assert [rows[0][name] for name in own] == [2 * 8] * 3
    assert rows[0]["LayerNorm([C, H, W])"] == 2 * 8 * 14 * 14
    assert rows[-1]["layer"] == "all"
