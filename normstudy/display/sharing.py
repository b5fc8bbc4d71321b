"""Pictures of which elements share a mean and a standard deviation, and of what normalization does to them."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from normstudy.display.figures import new_figure
from normstudy.display.notation import decimal, exact
from normstudy.normalizations import NORMALIZATIONS
from normstudy.statistics import count, sharing_sets, statistics

ACROSS = 4  # sheets beside one another

# Okabe & Ito's colours, the strongest first; the darkest are lightened until black writing on them is easy to read.
HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#8C8C8C")


def set_colours(shape: Sequence[int], normalization: str, groups: int = 1) -> list[str]:
    """A colour (#rrggbb) for each set, in the order of `statistics.sharing_sets`; black writing is readable on all.

    Where images are apart, an image has one hue and each of its sets a tone of it; otherwise each set has a hue.
    """
    sets = count(shape, normalization, groups)
    tones = sets // shape[0] if "N" in NORMALIZATIONS[normalization].apart else 1
    return [_tone(HUES[index // tones % len(HUES)], (index % tones + 1) / tones) for index in range(sets)]


def _tone(hue: str, strength: float) -> str:
    share = 0.15 + 0.45 * strength
    red, green, blue = (1 - share + share * value for value in to_rgb(hue))
    return to_hex((red, green, blue))


def members(shape: Sequence[int], normalization: str, groups: int = 1) -> list[str]:
    """Who shares, in words, for each set in the order of `statistics.sharing_sets`; all are counted from 1."""
    apart, wide = NORMALIZATIONS[normalization].apart, shape[1] // groups
    starts = range(1, shape[1] + 1, wide)
    words = {letter: [f"{word} {place + 1}" for place in range(size)] for letter, word, size in zip(
        "NCHW", ("image", "channel", "row", "column"), shape, strict=True
    )}  # fmt: skip
    words["G"] = [f"channels {start}–{start + wide - 1}" for start in starts] if wide > 1 else words["C"]
    rest = [] if "N" in apart else ["all images"]
    rest += [] if {"C", "G"} & set(apart) else ["all channels"]
    return [", ".join([*own, *rest]) for own in itertools.product(*(words[letter] for letter in apart))]


def sharing_figure(x: Tensor, groups: int, names: Sequence[str] = ("batch", "layer", "group")) -> Figure:
    """The sheet of images × channels of x (N, C, H, W), once a normalization: what shares has one colour and one frame.

    Rows are images, columns are channels; batch normalization runs down the sheet, layer and group across it.
    """
    columns = min(len(names), ACROSS)
    rows = -(-len(names) // columns)
    figure, axes = new_figure(2.6 * columns, 2.9 * rows, rows, columns)
    for axis in axes.flat[len(names) :]:
        axis.axis("off")
    for axis, name in zip(axes.flat, names, strict=False):
        colours = set_colours(x.shape, name, groups)
        _sheet(axis, x, sharing_sets(x.shape, name, groups), colours)
        axis.set_title(f"{name}: {len(colours)} sets")
    return figure


def worked_figure(x: Tensor, name: str, groups: int) -> Figure:
    """The sheet of x (N, C, H, W) for one normalization, below each frame its mean and its standard deviation."""
    found, colours = statistics(x, name, groups), set_colours(x.shape, name, groups)
    number, _, height, width = x.shape
    figure, axes = new_figure(2.7, 3.7)
    axis, apart = axes[0, 0], 1.2
    frames = _sheet(axis, x, found.sets, colours, apart)
    for index, (low, high) in frames.items():
        mean, deviation = (decimal(float(of[index]), 2) for of in (found.means, found.standard_deviations))
        narrow = high[0] - low[0] < 2 * width
        text = f"μ {mean}{chr(10) if narrow else '   '}σ {deviation}"
        axis.text((low[0] + high[0]) / 2, high[1] + 0.1, text, ha="center", va="top", fontsize=8, linespacing=1.1)
    axis.set_title(f"{name}: {len(frames)} means, {len(frames)} deviations", fontsize=9)
    axis.xaxis.tick_top()
    axis.xaxis.set_label_position("top")
    axis.set_ylim(number * (height + apart) + 0.9, -0.3)
    return figure


def _sheet(
    axis: Axes, x: Tensor, sets: Tensor, colours: Sequence[str], apart: float = 0.4
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Draw the elements of x, images `apart`; return for each set the corners of its frame, if it has one."""
    number, channels, height, width = x.shape
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    corners: dict[int, list[tuple[float, float]]] = {}
    for (n, c, h, w), value in np.ndenumerate(x.numpy()):
        left, top, index = 1.0 * w + (width + 0.4) * c, 1.0 * h + (height + apart) * n, int(sets[n, c, h, w])
        axis.add_patch(Rectangle((left, top), 1, 1, facecolor=colours[index], edgecolor="white", linewidth=0.5))
        axis.text(left + 0.5, top + 0.5, exact(value), ha="center", va="center", fontsize=8, color="black")
        corners.setdefault(index, []).append((left, top))
    frames = {}
    together = bool((sets == sets[:, :, :1, :1]).all())  # what shares lies together, so that a frame can enclose it
    for index, places in corners.items() if together else ():
        low, high = np.min(places, axis=0) - 0.08, np.max(places, axis=0) + 1.08
        frames[index] = low, high
        axis.add_patch(Rectangle(tuple(low), *(high - low), fill=False, edgecolor="#333333", linewidth=1.2))
    axis.set(xlim=(-0.3, channels * (width + 0.4)), ylim=(number * (height + apart), -0.3), aspect="equal")
    axis.set_xticks([(c + 0.5) * width + 0.4 * c for c in range(channels)], map(str, range(1, channels + 1)))
    axis.set_yticks([(n + 0.5) * height + apart * n for n in range(number)], map(str, range(1, number + 1)))
    axis.set(xlabel="channel", ylabel="image")
    return frames


def before_and_after_figure(table: pd.DataFrame) -> Figure:
    """The mean of each set as a point and its standard deviation as a bar either way, before a layer and after it.

    `table` has a row a set, with `mean before`, `deviation before`, `mean after` and `deviation after`.
    """
    figure, axes = new_figure(5.2, 2.6, columns=2)
    for axis, side, title in zip(axes[0], ("before", "after"), ("what goes in", "what comes out"), strict=True):
        axis.axhline(0, color="#888888", linewidth=0.8)
        means, deviations = table[f"mean {side}"], table[f"deviation {side}"]
        axis.errorbar(range(1, len(table) + 1), means, deviations, fmt="o", color="#33658A", capsize=3)
        axis.set(title=title, xlabel="set of values that share")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.sharey(axes[0, 0]) if axis is not axes[0, 0] else axis.set_ylabel("mean ± standard deviation")
    return figure


def undoing_figure(original: Tensor, steps: Sequence[tuple[float, float, Tensor]]) -> Figure:
    """An image (H, W) and what a normalization layer returns for it with other gammas and betas, on one scale of grey.

    `steps` holds gamma, beta and the returned image (H, W) of each panel.
    """
    figure, axes = new_figure(0.86 * (len(steps) + 1), 1.4, columns=len(steps) + 1)
    everything = [original, *(image for _, _, image in steps)]
    low, high = min(float(image.min()) for image in everything), max(float(image.max()) for image in everything)
    titles = ["original", *(f"γ = {decimal(gamma, 2)}\nβ = {decimal(beta, 2)}" for gamma, beta, _ in steps)]
    for axis, image, title in zip(axes[0], everything, titles, strict=True):
        axis.imshow(image.numpy(), cmap="gray_r", vmin=low, vmax=high, interpolation="none")
        axis.set_title(title, fontsize=8.5)
        axis.axis("off")
    return figure
