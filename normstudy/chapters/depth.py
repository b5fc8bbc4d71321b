"""Depth: test accuracy against how many more blocks the network has, and how deep each normalization trains."""

import math
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from normstudy.analysis.inference import GUESSING, LEVEL
from normstudy.analysis.trainability import INITIALIZATIONS, SETTING, TRAINS, reaches
from normstudy.chapters import claims as common
from normstudy.chapters.claims import Holds
from normstudy.display import lines
from normstudy.display.estimates import accuracy
from normstudy.display.figures import legend_above, new_figure
from normstudy.display.notation import (
    INTERVAL,
    count,
    counted,
    decimal,
    listed,
    out_of,
    percent,
    span,
)

LEVELS = (0.5, TRAINS, 0.95)
"""With which the depths are found, to see how much hangs on `TRAINS`."""

SPREAD = 0.08  # between marks at the same depth


def claims(table: pd.DataFrame) -> dict[str, Holds]:
    """Which of the section's predictions hold, by the intervals of `accuracies`; None where these hold `TRAINS`.

    `depth`: without normalization, from PyTorch's initialization, the network trains as it is, and not at the largest
    depth. `normalization`: with every normalization, from either initialization, it trains at every depth; false where
    one of them surely does not, corrected for their number. `initialization`: without normalization it trains, at some
    depth, from He's initialization and not from PyTorch's (`instead`), and at the largest depth from neither.
    """
    depths, (sure, corrected) = sorted(table["depth"].unique()), (_surely(table), _corrected(table))
    instead = [
        common.overall([corrected["he", "none", depth], _not(corrected["pytorch", "none", depth])]) for depth in depths
    ]
    everywhere = common.overall([sure[setting] for setting in sure if setting[1] != "none"])
    below = any(corrected[setting] is False for setting in sure if setting[1] != "none")
    return {
        "depth": common.overall([sure["pytorch", "none", depths[0]], _not(sure["pytorch", "none", depths[-1]])]),
        "normalization": False if below else everywhere or None,
        "initialization": common.overall([common.somewhere(instead), _not(sure["he", "none", depths[-1]])]),
        "instead": common.somewhere(instead),
    }


def _surely(table: pd.DataFrame) -> dict[tuple[str, str, int], Holds]:
    """Whether each network trains at each depth, by its interval."""
    return _verdicts(table, table["low"] >= TRAINS, table["high"] < TRAINS)


def _corrected(table: pd.DataFrame) -> dict[tuple[str, str, int], Holds]:
    """Whether each network trains at each depth, corrected for the number of both."""
    sure, above = table["p"] < LEVEL, table["mean"] >= TRAINS
    return _verdicts(table, sure & above, sure & ~above)


def _verdicts(table: pd.DataFrame, above: pd.Series, below: pd.Series) -> dict[tuple[str, str, int], Holds]:
    settings = table[SETTING].itertuples(index=False, name=None)
    return {
        setting: True if yes else False if no else None for setting, yes, no in zip(settings, above, below, strict=True)
    }


def _not(holds: Holds) -> Holds:
    return None if holds is None else not holds


def numbers(runs: pd.DataFrame, table: pd.DataFrame) -> dict[str, str]:
    """The numbers of the section's text, as they are printed (see `_without` and `_normalized`)."""
    diverged = out_of(int(runs["diverged"].sum()), len(runs), "run")
    about = {"last": count(int(table["depth"].max())), "epochs": counted(int(runs["epoch"].max()), "epoch")}
    return {**about, "diverged": diverged, **_without(table), **_normalized(table)}


def _without(table: pd.DataFrame) -> dict[str, str]:
    """Without normalization, the accuracy (`first`, `last`: with the fewest, the most blocks) and how deep it trains.

    `instead` is the most blocks with which it trains from He's initialization and not from PyTorch's: surely, or else
    by its means, or else the most there are.
    """
    none = table[table["normalization"] == "none"]
    until = reaches(none).set_index("initialization")["depth"]
    by_depth = {kind: none[none["initialization"] == kind].set_index("depth").sort_index() for kind in INITIALIZATIONS}
    pytorch, he = by_depth["pytorch"], by_depth["he"]
    known = (he["p"] < LEVEL) & (pytorch["p"] < LEVEL)
    parted = (he["mean"] >= TRAINS) & (pytorch["mean"] < TRAINS)
    instead = next(int(he.index[each][-1]) for each in (parted & known, parted, he["mean"] >= 0) if each.any())
    found = {"instead": count(instead)}
    for kind, rows in by_depth.items():
        found[f"{kind}_first"], found[f"{kind}_last"] = (accuracy(rows.iloc[end]) for end in (0, -1))
        found[f"{kind}_instead"] = accuracy(rows.loc[instead])
        found[f"{kind}_reach"] = _reach(until[kind])
    return found


