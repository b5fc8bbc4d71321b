"""Gamma and beta: how much of what layer normalization takes from an image they can give back."""

from dataclasses import dataclass

import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from normstudy import statistics
from normstudy.analysis.trained_layers import Layer
from normstudy.display import sharing
from normstudy.display.notation import decimal, significant


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


def undoing(undone: Undone) -> tuple[Figure, str]:
    """The image as the layer receives it, fully normalized, and back to the original; and the text alternative."""
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


def numbers(undone: Undone) -> dict[str, str]:
    """The numbers of gamma and beta, as they are printed."""
    return {
        "mean": decimal(undone.mean, 4),
        "deviation": decimal(undone.deviation, 4),
        "gap": significant(undone.gap, 1),
        "other_deviation": decimal(undone.other_deviation, 4),
        "other_gap": significant(undone.other_gap),
    }
