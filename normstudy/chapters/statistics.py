"""The chapter of the statistics: what the layers of trained networks compute, in training and in evaluation."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from normstudy import statistics
from normstudy.analysis import trained_layers
from normstudy.analysis.trained_layers import COMPANY, Layer
from normstudy.chapters.gamma_and_beta import Undone
from normstudy.data import Dataset
from normstudy.display.notation import count, decimal, listed, percent, significant
from normstudy.model import count_parameters
from normstudy.normalizations import NORMALIZATIONS

UNSURE, TIMES = 20, 50
"""How many test images are asked about in company, and how often each."""

ROUNDING = 1e-5
"""Probabilities that differ by less do so by the rounding of float32."""


def network_counts(observed: Mapping[str, Sequence[Layer]], groups: Mapping[str, int]) -> pd.DataFrame:
    """How many means each layer has by the formula, and how many were measured, a row a layer; variant → layers."""
    rows = []
    for number, layers in enumerate(zip(*observed.values(), strict=False), 1):
        row: dict[str, Any] = {"layer": number, "input N×C×H×W": "×".join(map(str, layers[0].given.shape))}
        for name, layer in zip(observed, layers, strict=True):
            formula = NORMALIZATIONS[name].count
            row[f"{name}: {formula}"] = statistics.count(layer.given.shape, name, groups[name])
            row[f"{name}: measured"] = trained_layers.distinct(layer)
        rows.append(row)
    return pd.DataFrame(rows)


def agree(table: pd.DataFrame) -> bool:
    """Whether as many were measured everywhere as the formula gives."""
    columns = [table[name].tolist() for name in table.columns[2:]]
    return columns[::2] == columns[1::2]


def silent(observed: Mapping[str, Sequence[Layer]]) -> list[str]:
    """The channels whose input is the same everywhere, so that nothing can be read off it, in words."""
    found = {
        name: [
            f"{int(lost)} of {layer.given.shape[1]} channels in layer {number}"
            for number, layer in enumerate(layers, 1)
            if (lost := trained_layers.measured(layer)[0].isnan().all(dim=0).sum())
        ]
        for name, layers in observed.items()
    }
    return [f"in the {name} variant {listed(lost)}" for name, lost in found.items() if lost]


def running(layer: Layer, before: nn.BatchNorm2d) -> pd.DataFrame:
    """Statistics of a batch beside the running ones that batch normalization had `before` it, a row a channel."""
    assert before.running_mean is not None
    assert before.running_var is not None
    found = statistics.statistics(layer.given, "batch")
    return pd.DataFrame(
        {
            "channel": range(1, len(found.means) + 1),
            "mean of this batch": found.means,
            "running mean": before.running_mean.double(),
            "biased variance of this batch": found.variances,
            "unbiased": found.variances * found.size / (found.size - 1),
            "running variance": before.running_var.double(),
        }
    )


@dataclass(frozen=True)
class Step:
    """How far PyTorch's running statistics, moved by a batch, are from those computed here: the largest difference.

    `biased_gap` is what it would be with the biased variance, `size` is m, the number of values that share.
    """

    gap: float
    biased_gap: float
    size: int
    momentum: float


def running_step(layer: Layer, before: nn.BatchNorm2d) -> Step:
    """Move the running statistics that were there `before` a batch as the layer has moved its own."""
    assert isinstance(layer.module, nn.BatchNorm2d)
    assert before.running_mean is not None
    assert before.running_var is not None
    was_mean, was_variance, momentum = before.running_mean.double(), before.running_var.double(), before.momentum or 0.0
    mean, variance = statistics.update_running(was_mean, was_variance, layer.given, momentum)
    found = statistics.statistics(layer.given, "batch")
    biased = (1 - momentum) * was_variance + momentum * found.variances

    def gap(one: Tensor, other: Tensor | None) -> float:
        return float((one - other).abs().max()) if other is not None else math.nan

    largest = max(gap(mean, layer.module.running_mean), gap(variance, layer.module.running_var))
    return Step(largest, gap(biased, layer.module.running_var), found.size, momentum)


@dataclass(frozen=True)
class Asked:
    """A test image, and what a network says of it in company: how often each class, the most frequent first."""

    index: int
    answers: dict[int, int]


def most_varied(net: nn.Module, test: Tensor, predictions: pd.DataFrame, seed: int) -> Asked:
    """Of the images of which a network is least sure, the first one with the most different answers in training mode.

    Args:
        net: a network with batch normalization.
        test: the test images as it takes them, (N, 1, H, W).
        predictions: what it says of them in evaluation mode.
        seed: draws the company.
    """
    generator = torch.Generator().manual_seed(seed)
    best: Asked | None = None
    for index in map(int, predictions.sort_values("confidence").index[:UNSURE]):
        said = trained_layers.company(net, test, index, TIMES, generator).argmax(dim=1)
        if best is None or len(said.unique()) > len(best.answers):  # type: ignore[no-untyped-call]
            votes = said.bincount()
            order = votes.argsort(descending=True, stable=True)
            best = Asked(index, {int(answer): int(votes[answer]) for answer in order if votes[answer]})
    assert best is not None
    return best


def variation(nets: Mapping[str, nn.Module], test: Tensor, index: int, times: int, seed: int) -> dict[str, float]:
    """How far the probabilities that networks give for an image vary with its company: variant → largest difference."""
    found = {}
    for name, net in nets.items():
        said = trained_layers.company(net, test, index, times, torch.Generator().manual_seed(seed))
        found[name] = float((said - said[0]).abs().max())
    return found


def numbers_of_network(observed: Mapping[str, Sequence[Layer]]) -> dict[str, str]:
    """What was measured in the trained networks, as it is printed."""
    layers = [layer for of_net in observed.values() for layer in of_net]
    return {
        "layers": count(len(layers)),
        "batch_size": count(len(layers[0].given)),
        "silent": listed(silent(observed)),
    }


def numbers_of_step(step: Step) -> dict[str, str]:
    """The numbers of a step of the running statistics, as they are printed."""
    return {
        "gap": significant(step.gap, 1),
        "biased_gap": significant(step.biased_gap, 1),
        "size": count(step.size),
        "factor": decimal(step.size / (step.size - 1), 6),
        "momentum": significant(step.momentum, 1),
    }


def numbers_of_company(
    asked: Asked, alone: Tensor, others: Mapping[str, float], times: int, dataset: Dataset
) -> dict[str, str]:
    """The numbers of an image in company, as they are printed; `alone` are the probabilities (K,) in evaluation."""
    answers = [f"“{dataset.classes[answer]}” in {count(number)}" for answer, number in asked.answers.items()]
    return {
        "image": count(asked.index),
        "true": dataset.classes[int(dataset.test_labels[asked.index])],
        "answers": listed(answers),
        "alone": dataset.classes[int(alone.argmax())],
        "confidence": percent(float(alone.max()), 0),
        "candidates": count(UNSURE),
        "times": count(TIMES),
        "others": count(COMPANY),
        "asked_others": count(times),
        "largest": significant(max(others.values()), 1),
    }


def totals(nets: Mapping[str, nn.Module]) -> dict[str, str]:
    """How many parameters each variant has, as it is printed."""
    return {name: count(count_parameters(net)) for name, net in nets.items()}


def counted_right(table: pd.DataFrame, quiet: Sequence[str]) -> bool | None:
    """Whether each layer has as many statistics as the formula gives, from `network_counts`.

    It is left open where fewer were measured and channels are `silent`.
    """
    return True if agree(table) else None if quiet else False


def claims(
    right: bool | None, step: Step, asked: Asked, others: Mapping[str, float], undone: Undone, nets: Mapping[str, Any]
) -> dict[str, bool | None]:
    """What the section says, true or not.

    `counts`: each layer is `counted_right`. `unbiased`: running variances take up the unbiased variance. `company`: an
    image's result depends on its company in the batch variant; `alone`: it does not in the others. `undone`: gamma and
    beta give one image back and not the other. `parameters`: the variants have the same number.
    """
    return {
        "counts": right,
        "unbiased": step.gap < step.biased_gap,
        "company": len(asked.answers) > 1,
        "alone": max(others.values()) < ROUNDING,
        "undone": undone.gap < ROUNDING < undone.other_gap,
        "parameters": len(set(totals(nets).values())) == 1,
    }
