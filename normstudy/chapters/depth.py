"""Depth: test accuracy against how many more blocks the network has, and how deep each normalization trains."""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import bootstrap, inference
from normstudy.analysis.inference import GUESSING, LEVEL
from normstudy.chapters import claims as common
from normstudy.chapters.claims import VERDICTS, Holds
from normstudy.display import lines
from normstudy.display.figures import new_figure
from normstudy.display.notation import (
    INTERVAL,
    count,
    counted,
    decimal,
    interval,
    listed,
    out_of,
    percent,
    points,
    span,
)

TRAINS = 0.9
"""A network trains at a depth if its mean test accuracy there, and with fewer blocks, is at least this."""

OTHERS = (0.5, 0.95)
"""With which the depths are found once more, to see how much hangs on `TRAINS`."""

INITIALIZATIONS = {"pytorch": "PyTorch's initialization", "he": "He's initialization"}
SETTING = ["initialization", "normalization", "depth"]


def accuracies(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy of each `initialization`, `normalization` and `depth`, over seeds and test images.

    Returns:
        A row each: `mean`, `low`, `high` (the 95 % interval of `bootstrap`), `seeds`, `trained` (in how many of them
        the accuracy is at least `TRAINS`), `loss` (the mean test loss).
    """
    runs = _in_order(runs).assign(trained=runs["test_accuracy"] >= TRAINS)
    groups = runs.groupby(SETTING, observed=True).agg(trained=("trained", "sum"), loss=("test_loss", "mean"))
    return bootstrap.summary(bootstrap.resample(runs, SETTING)).join(groups, on=SETTING)


def _in_order(runs: pd.DataFrame) -> pd.DataFrame:
    named = pd.Categorical(runs["initialization"], list(INITIALIZATIONS), ordered=True)
    return runs.assign(initialization=named, depth=runs["depth"].astype(int))


def reaches(table: pd.DataFrame, level: float = TRAINS) -> pd.DataFrame:
    """How deep each network of `accuracies` trains, if that takes a mean accuracy of `level`.

    Returns:
        A row for each `initialization` and `normalization`: `depth` (the largest at which it trains), `at_least` and
        `at_most` (the same by the lower and the upper ends of the intervals); NaN where it trains at no depth.
    """
    rows = []
    for (initialization, normalization), part in table.groupby(SETTING[:2], observed=True):
        part = part.sort_values("depth")
        row = {"initialization": initialization, "normalization": normalization}
        for name, column in (("depth", "mean"), ("at_least", "low"), ("at_most", "high")):
            until = int((part[column] >= level).cumprod().sum())
            row[name] = part["depth"].iloc[until - 1] if until else float("nan")
        rows.append(row)
    return pd.DataFrame(rows)


def figure(table: pd.DataFrame) -> Figure:
    """Accuracy against depth, a panel an initialization; `table` is that of `accuracies`. Depths are evenly spaced."""
    kinds, depths = list(table["initialization"].unique()), sorted(table["depth"].unique())
    drawn, axes = new_figure(7.2, 3.6, columns=len(kinds))
    placed = table.assign(place=table["depth"].map(depths.index))
    for axis, kind in zip(axes[0], kinds, strict=True):
        axis.axhline(100 * TRAINS, color="#333333", linewidth=1)
        lines.draw(axis, placed[placed["initialization"] == kind], "place", spread=0.08)
        axis.set_xticks(range(len(depths)), depths)
        axis.set_ylim(0, 102)
        axis.set_title(INITIALIZATIONS[kind], fontsize=10)
        axis.set_xlabel("More blocks")
    axes[0, 0].set_ylabel("Test accuracy (%)")
    drawn.legend(*axes[0, 0].get_legend_handles_labels(), ncols=5, loc="outside upper center", frameon=False)
    return drawn


def describe(table: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = ". ".join(
        f"From {INITIALIZATIONS[str(kind)]}: {lines.in_words(part, 'depth', 1)}"
        for kind, part in table.groupby("initialization", observed=True)
    )
    return f"Mean test accuracy in percent by the number of more blocks, with {INTERVAL}s. {said}."


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`accuracies` and `reaches` as the report prints them: a row a network, a column a depth."""
    cells = [
        decimal(100 * row.mean, 2) + (f" ({row.trained} of {row.seeds})" if 0 < row.trained < row.seeds else "")
        for row in table.itertuples()
    ]
    wide = table.assign(shown=cells).pivot(index=SETTING[:2], columns="depth", values="shown").reset_index()
    wide["trains up to"] = [_number(row.depth) + _between(row) for row in reaches(table).itertuples()]
    return wide.rename_axis(columns=None).rename(columns=str)


def _number(depth: float) -> str:
    return "none" if math.isnan(depth) else count(int(depth))


def _between(row: Any) -> str:
    """Between which depths a network's largest lies, by the intervals, in brackets; nothing if it is one."""
    ends = _number(row.at_least), _number(row.at_most)
    return "" if len(set(ends)) == 1 else f" ({span(*ends)})"


def initializations(runs: pd.DataFrame) -> pd.DataFrame:
    """Without normalization, the accuracy from He's initialization minus that from PyTorch's, by `depth`.

    Returns:
        A row a depth: `mean`, `low`, `high`, `p` (corrected for the number of depths), as in `bootstrap.pairs`.
    """
    without = _in_order(runs[runs["norm_arg"] == "none"])
    kinds = pd.Categorical(without["initialization"], [*INITIALIZATIONS][::-1], ordered=True)
    return bootstrap.pairs(without.assign(initialization=kinds), "initialization", "depth")


def claims(table: pd.DataFrame, gains: pd.DataFrame) -> dict[str, Holds]:
    """Which of the section's predictions hold, by the intervals of `accuracies` and of `initializations`.

    `depth`: without normalization, from PyTorch's initialization, the network trains as it is, and not at the largest
    depth. `normalization`: with every normalization, from either initialization, it trains at every depth.
    `initialization`: without normalization, He's initialization is better than PyTorch's at some depth, by more than
    chance would give, and the network does not train at the largest. None where the intervals hold `TRAINS`.
    """
    means = table.set_index(SETTING)
    first, last = table["depth"].min(), table["depth"].max()
    normalized = means.drop(index="none", level="normalization")
    helps = bool(((gains["p"] < LEVEL) & (gains["mean"] > 0)).any())
    fails = _not(_surely(means.loc[("he", "none", last)]))
    return {
        "depth": common.overall(
            [_surely(means.loc[("pytorch", "none", first)]), _not(_surely(means.loc[("pytorch", "none", last)]))]
        ),
        "normalization": common.overall([_surely(row) for _, row in normalized.iterrows()]),
        "initialization": fails if helps or fails is False else None,
    }


def _surely(row: pd.Series) -> Holds:
    """Whether a network trains, by its interval."""
    return True if row["low"] >= TRAINS else False if row["high"] < TRAINS else None


def _not(holds: Holds) -> Holds:
    return None if holds is None else not holds


def answer(runs: pd.DataFrame, table: pd.DataFrame, gains: pd.DataFrame) -> list[str]:
    """A verdict on each prediction of the section, with the numbers that it rests on."""
    said = {name: f"**{name.capitalize()}** is {VERDICTS[holds]}" for name, holds in claims(table, gains).items()}
    last = int(runs["depth"].max())
    deep = bootstrap.pairs(runs[runs["depth"] == last], "normalization")
    diverged = int(runs["diverged"].sum())
    return [
        f"{said['depth']}: {_without(table, 'pytorch')}",
        f"{said['normalization']}: {_normalized(table)}",
        f"{said['initialization']}: {_without(table, 'he')} {_gain(gains)}",
        *common.largest(deep, f"test accuracy with {_blocks(last)}", "percentage points", 100),
        _levels(table),
        f"{out_of(diverged, len(runs), 'run').capitalize()} diverged{'; they count as guessing' if diverged else ''}.",
    ]


def _blocks(depth: float) -> str:
    return counted(int(depth), "more block") if depth else "no more blocks"


def _trains(row: Any, last: int) -> str:
    """How deep a network trains, of `last` blocks, as the end of a sentence."""
    if math.isnan(row.depth):
        said = "trains at no depth tried"
    elif row.depth == 0:
        said = "trains as it is, and no deeper"
    else:
        said = "trains at every depth tried" if row.depth == last else f"trains up to {_blocks(row.depth)}"
    between = _between(row)
    return said + (f", by the intervals{between}" if between else "")


def _without(table: pd.DataFrame, kind: str) -> str:
    """How deep the network without normalization trains, and how it compares with the others at that depth."""
    last, own = int(table["depth"].max()), table[table["initialization"] == kind]
    (row,) = reaches(own[own["normalization"] == "none"]).itertuples()
    none, others = (part.set_index("depth") for _, part in own.groupby(own["normalization"] != "none"))
    end = none.loc[last]
    said = f"from {INITIALIZATIONS[kind]}, the network without normalization {_trains(row, last)}."
    if row.depth < last:
        means = others.loc[[row.depth], "mean"]
        said += (
            f" There its accuracy is {percent(none.loc[row.depth, 'mean'])}, and that of those "
            f"that normalize {span(percent(means.min()), percent(means.max()))}."
        )
    found = interval(100 * end["low"], 100 * end["high"], 2)
    guessing = f"{percent(GUESSING['test_accuracy'], 0)} is guessing"
    return f"{said} With {_blocks(last)} its accuracy is {percent(end['mean'])} ({INTERVAL} {found}; {guessing})."


def _gain(gains: pd.DataFrame) -> str:
    (row,) = gains.loc[[gains["mean"].abs().idxmax()]].itertuples()
    return (
        "Without normalization, He's initialization instead of PyTorch's makes the largest difference with "
        f"{_blocks(row.depth)}: {points(row)}, {inference.verdict(row.p)}."
    )


def _normalized(table: pd.DataFrame) -> str:
    """How deep the networks that normalize train."""
    last, part = int(table["depth"].max()), table[table["normalization"] != "none"]
    unsure = [_named(row) + _between(row) for row in reaches(part).itertuples() if row.at_least != last]
    if unsure:
        return (
            "not sure to train at every depth tried, with the largest depth at which they do, and in brackets between "
            f"which depths that is by the intervals, are {listed(unsure)}."
        )
    row = part.loc[part["mean"].idxmin()]
    return (
        "with every normalization, from either initialization, the network trains at every depth tried. The lowest "
        f"mean accuracy is {percent(row['mean'])} ({INTERVAL} {interval(100 * row['low'], 100 * row['high'], 2)}), "
        f"with `{row['normalization']}` and {_blocks(row['depth'])} from {INITIALIZATIONS[row['initialization']]}."
    )


def _named(row: Any) -> str:
    """A network, as the table has it, and how deep it trains."""
    return f"`{row.normalization}` ({row.initialization}) {_number(row.depth)}"


def _levels(table: pd.DataFrame) -> str:
    """What changes if training is said to take another accuracy."""
    usual, said = reaches(table), []
    for level in OTHERS:
        other = reaches(table, level)
        changed = other[other["depth"].fillna(-1) != usual["depth"].fillna(-1)]
        networks = listed([_named(row) for row in changed.itertuples()]) if len(changed) else "no depth is another"
        said.append(f"with {percent(level, 0)}, {networks}")
    return f"The depths depend on what counts as training, here {percent(TRAINS, 0)}: {'; '.join(said)}."
