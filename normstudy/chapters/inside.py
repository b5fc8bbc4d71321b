"""What goes on inside: what three explanations of normalization predict, and which of it is seen.

Tables are those of `analysis.inside`.
"""

import math

import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis.inference import LEVEL
from normstudy.analysis.inside import against_none, deviations, diverged, means, measures, named
from normstudy.display import lines
from normstudy.display.figures import new_figure
from normstudy.display.notation import INTERVAL, listed, out_of, significant, span

PANELS = {
    "shift_given": "Shift of what goes in",
    "shift_returned": "Shift of what comes out",
    "change": "Change of the gradient",
}
"""The outcomes of `measures` that are looked at in several epochs."""

DEVIATION = "Standard deviation going in"


def figure(rows: pd.DataFrame) -> Figure:
    """The two shifts and the change of the gradient at the named epochs; and before training, the size of activations.

    Marks are geometric means, bars 95 % intervals over the seeds.
    """
    drawn, axes = new_figure(6.4, 5.4, rows=2, columns=2)
    epochs, table = named(rows), measures(rows)
    axes[0, 1].sharey(axes[0, 0])
    axes[0, 0].set_yscale("log")
    for axis, (outcome, title) in zip(axes.flat, PANELS.items(), strict=False):
        found = means(table[table["outcome"] == outcome], ["normalization", "epoch"])
        lines.draw(axis, found.assign(place=found["epoch"].map(epochs.index)), "place", 1, spread=0.1)
        axis.set_xticks(range(len(epochs)), [str(epoch) for epoch in epochs])
        axis.set_xlabel("Epoch")
        axis.set_title(title, fontsize=10)
    last = axes[1, 1]
    lines.draw(last, means(deviations(rows), ["normalization", "layer"]), "layer", 1, spread=0.07)
    last.set_xlabel("Layer, before training")
    last.set_title(DEVIATION, fontsize=10)
    for axis in axes[1]:
        lines.fine_logarithm(axis)
    handles, labels = last.get_legend_handles_labels()
    drawn.legend(handles, labels, ncols=5, loc="outside upper center", columnspacing=1, frameon=False)
    return drawn


def describe(rows: pd.DataFrame) -> str:
    """The figure in words, with its means."""
    table = measures(rows)
    said = [
        f"{title}, by epoch: {_in_words(table[table['outcome'] == outcome], 'epoch')}"
        for outcome, title in PANELS.items()
    ]
    said.append(f"{DEVIATION}, by layer before training: {_in_words(deviations(rows), 'layer')}")
    return f"Four panels with geometric means and {INTERVAL}s over the seeds. {'. '.join(said)}."


def _in_words(table: pd.DataFrame, setting: str) -> str:
    found = means(table, ["normalization", setting])
    found["said"] = [f"{significant(row['mean'])} at {row[setting]}" for _, row in found.iterrows()]
    return "; ".join(
        f"{name} {', '.join(part['said'])}" for name, part in found.groupby("normalization", observed=True)
    )


def ratios(rows: pd.DataFrame) -> pd.DataFrame:
    """`against_none` as the report prints it: a row an outcome and epoch, a column a normalization."""
    table = against_none(measures(rows))
    table["shown"] = [_factor(row.mean, row.low, row.high) for row in table.itertuples()]
    table["what"] = table["outcome"].map(PANELS | {"growth": "Growth from layer to layer"})
    wide = table.pivot(index=["what", "epoch"], columns="normalization", values="shown")
    order = table[["what", "epoch"]].drop_duplicates()
    return wide.reindex(pd.MultiIndex.from_frame(order)).reset_index().rename_axis(columns=None)


def _factor(mean: float, low: float, high: float) -> str:
    if math.isnan(low):
        return f"×{significant(mean)}"
    return f"×{significant(mean)} ({span(significant(low), significant(high))})"


def seen(table: pd.DataFrame, outcome: str, smaller: bool = True) -> list[str]:
    """With which normalizations an outcome is smaller (or larger) than with none, at every named epoch.

    Each epoch must show it by more than chance would give. So the claim is as sure as each of them, and only the number
    of normalizations is corrected for.
    """
    part = table[table["outcome"] == outcome]
    shown = (part["p"] < LEVEL) & ((part["mean"] < 1) == smaller)
    at_all = shown.groupby(part["normalization"], observed=True, sort=False).all()
    return [str(name) for name in at_all.index[at_all]]


def growth(rows: pd.DataFrame) -> pd.Series:
    """Without normalization and before training, the factor from layer to layer: its `mean`, `low` and `high`."""
    table = measures(rows)
    alone = table[(table["outcome"] == "growth") & (table["normalization"] == "none")]
    return means(alone, ["normalization"]).iloc[0]


def claims(rows: pd.DataFrame) -> dict[str, bool]:
    """Which predictions are borne out with every normalization: `steadier`, `smoother`; and `growth` without one."""
    table = against_none(measures(rows))
    every = table["normalization"].nunique()
    return {
        "steadier": len(seen(table, "shift_returned")) == every,
        "smoother": len(seen(table, "change")) == every,
        "growth": bool(growth(rows)["low"] > 1),
    }


def answer(rows: pd.DataFrame) -> list[str]:
    """A verdict on each explanation: what it predicts is seen here, is not, or cannot be."""
    table, found, lost = against_none(measures(rows)), growth(rows), diverged(rows)
    sentences = [
        f"**Steadier inputs**: {_verdict(table, 'shift_returned', 'a smaller shift of what comes out')} "
        f"{_verdict(table, 'shift_given', 'a smaller shift of what goes in').capitalize()}",
        f"**A smoother loss**: {_verdict(table, 'change', 'a smaller change of the gradient')}",
        "**Larger rates** cannot be seen here, since all runs have one rate. What is to rule them out, that "
        f"activations grow from layer to layer without normalization, is {_growing(found)}. Before training, each "
        f"layer multiplies their standard deviation by {_factor(found['mean'], found['low'], found['high'])[1:]}.",
    ]
    if lost.any():
        sentences.append(f"{out_of(lost.sum(), len(lost), 'run').capitalize()} diverged. Their seeds are left out.")
    return sentences


def _growing(found: pd.Series) -> str:
    if found["low"] > 1:
        return "seen here"
    return "not seen here; the opposite is" if found["high"] < 1 else "not seen here"


def _verdict(table: pd.DataFrame, outcome: str, what: str) -> str:
    """With which normalizations a prediction is seen at all named epochs, and with which its opposite is."""
    with_it, against_it = (seen(table, outcome, smaller) for smaller in (True, False))
    names = table["normalization"].nunique()
    if len(with_it) == names:
        return f"{what} is seen here with every normalization."
    said = f"{what} is seen here with {_names(with_it)} only" if with_it else f"{what} is not seen here"
    return f"{said}; the opposite is seen with {_names(against_it)}." if against_it else f"{said}."


def _names(names: list[str]) -> str:
    return listed([f"`{name}`" for name in names])
