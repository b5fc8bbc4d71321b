"""Somebody's own layers, as PyTorch's own layers that compute the same."""

from pathlib import Path

import pytest
import torch
from torch import nn

from normstudy import statistics, training
from normstudy.analysis import trained_layers
from normstudy.chapters import statistics as chapter

MODELS = Path(__file__).parents[1] / "checking" / "models"
PARAMETERS = {"groups": 4, "depth": 0, "initialization": "pytorch", "ghost_batch_size": 0, "seed": 0}


def build(name: str, norm_arg: str) -> nn.Module:
    return training.build({**PARAMETERS, "norm_arg": norm_arg, "model": str(MODELS / f"{name}.py")})


@pytest.fixture
def inputs() -> torch.Tensor:
    return torch.randn(20, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["right_by_hand", "right_functional", "right_per_element", "plain"])
def test_each_layer_has_as_many_means_as_the_formula_gives(name: str, inputs: torch.Tensor):
    nets = {norm_arg: build(name, norm_arg) for norm_arg in ("batch", "layer", "group")}
    observed = {norm_arg: trained_layers.observe(net, inputs) for norm_arg, net in nets.items()}
    assert chapter.agree(chapter.network_counts(observed, dict.fromkeys(nets, 4)))


def test_gamma_beta_and_running_statistics_are_read_off(inputs: torch.Tensor):
    net = build("right_by_hand", "batch")
    with torch.no_grad():
        net.norm1.gamma += torch.rand(8, 1, 1)
        net.norm1.beta -= torch.rand(8, 1, 1)
    net.train()(inputs)
    before, after = (trained_layers.observe(net, inputs, training)[0] for training in (False, True))
    gamma, beta = before.module.parameters()
    torch.testing.assert_close(gamma, net.norm1.gamma.flatten().double(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(beta, net.norm1.beta.flatten().double(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(before.module.running_var, net.norm1.variance.double(), atol=1e-4, rtol=1e-3)
    assert before.module.momentum == pytest.approx(0.1, abs=1e-4)
    moved = statistics.update_running(before.module.running_mean, before.module.running_var, before.given)
    torch.testing.assert_close(after.module.running_mean, moved[0], atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(after.module.running_var, moved[1], atol=1e-5, rtol=1e-3)


def test_dropout_is_not_taken_for_company(inputs: torch.Tensor):
    for norm_arg, depends in (("batch", True), ("layer", False)):
        net = build("right_log_softmax", norm_arg)
        answers = trained_layers.company(net, inputs, 0, 8, torch.Generator().manual_seed(0))
        assert ((answers - answers[0]).abs().max() > 1e-4) == depends


def test_no_layer_is_said_to_be_written_as_pytorch_s(inputs: torch.Tensor):
    observed = {name: trained_layers.observe(build("right_by_hand", name), inputs) for name in ("batch", "layer")}
    row = trained_layers.parameter_counts(observed)[0]
    assert list(row) == ["layer", "input C×H×W", "batch: own layer", "layer: own layer", "LayerNorm([C, H, W])"]
