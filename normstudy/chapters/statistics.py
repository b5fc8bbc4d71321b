"""The chapter of the statistics: the worked example, and what the layers of trained networks compute."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from normstudy import statistics
from normstudy.analysis import pytorch_layers, trained_layers
from normstudy.analysis.trained_layers import COMPANY, Layer
from normstudy.data import Dataset
from normstudy.display import sharing
from normstudy.display.notation import count, counted, decimal, listed, percent, significant
from normstudy.model import count_parameters
from normstudy.normalizations import NORMALIZATIONS

GROUPS = 2
"""G of the worked example."""

UNSURE, TIMES = 20, 50
"""How many test images are asked about in company, and how often each."""

ROUNDING = 1e-5
"""Probabilities that differ by less do so by the rounding of float32."""

Shown = tuple[Figure, str]
"""A figure and its text alternative."""


def example(seed: int) -> Tensor:
    """The worked example: four images of 2×2 pixels with four channels, (4, 4, 2, 2), of whole numbers from 0 to 9."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 10, (4, 4, 2, 2), generator=generator).double()


def pixels(x: Tensor) -> pd.DataFrame:
    """The sheet of x (N, C, H, W), a row an image, a column a channel, as it is written down."""

    def written(channel: Tensor) -> str:
        return " / ".join(" ".join(f"{value:.0f}" for value in row) for row in channel)

    return pd.DataFrame(
        [
            {"image": n} | {f"channel {c}": written(channel) for c, channel in enumerate(image, 1)}
            for n, image in enumerate(x, 1)
        ]
    )


def counts(x: Tensor, groups: int) -> pd.DataFrame:
    """How many means and standard deviations each normalization has, by the formula and for x (N, C, H, W)."""
    return pd.DataFrame(
        [
            {
                "normalization": name,
                "means": about.count if about.centred else "none",
                "standard deviations": about.count if about.centred else f"{about.count} (root mean squares)",
                "here": statistics.count(x.shape, name, groups),
                "values that share": statistics.statistics(x, name, groups).size,
            }
            for name, about in NORMALIZATIONS.items()
            if about.count
        ]
    )


def sheet(x: Tensor, name: str, groups: int) -> Shown:
    """The coloured sheet of one normalization, with the mean and the standard deviation of each set."""
    found = statistics.statistics(x, name, groups)
    each = [
        f"{who}: {decimal(float(mean), 2)} and {decimal(float(deviation), 2)}"
        for who, mean, deviation in zip(
            sharing.members(x.shape, name, groups), found.means, found.standard_deviations, strict=True
        )
    ]
    return sharing.worked_figure(x, name, groups), (
        f"The sheet of {x.shape[0]} images (rows) with {x.shape[1]} channels (columns) of {x.shape[2]}×{x.shape[3]} "
        f"pixels for {name} normalization: {counted(len(each), 'frame')}, each with its mean and its standard "
        f"deviation. {'; '.join(each)}."
    )


def worked(x: Tensor, name: str, groups: int) -> pd.DataFrame:
    """Every sum, mean, variance and standard deviation of x, a row a set."""
    found = statistics.statistics(x, name, groups)
    return pd.DataFrame(
        {
            "who shares": sharing.members(x.shape, name, groups),
            "m": found.size,
            "Σx": found.sums.int().tolist(),
            "μ = Σx/m": found.means.tolist(),
            "Σ(x−μ)²": (found.variances * found.size).tolist(),
            "v": found.variances.tolist(),
            "σ = √(v+ε)": found.standard_deviations.tolist(),
        }
    )


def normalized(x: Tensor, names: Sequence[str], groups: int) -> pd.DataFrame:
    """Every pixel of x, and what it is normalized to, in full."""
    results = {name: statistics.normalize(x, name, groups) for name in names}
    return pd.DataFrame(
        [
            dict(zip(("image", "channel", "row", "column"), (place + 1 for place in places), strict=True))
            | {"pixel": int(value)}
            | {name: float(result[places]) for name, result in results.items()}
            for places, value in np.ndenumerate(x.numpy())
        ]
    )


def in_rows(table: pd.DataFrame) -> pd.DataFrame:
    """`normalized` with a row an image and channel, as it is printed."""
    printed = table.assign(
        pixel=table["pixel"].astype(str),
        **{name: table[name].map(lambda value: decimal(value, 2, sign=True)) for name in table.columns[5:]},
    )
    rows = printed.groupby(["image", "channel"], as_index=False).agg(
        dict.fromkeys(["pixel", *table.columns[5:]], " ".join)
    )
    return rows.rename(columns={"pixel": "pixels"})


def one_pixel(x: Tensor, names: Sequence[str], groups: int) -> dict[str, Any]:
    """The calculation of the first pixel, for each normalization: its numbers as they are printed."""
    numbers: dict[str, Any] = {"pixel": f"{x[0, 0, 0, 0]:.0f}"}
    for name in names:
        found = statistics.statistics(x, name, groups)
        index = int(found.sets[0, 0, 0, 0])
        result = statistics.normalize(x, name, groups)[0, 0, 0, 0]
        of = {"mean": found.means[index], "variance": found.variances[index]}
        of |= {"deviation": found.standard_deviations[index], "normalized": result}
        numbers[name] = {
            "who": sharing.members(x.shape, name, groups)[index],
            "size": found.size,
            "values": " + ".join(f"{value:.0f}" for value in x[found.sets == index]),
            "sum": f"{found.sums[index]:.0f}",
            "squares": decimal(float(found.variances[index]) * found.size, 4),
            **{what: decimal(float(value), 4) for what, value in of.items()},
        }
    return numbers


