"""Learning rates: test error against the peak rate for each normalization, and between which rates it trains."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from normstudy.analysis import inference, rates
from normstudy.analysis.inference import GUESSING
from normstudy.chapters import claims
from normstudy.display import lines
from normstudy.display.figures import HE, look, new_figure
from normstudy.display.notation import (
    INTERVAL,
    count,
    counted,
    decimal,
    exact,
    interval,
    out_of,
    p_value,
    percent,
    significant,
    span,
)

MARGIN = 0.02
"""How far below the best run of its seed the accuracy of a rate that trains may lie."""

OTHER_MARGINS = (0.01, 0.05)
"""With which the ranges are computed once more, to see how much hangs on `MARGIN`."""

STUCK = 0.2
"""A run whose accuracy stays below this has hardly learned: guessing one of ten classes gives 0.1."""


def named(runs: pd.DataFrame) -> pd.DataFrame:
    """A table of runs, with the network that begins with He's initialization as a `normalization` of its own."""
    from_he = runs["initialization"] == "he"
    names = runs["normalization"].astype(str).where(~from_he, runs["normalization"].astype(str) + HE)
    order = [name + kind for name in runs["normalization"].cat.categories for kind in ("", HE)]
    return runs.assign(
        normalization=pd.Categorical(names, [name for name in order if name in set(names)], ordered=True)
    )


def errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test error (0 to 1) for each `normalization` and `learning_rate`, with its 95 % interval over the seeds."""
    table = inference.summary(
        runs.assign(error=1 - runs["test_accuracy"]), ("normalization", "learning_rate"), "error"
    ).astype({"learning_rate": float})
    least = table["mean"].min() / 2
    return table.assign(
        low=table["low"].clip(least, 1), high=table["high"].clip(least, 1)
    )  # a logarithmic axis has no 0


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """The range of learning rates that trains with each normalization, over the seeds.

    Returns:
        A row a normalization: `normalization`, `seeds`, the medians `lowest`, `highest`, `decades` with their bounds
        `…_low` and `…_high` (see `inference.median`), `open_below` and `open_above` (in how many seeds the range
        reaches that end of the rates tried), `best_rate` (of the lowest mean error), `error` (that mean, 0 to 1).
    """
    rows = []
    for normalization, part in rates.ranges(runs, MARGIN).groupby("normalization", observed=True):
        row: dict[str, Any] = {"normalization": normalization, "seeds": len(part)}
        for name in ("lowest", "highest", "decades"):
            row[name], row[f"{name}_low"], row[f"{name}_high"] = inference.median(part[name].to_numpy())
        rows.append(row | {name: int(part[name].sum()) for name in ("open_below", "open_above")})
    means = errors(runs)
    best = means.loc[means.groupby("normalization", observed=True)["mean"].idxmin()]
    best = best.rename(columns={"learning_rate": "best_rate", "mean": "error"})
    table = pd.DataFrame(rows).astype({"normalization": runs["normalization"].dtype})
    return table.merge(best[["normalization", "best_rate", "error"]], on="normalization")


def shown(runs: pd.DataFrame) -> pd.DataFrame:
    """`summary` as the report prints it."""
    table = summary(runs)
    first, last = runs["learning_rate"].min(), runs["learning_rate"].max()

    def rate(value: float) -> str:
        if not math.isfinite(value):
            return "none"
        return f"{'≤ ' if value <= first else '≥ ' if value >= last else ''}{significant(value, 2)}"

    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "normalization": table["normalization"],
            "lowest rate": [
                f"{rate(row.lowest)} ({span(rate(row.lowest_low), rate(row.lowest_high))})" for row in rows
            ],
            "highest rate": [
                f"{rate(row.highest)} ({span(rate(row.highest_low), rate(row.highest_high))})" for row in rows
            ],
            "decades": [
                f"{decimal(row.decades, 2)} ({interval(row.decades_low, row.decades_high, 2)})" for row in rows
            ],
            "best rate": table["best_rate"].map(exact),
            "error there (%)": [decimal(100 * row.error, 2) for row in rows],
        }
    )


def figure(runs: pd.DataFrame) -> Figure:
    """Above: error against the peak learning rate, with intervals. Below: between which rates each network trains.

    A thick line is from the median of the lowest rate to that of the highest, thin ones are their bounds, and an arrow
    says that the rates tried end before the range does.
    """
    drawn, axes = new_figure(6.2, 6.2, rows=2)
    above, below = axes[:, 0]
    above.get_gridspec().set_height_ratios([3, 2])
    for axis in (above, below):
        lines.set_ticks(axis, sorted(runs["learning_rate"].unique()))
    above.set_yscale("log")
    above.yaxis.set_major_formatter("{x:g}")
    lines.draw(above, errors(runs), "learning_rate", spread=0.03)
    needed = 1 - runs.groupby("seed")["test_accuracy"].max().mean() + MARGIN
    above.axhline(100 * needed, color="#333333", linewidth=1)
    above.set_ylabel("Test error (%)")
    above.legend(frameon=False, ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1, fontsize=8)
    above.set_xticklabels([])
    _draw_ranges(below, summary(runs))
    below.set_xlim(above.get_xlim())
    below.tick_params(axis="x", labelsize=8)
    below.set_xlabel("Peak learning rate")
    return drawn


def _draw_ranges(axis: Axes, table: pd.DataFrame) -> None:
    names = list(table["normalization"])
    for row in table[np.isfinite(table["lowest"])].itertuples():
        place = names.index(row.normalization)
        style = look(str(row.normalization), marker="", label=None)
        axis.plot([row.lowest, row.highest], [place, place], **style | {"linestyle": "-", "linewidth": 5})
        for low, high, is_open, arrow in (
            (row.lowest_low, row.lowest_high, row.open_below, "<"),
            (row.highest_low, row.highest_high, row.open_above, ">"),
        ):
            style |= {"linestyle": "-", "linewidth": 1, "color": "#333333"}
            axis.plot([low, high], [place + 0.27] * 2, **style | {"marker": "|"})
            if is_open:
                axis.plot([low if arrow == "<" else high], [place], **style | {"marker": arrow, "markersize": 7})
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    ends = "; ".join(" ".join([row[0], f"{row[1]}, {row[2]}"]) for row in shown(runs).to_numpy().tolist())
    return (
        f"Above, mean test error in percent by peak learning rate, with {INTERVAL}s over the seeds: "
        f"{lines.in_words(errors(runs), 'learning_rate', 1)}. Below, the lowest and the highest rate that train, with "
        f"their bounds: {ends}."
    )


def answer(runs: pd.DataFrame) -> list[str]:
    """What became of each prediction of the section, and what the ranges depend on."""
    pairs = rates.comparisons(runs, MARGIN)
    sentences = []
    for prediction, beside, of_normalizing in (
        ("Higher rates", "none", True),
        ("Whatever the initialization", f"none{HE}", True),
        ("Initialization", "none", False),
    ):
        chosen = pairs[(pairs["second"] == beside) & (pairs["first"].str.startswith("none") != of_normalizing)]
        if len(chosen):
            said = ", ".join(f"{_apart(row)} with `{row.first}`" for row in chosen.itertuples())
            sentences.append(
                f"**{prediction}** is {claims.verdict(list(chosen['first']), chosen, +1)}: beside `{beside}`, the "
                f"highest rate that trains is {said}."
            )
    return [*sentences, *_open_ends(runs), _margins(runs), *_failures(runs)]


def _apart(row: Any) -> str:
    """By which factor the one highest rate is above the other."""
    if not math.isfinite(row.mean):
        return "the only one there is" if row.mean > 0 else "none, and there is one without"
    low, high = (significant(10**end, 2) if math.isfinite(end) else decimal(10**end, 0) for end in (row.low, row.high))
    sure = "a single seed" if math.isnan(row.p) else f"{span(low, high)}, {p_value(row.p)}"
    return f"{significant(10**row.mean, 2)} times as high ({sure})"


def _open_ends(runs: pd.DataFrame) -> list[str]:
    """Where the rates tried end before the ranges do."""
    sentences = []
    for column, end, rate in (
        ("open_below", "lowest", runs["learning_rate"].min()),
        ("open_above", "highest", runs["learning_rate"].max()),
    ):
        reached = [
            f"with `{row['normalization']}` in {out_of(row[column], row['seeds'], 'seed')}"
            for _, row in summary(runs).iterrows()
            if row[column]
        ]
        if reached:
            sentences.append(
                f"The range reaches the {end} rate tried, {exact(rate)}, and may go on beyond it, "
                f"{', '.join(reached)}; there its end and its width are bounds."
            )
    return sentences or ["No range reaches an end of the rates tried."]


def _margins(runs: pd.DataFrame) -> str:
    said = []
    for margin in OTHER_MARGINS:
        medians = rates.ranges(runs, margin).groupby("normalization", observed=True)["highest"].median()
        highest = ", ".join(
            f"{name} {significant(rate, 2) if math.isfinite(rate) else 'none'}" for name, rate in medians.items()
        )
        said.append(f"within {counted(round(100 * margin), 'point')} of the best, {highest}")
    return (
        f"The ranges depend on what counts as training, here within {round(100 * MARGIN)} percentage points of the "
        f"best. The median highest rate is, {'; '.join(said)}."
    )


def _failures(runs: pd.DataFrame) -> list[str]:
    """How many runs diverged, and how many others hardly learned."""
    diverged = int(runs["diverged"].sum())
    stuck = int((~runs["diverged"] & (runs["test_accuracy"] < STUCK)).sum())
    return [
        f"{out_of(diverged, len(runs), 'run').capitalize()} diverged{' and count as guessing' * bool(diverged)}; "
        f"{count(stuck) if stuck else 'none'} of the others ended below {percent(STUCK, 0)} accuracy, where guessing "
        f"gives {percent(GUESSING['test_accuracy'], 0)}."
    ]
