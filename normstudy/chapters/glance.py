"""At a glance: who shares, and what depth does; with the numbers and the claim that the report begins with."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from normstudy.analysis import bootstrap
from normstudy.analysis.bootstrap import Resampled
from normstudy.chapters.claims import Holds, overall
from normstudy.display import lines
from normstudy.display.estimates import accuracy
from normstudy.display.figures import new_figure
from normstudy.display.notation import count, listed
from normstudy.experiments.parameters import VARIANTS
from normstudy.normalizations import NORMALIZATIONS
from normstudy.statistics import sharing_sets

IMAGES, CHANNELS, GROUPS = 4, 6, 2
"""Of the sheet that is drawn."""


def accuracies(table: pd.DataFrame) -> pd.DataFrame:
    """Of `trainability.accuracies`, those from PyTorch's initialization."""
    found = table[table["initialization"] == "pytorch"]
    return found.drop(columns=["initialization", "loss", "p"]).reset_index(drop=True)


def leads(resampled: Resampled) -> pd.DataFrame:
    """With the most blocks, how far each normalization is ahead of none (see `bootstrap.contrasts`)."""
    settings = resampled.found.index
    deepest = settings.unique("depth").max()
    names = settings.unique("normalization").drop("none")
    sums = [{("pytorch", name, deepest): 1, ("pytorch", "none", deepest): -1} for name in names]
    return pd.DataFrame({"normalization": names}).join(bootstrap.contrasts(resampled, sums))


def sharing() -> Figure:
    """A sheet of images × channels for each variant: what has one shade shares a mean and a standard deviation."""
    figure, axes = new_figure(4.1, 2.2, columns=len(VARIANTS))
    for axis, name in zip(axes[0], VARIANTS, strict=True):
        _sheet(axis, name)
    return figure


def _sheet(axis: Axes, name: str) -> None:
    sets = sharing_sets((IMAGES, CHANNELS, 1, 1), name, GROUPS)[..., 0, 0].numpy()
    borders = [np.diff(sets, axis=axis, prepend=sets.take([0], axis)) != 0 for axis in (0, 1)]
    shades = np.array([0.35, 0.85])[
        sum(each.cumsum(axis) for axis, each in enumerate(borders)) % 2
    ]  # neighbours differ
    colour = np.array([int(NORMALIZATIONS[name].colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    axis.imshow(1 - shades[..., None] * (1 - colour), interpolation="none")
    axis.set_xticks(np.arange(CHANNELS + 1) - 0.5, [])
    axis.set_yticks(np.arange(IMAGES + 1) - 0.5, [])
    axis.grid(color="white", linewidth=1, alpha=1)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(f"{name}: {NORMALIZATIONS[name].count}", fontsize=11)
    axis.set_xlabel("channels")
    if name == VARIANTS[0]:
        axis.set_ylabel("images")


def describe_sharing() -> str:
    """The sheets in words."""
    said = "; ".join(
        f"{name} normalization has {NORMALIZATIONS[name].count}, {NORMALIZATIONS[name].idea}" for name in VARIANTS
    )
    return f"Three sheets of N images in rows and C channels in columns, coloured by who shares: {said}."


def depths(table: pd.DataFrame) -> Figure:
    """Accuracy against the number of more blocks; `table` is that of `accuracies`."""
    figure, axes = new_figure(4.1, 2.3)
    axis: Axes = axes[0, 0]
    found = sorted(table["depth"].unique())
    lines.draw(axis, table.assign(place=table["depth"].map(found.index)), "place", spread=0.06)
    axis.set_xticks(range(len(found)), found)
    axis.set_ylim(0, 102)
    axis.set_xlabel("More blocks than the study's network has")
    axis.set_ylabel("Test accuracy (%)")
    axis.legend(loc="lower left")
    return figure


def describe_depths(table: pd.DataFrame) -> str:
    """The figure in words."""
    return f"Mean test accuracy in percent by the number of more blocks: {lines.in_words(table, 'depth', 1)}."


def numbers(table: pd.DataFrame) -> dict[str, Any]:
    """What the first page says of the deepest networks in `trainability.accuracies`, for each initialization.

    In how many seeds those of `none` train, and the `others`, from the fewest to the most; and their mean accuracies,
    `none_mean` and `other_means`.
    """
    said: dict[str, Any] = {"deepest": count(int(table["depth"].max()))}
    deep = table[table["depth"] == table["depth"].max()]
    for kind, part in deep.groupby("initialization", observed=True):
        rows = part.set_index("normalization")
        means, trained = rows["mean"].drop("none"), rows["trained"].drop("none")
        names = {end: listed([str(name) for name in trained.index[trained == end]]) for end in sorted(set(trained))}
        counts = [f"{end} ({of})" for end, of in names.items()]
        said[str(kind)] = {
            "none": f"{rows.loc['none', 'trained']} of {part['seeds'].max()}",
            "others": f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{trained.iloc[0]} with each",
            "none_mean": accuracy(rows.loc["none"]),
            "other_means": " to ".join(
                f"{accuracy(rows.loc[end])} ({end})" for end in (means.idxmin(), means.idxmax())
            ),
        }
    return said


def claims(leads: pd.DataFrame) -> dict[str, Holds]:
    """Whether depth needs normalization: with the most blocks, each is ahead of none by its interval (`leads`)."""
    ahead = [True if row.low > 0 else False if row.high < 0 else None for row in leads.itertuples()]
    return {"needed": overall(ahead)}
