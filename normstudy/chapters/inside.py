"""What goes on inside: what three explanations of normalization predict, and which of it is seen.

Of `analysis.inside`, `measures` is its table of that name, `ratios` that of `against_none`, and `deviations` the means
of that name by `normalization` and `layer`.
"""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis.inference import LEVEL
from normstudy.analysis.inside import diverged, means
from normstudy.chapters.claims import Holds
from normstudy.display import lines
from normstudy.display.figures import legend_above, new_figure
from normstudy.display.notation import INTERVAL, NO_BREAK, listed, out_of, percent, significant, span

PANELS = {
    "shift_given": "Shift of what goes in",
    "shift_returned": "Shift of what comes out",
    "change": "Change of the gradient",
}
"""The outcomes of `measures` that are looked at in several epochs."""

EXPLANATIONS = {"steadier": "shift_returned", "smoother": "change"}
"""What explains how normalization helps → the outcome of `measures` that is then smaller than without."""

DEVIATION = "Standard deviation going in"


def figure(ratios: pd.DataFrame, deviations: pd.DataFrame) -> Figure:
    """By what each normalization multiplies shifts and the change of the gradient; and activations before training.

    Marks are geometric means, bars 95 % intervals over the seeds.
    """
    drawn, axes = new_figure(5.0, 4.6, rows=2, columns=2)
    epochs = sorted(ratios.loc[ratios["outcome"].isin(PANELS), "epoch"].unique())
    axes[0, 1].sharey(axes[0, 0])
    axes[0, 0].set_yscale("log")
    axes[0, 0].yaxis.set_major_formatter("{x:g}")
    lines.fine_logarithm(axes[1, 0])
    for axis, (outcome, title) in zip(axes.flat, PANELS.items(), strict=False):
        found = ratios[ratios["outcome"] == outcome]
        lines.draw(axis, found.assign(place=found["epoch"].map(epochs.index)), "place", 1, spread=0.12, joined=False)
        axis.axhline(1, color="#333333", linewidth=1)
        axis.set_xticks(range(len(epochs)), [str(epoch) for epoch in epochs])
        axis.set_xlim(-0.5, len(epochs) - 0.5)
        axis.set_xlabel("Epoch")
        axis.set_title(f"{title},\nbeside none", fontsize=10)
    last = axes[1, 1]
    lines.draw(last, deviations, "layer", 1, spread=0.07)
    lines.fine_logarithm(last)
    last.set_xlabel("Layer")
    last.set_title(f"{DEVIATION},\nbefore training", fontsize=10)
    legend_above(drawn, last, columns=3)
    return drawn


def describe(ratios: pd.DataFrame, deviations: pd.DataFrame) -> str:
    """The figure in words, with its means."""
    said = [
        f"{title}, as a factor beside none, by epoch: {_in_words(ratios[ratios['outcome'] == outcome], 'epoch')}"
        for outcome, title in PANELS.items()
    ]
    said.append(f"{DEVIATION}, by layer before training: {_in_words(deviations, 'layer')}")
    return f"Four panels with geometric means and {INTERVAL}s over the seeds. {'. '.join(said)}."


def _in_words(found: pd.DataFrame, setting: str) -> str:
    found = found.assign(said=[f"{significant(row['mean'])} at {row[setting]}" for _, row in found.iterrows()])
    return "; ".join(
        f"{name} {', '.join(part['said'])}" for name, part in found.groupby("normalization", observed=True, sort=False)
    )


def shown(ratios: pd.DataFrame) -> pd.DataFrame:
    """`ratios` as the report prints them: a row an outcome and epoch, a column a normalization."""
    table = ratios.assign(
        shown=[_factor(row.mean, row.low, row.high) for row in ratios.itertuples()],
        what=ratios["outcome"].map(PANELS | {"growth": "Growth from layer to layer"}),
    )
    wide = table.pivot(index=["what", "epoch"], columns="normalization", values="shown")
    order = table[["what", "epoch"]].drop_duplicates()
    return wide.reindex(pd.MultiIndex.from_frame(order)).reset_index().rename_axis(columns=None)


def _factor(mean: float, low: float, high: float) -> str:
    if math.isnan(low):
        return f"×{significant(mean)}"
    return f"×{significant(mean)} ({span(significant(low), significant(high))})"


def seen(ratios: pd.DataFrame, outcome: str, smaller: bool = True) -> list[str]:
    """With which normalizations an outcome is smaller (or larger) than with none, at every named epoch.

    Each epoch must show it by more than chance would give. So the claim is as sure as each of them, and only the number
    of normalizations is corrected for.
    """
    part = ratios[ratios["outcome"] == outcome]
    sure = (part["p"] < LEVEL) & ((part["mean"] < 1) == smaller)
    at_all = sure.groupby(part["normalization"], observed=True, sort=False).all()
    return [str(name) for name in at_all.index[at_all]]


def growth(measures: pd.DataFrame) -> pd.Series:
    """Without normalization and before training, the factor from layer to layer: its `mean`, `low` and `high`."""
    alone = measures[(measures["outcome"] == "growth") & (measures["normalization"] == "none")]
    return means(alone, ["normalization"]).iloc[0]


def concluded(ratios: pd.DataFrame, growth: pd.Series) -> dict[str, Holds]:
    """The claims of the section: what each explanation predicts is seen with every normalization, with some, with none.

    `steadier` and `smoother` are what the first two predict; `growth` is that of activations without normalization.
    """
    every = ratios["normalization"].nunique()
    with_it = {name: len(seen(ratios, outcome)) for name, outcome in EXPLANATIONS.items()}
    holds: dict[str, Holds] = {
        name: True if number == every else None if number else False for name, number in with_it.items()
    }
    return holds | {"growth": True if growth["low"] > 1 else False if growth["high"] < 1 else None}


def numbers(rows: pd.DataFrame, ratios: pd.DataFrame, growth: pd.Series) -> dict[str, Any]:
    """What the text says: with which normalizations what is seen, growth, and how far the networks are at first."""
    lost = diverged(rows)
    said: dict[str, Any] = {}
    for name, outcome in {**EXPLANATIONS, "given": "shift_given"}.items():
        for which, smaller in (("with", True), ("opposite", False)):
            said.setdefault(name, {})[which] = listed(seen(ratios, outcome, smaller) or ["none of them"])
    first = rows[(rows["epoch"] == 1) & ~rows["run"].map(lost)].groupby("norm_arg")["test_accuracy"].mean()
    others = first.drop("none").sort_values().iloc[[0, -1]]
    ends = [f"{percent(accuracy)} ({name})" for name, accuracy in others.items()]
    said["first"] = {"none": percent(first["none"]), "span": " to ".join(ends)}
    low, high = significant(growth["low"]), significant(growth["high"])
    said["growth"] = f"{significant(growth['mean'])} [{low},{NO_BREAK}{high}]"
    return said | {"diverged": out_of(int(lost.sum()), len(lost), "run")}