def _normalized(table: pd.DataFrame) -> dict[str, str]:
    """Of the networks that normalize: the least accurate one, those not sure to train at every depth, the deepest.

    These are averaged over initializations: between which accuracies they lie, with which normalizations.
    """
    table = table[table["normalization"] != "none"]
    worst, unsure = table.loc[table["mean"].idxmin()], table[~(table["low"] >= TRAINS)]
    names = [
        f"{name} from {INITIALIZATIONS[kinds[0]]}" if len(kinds := list(part.unique())) == 1 else str(name)
        for name, part in unsure.groupby("normalization", observed=True)["initialization"]
    ]
    deep = table[table["depth"] == table["depth"].max()].groupby("normalization", observed=True)["mean"].mean()
    return {
        "lowest": accuracy(worst),
        "lowest_of": f"{worst['normalization']}, {_blocks(worst['depth'])}, {INITIALIZATIONS[worst['initialization']]}",
        "unsure": listed(names),
        "least": percent(deep.min()),
        "least_of": str(deep.idxmin()),
        "most": percent(deep.max()),
        "most_of": str(deep.idxmax()),
    }


def _blocks(depth: float) -> str:
    return counted(int(depth), "more block") if depth else "no more blocks"


def _reach(depth: float) -> str:
    """How deep a network trains."""
    return "at no depth tried" if math.isnan(depth) else f"with up to {_blocks(depth)}" if depth else "only as it is"


def figure(table: pd.DataFrame) -> Figure:
    """Accuracy, and below it loss, against depth, a column an initialization; `table` is that of `accuracies`.

    Depths are evenly spaced.
    """
    kinds, depths = list(table["initialization"].unique()), sorted(table["depth"].unique())
    drawn, axes = new_figure(5.0, 4.4, rows=2, columns=len(kinds))
    means = table.assign(place=table["depth"].map(depths.index))
    for column, kind in enumerate(kinds):
        above, below = axes[:, column]
        own = means[means["initialization"] == kind]
        above.axhline(100 * TRAINS, color="#333333", linewidth=0.8)
        lines.draw(above, own, "place", spread=SPREAD)
        lines.draw(below, own.drop(columns=["low", "high"]).assign(mean=own["loss"]), "place", 1, SPREAD)
        _guessing(above, 100 * GUESSING["test_accuracy"], "top")
        _guessing(below, GUESSING["test_loss"], "bottom")
        above.set_title(INITIALIZATIONS[kind], fontsize=10)
        above.set_ylim(-4, 104)
        above.tick_params(labelbottom=False)
        lines.fine_logarithm(below)
        below.set_ylim(0.8 * means["loss"].min(), 2 * max(means["loss"].max(), GUESSING["test_loss"]))
        below.set_xlabel("More blocks")
        for axis in (above, below):
            axis.set_xticks(range(len(depths)), depths)
            axis.set_xlim(-0.4, len(depths) - 0.6)
            axis.tick_params(labelleft=column == 0)
    for axis, label in zip(axes[:, 0], ("Test accuracy (%)", "Test loss"), strict=True):
        axis.set_ylabel(label)
    legend_above(drawn, axes[0, 0], columns=5)
    return drawn


def _guessing(axis: Axes, level: float, side: str) -> None:
    axis.axhline(level, color="#333333", linewidth=0.8, linestyle=":")
    axis.text(-0.35, level, "guessing", va=side, color="#333333")


def describe(table: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = []
    for kind, part in table.groupby("initialization", observed=True):
        above, below = lines.in_words(part, "depth", 1), lines.in_words(part.assign(mean=part["loss"]), "depth", 3, 1)
        said.append(f"From {INITIALIZATIONS[str(kind)]}, accuracy in percent: {above}. Loss: {below}.")
    return f"Mean test accuracy with {INTERVAL}s, and mean test loss, by the number of more blocks. {' '.join(said)}"


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`accuracies` as the report prints it: a row a network, a column a depth."""
    cells = [
        decimal(100 * row.mean, 2) + (f" ({row.trained} of {row.seeds})" if 0 < row.trained < row.seeds else "")
        for row in table.itertuples()
    ]
    wide = table.assign(shown=cells).pivot(index=SETTING[:2], columns="depth", values="shown").reset_index()
    return wide.rename_axis(columns=None).rename(columns=str)


def depths(table: pd.DataFrame) -> pd.DataFrame:
    """`reaches` as the report prints it: a row a network, a column each of `LEVELS`."""
    found = [reaches(table, level) for level in LEVELS]
    cells = {
        percent(level, 0): [_number(row.depth) + _between(row) for row in each.itertuples()]
        for level, each in zip(LEVELS, found, strict=True)
    }
    return found[0][SETTING[:2]].assign(**cells)


def _number(depth: float) -> str:
    return "none" if math.isnan(depth) else count(int(depth))


def _between(row: Any) -> str:
    """Between which depths a network's largest lies, by the intervals, in brackets; nothing if it is one."""
    ends = _number(row.at_least), _number(row.at_most)
    return "" if len(set(ends)) == 1 else f" ({span(*ends)})"
