"""Networks and settings for short trainings: the study's defaults, but for what a test says."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from normstudy import training
from normstudy.data import Dataset
from normstudy.experiments import parameters
from normstudy.model import Net
from normstudy.training import EpochMetrics, Settings

DEFAULTS = parameters.defaults(Path(__file__).parents[1] / "report" / "notebooks" / "variant.ipynb")


def settings(**changes: Any) -> Settings:
    """The defaults of a variant's notebook, with changes."""
    return Settings.of(DEFAULTS | changes)


def build(norm_arg: str, device: str = "cpu", **changes: Any) -> Net:
    """A new network with this normalization, of the defaults of a variant's notebook, with changes."""
    return training.build(DEFAULTS | {"norm_arg": norm_arg} | changes, device)


SHORT = settings(epochs=3, batch_size=32, easy=1.0, l1=1e-5, l2=1e-4)


def train(dataset: Dataset, settings: Settings, norm_arg: str = "batch", **how: Any) -> tuple[Net, list[EpochMetrics]]:
    """A new network, trained, and its history."""
    net = build(norm_arg, seed=settings.seed)
    return net, training.fit(net, dataset, settings, **how)


def untimed(history: list[EpochMetrics]) -> list[EpochMetrics]:
    """What must be the same again."""
    return [replace(metrics, seconds=0.0) for metrics in history]


def assert_same_weights(one: nn.Module, other: nn.Module) -> None:
    """Bit for bit."""
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