def pytorch() -> pd.DataFrame:
    """PyTorch's own layers, a row each, by what they were found to do."""
    rows = [{"layer": name} | pytorch_layers.describe(layer) for name, layer in pytorch_layers.layers().items()]
    titles = {"statistics": "in training", "evaluation": "in evaluation", "gamma": "gammas", "beta": "betas"}
    return pd.DataFrame(rows)[["layer", "statistics", "gamma", "beta", "evaluation"]].rename(columns=titles)


def network_counts(observed: Mapping[str, Sequence[Layer]], groups: Mapping[str, int]) -> pd.DataFrame:
    """How many means each layer has by the formula, and how many were measured, a row a layer; variant → layers."""
    rows = []
    for number, layers in enumerate(zip(*observed.values(), strict=False), 1):
        row: dict[str, Any] = {"layer": number, "input N×C×H×W": "×".join(map(str, layers[0].given.shape))}
        for name, layer in zip(observed, layers, strict=True):
            formula = NORMALIZATIONS[name].count
            row[f"{name}: {formula}"] = trained_layers.expected(layer, name, groups[name])
            row[f"{name}: measured"] = trained_layers.distinct(layer)
        rows.append(row)
    return pd.DataFrame(rows)


def agree(table: pd.DataFrame) -> bool:
    """Whether as many were measured everywhere as the formula gives."""
    columns = [table[name].tolist() for name in table.columns[2:]]
    return columns[::2] == columns[1::2]


def silent(observed: Mapping[str, Sequence[Layer]]) -> list[str]:
    """The channels whose input is the same everywhere, so that nothing can be read off it, in words."""
    return [
        f"{int(lost)} of {layer.given.shape[1]} channels in layer {number} of the {name} variant"
        for name, layers in observed.items()
        for number, layer in enumerate(layers, 1)
        if (lost := trained_layers.measured(layer)[0].isnan().all(dim=0).sum())
    ]


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


@dataclass(frozen=True)
class Undone:
    """What layer normalization takes from an image, and what gamma and beta give back.

    Attributes:
        mean, deviation: μ and σ of the image.
        channel: of the image that is shown, (H, W), counted from 0.
        original: it.
        steps: gamma, beta and what is returned with them, from fully normalized to the original.
        gap: the largest difference of what comes back with γ = σ and β = μ.
        other_deviation, other_gap: σ of another image, and the difference with the same γ and β.
    """

    mean: float
    deviation: float
    channel: int
    original: Tensor
    steps: list[tuple[float, float, Tensor]]
    gap: float
    other_deviation: float
    other_gap: float


def undo(layer: Layer) -> Undone:
    """Normalize the first image of a batch, and undo it with gamma and beta in three steps; then try the second."""
    image, other = layer.given[:1], layer.given[1:2]
    found, of_other = statistics.statistics(image, "layer"), statistics.statistics(other, "layer")
    mean, deviation = found.means[0], found.standard_deviations[0]
    channel = int((image[0].amax(dim=(1, 2)) - image[0].amin(dim=(1, 2))).argmax())

    def returned(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        channels = x.shape[1]
        return statistics.normalize(x, "layer", gamma=gamma.expand(channels), beta=beta.expand(channels))[0]

    shades = [(1 + part * (deviation - 1), part * mean) for part in (0.0, 1 / 3, 2 / 3, 1.0)]
    steps = [(float(gamma), float(beta), returned(image, gamma, beta)[channel]) for gamma, beta in shades]
    return Undone(
        mean=float(mean),
        deviation=float(deviation),
        channel=channel,
        original=image[0, channel],
        steps=steps,
        gap=float((steps[-1][2] - image[0, channel]).abs().max()),
        other_deviation=float(of_other.standard_deviations[0]),
        other_gap=float((returned(other, deviation, mean) - other[0]).abs().max()),
    )


def undoing(undone: Undone) -> Shown:
    """The image as the layer receives it, fully normalized, and back to the original."""
    return sharing.undoing_figure(undone.original, undone.steps), (
        f"A digit as channel {undone.channel + 1} of the second normalization layer of the layer variant receives it, "
        "and what the layer returns: from fully normalized (gamma 1, beta 0) in three steps back to the original, at "
        f"gamma = {decimal(undone.deviation, 2)}, the standard deviation, and beta = {decimal(undone.mean, 2)}, the "
        "mean."
    )


def returned_pixels(undone: Undone) -> pd.DataFrame:
    """The pixels of the images of `undoing`, a column an image."""
    steps = {f"gamma {gamma:.4f}, beta {beta:.4f}": image.flatten() for gamma, beta, image in undone.steps}
    return pd.DataFrame({"original": undone.original.flatten()} | steps)


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


def numbers_of_undoing(undone: Undone) -> dict[str, str]:
    """The numbers of gamma and beta, as they are printed."""
    return {
        "mean": decimal(undone.mean, 4),
        "deviation": decimal(undone.deviation, 4),
        "gap": significant(undone.gap, 1),
        "other_deviation": decimal(undone.other_deviation, 4),
        "other_gap": significant(undone.other_gap),
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
