"""Learning rates: test error against the peak rate for each normalization, and between which rates it trains."""

import functools
import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from normstudy.analysis import inference, rates
from normstudy.chapters import claims
from normstudy.chapters.claims import Holds
from normstudy.display import lines
from normstudy.display.estimates import points
from normstudy.display.figures import HE, look, new_figure
from normstudy.display.notation import (
    INTERVAL,
    UNKNOWN,
    count,
    counted,
    decimal,
    exact,
    interval,
    listed,
    out_of,
    percent,
    probability,
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


def summary(runs: pd.DataFrame, errors: pd.DataFrame) -> pd.DataFrame:
    """The range of learning rates that trains with each normalization, over the seeds; `errors` are those of the runs.

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
    best = errors.loc[errors.groupby("normalization", observed=True)["mean"].idxmin()]
    best = best.rename(columns={"learning_rate": "best_rate", "mean": "error"})
    table = pd.DataFrame(rows).astype({"normalization": runs["normalization"].dtype})
    return table.merge(best[["normalization", "best_rate", "error"]], on="normalization")


def shown(runs: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """`summary` as the report prints it."""
    rate = functools.partial(_rate, runs)
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


def shown_pairs(table: pd.DataFrame) -> pd.DataFrame:
    """`rates.comparisons` as the report prints it, those of one network one below the other."""
    first = table["first"].astype(str)
    table = table.iloc[first.map(list(first.unique()).index).argsort(kind="stable")].reset_index(drop=True)
    factors = (10 ** table[["mean", "low", "high"]]).to_numpy().tolist()
    return table[["first", "second"]].assign(
        **{
            "highest rate, times": [
                f"{_times(mean)} ({span(_times(low), _times(high))})" for mean, low, high in factors
            ],
            "p": table["p"].map(probability),
        }
    )


def _times(factor: float) -> str:
    return significant(factor, 2) if math.isfinite(factor) else decimal(factor, 0)


def figure(runs: pd.DataFrame, errors: pd.DataFrame, ranges: pd.DataFrame) -> Figure:
    """Above: error against the peak learning rate, with intervals. Below: between which rates each network trains.

    A thick line is from the median of the lowest rate to that of the highest, thin ones are their bounds, and an arrow
    says that the rates tried end before the range does. `errors` and `ranges` (see `summary`) are those of the runs.
    """
    drawn, axes = new_figure(5.0, 5.2, rows=2)
    above, below = axes[:, 0]
    above.get_gridspec().set_height_ratios([3, 2])
    for axis in (above, below):
        lines.set_ticks(axis, sorted(runs["learning_rate"].unique())[::2])
    above.set_yscale("log")
    above.yaxis.set_major_formatter("{x:g}")
    lines.draw(above, errors, "learning_rate", spread=0.03)
    needed = 1 - runs.groupby("seed")["test_accuracy"].max().mean() + MARGIN
    above.axhline(100 * needed, color="#333333", linewidth=1)
    above.set_ylabel("Test error (%)")
    above.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1)
    above.set_xticklabels([])
    _draw_ranges(below, ranges)
    below.set_xlim(above.get_xlim())
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


def describe(runs: pd.DataFrame, errors: pd.DataFrame, ranges: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    ends = "; ".join(f"{row[0]} {row[1]}, {row[2]}" for row in shown(runs, ranges).to_numpy().tolist())
    return (
        f"Above, mean test error in percent by peak learning rate, with {INTERVAL}s over the seeds: "
        f"{lines.in_words(errors, 'learning_rate', 1)}. Below, the lowest and the highest rate that train, with "
        f"their bounds: {ends}."
    )


def predictions(pairs: pd.DataFrame) -> dict[str, dict[str, Holds]]:
    """Whether each prediction of the section holds, in each of its cases, by `rates.comparisons`."""
    normalizing = ~pairs["first"].str.startswith("none")
    beside_none = pairs["second"] == "none"
    chosen = {
        "higher": normalizing & beside_none,
        "whatever": normalizing & ~beside_none,
        "initialization": ~normalizing,
    }
    return {
        name: dict(zip(pairs["first"][rows], claims.signs(pairs[rows], +1), strict=True))
        for name, rows in chosen.items()
    }


def leads(runs: pd.DataFrame, ranges: pd.DataFrame) -> pd.DataFrame:
    """`rates.leads` at the rate that is the best one without normalization."""
    return rates.leads(runs, ranges.set_index("normalization")["best_rate"]["none"])


def concluded(ranges: pd.DataFrame, pairs: pd.DataFrame, leads: pd.DataFrame) -> dict[str, Holds]:
    """The claims of the section: its `predictions`, and two more.

    `closed`: the rates tried go beyond both ends of every range. `ahead`: each normalization has its lead (`leads`).
    """
    closed = not ranges[["open_below", "open_above"]].to_numpy().any()
    return claims.concluded(predictions(pairs)) | {"closed": closed, "ahead": claims.overall(claims.signs(leads, +1))}


def numbers(runs: pd.DataFrame, ranges: pd.DataFrame, pairs: pd.DataFrame, leads: pd.DataFrame) -> dict[str, Any]:
    """What the text says of predictions, of the highest rates that train, of `leads`, of open ends and of failures."""
    found: dict[str, Any] = {name: claims.cases(cases) for name, cases in predictions(pairs).items()}
    table = ranges.sort_values("highest").set_index("normalization")
    highest = {str(name): _rate(runs, rate, "no rate") for name, rate in table["highest"].items()}
    normalizing = [name for name in highest if not name.startswith("none")]
    found |= {"least": {"name": normalizing[0], "rate": highest[normalizing[0]]}}
    found |= {"most": {"name": normalizing[-1], "rate": highest[normalizing[-1]]}}
    found |= {"none": highest.get("none", UNKNOWN), "none_he": highest.get(f"none{HE}", UNKNOWN)}
    for end, row in (("least", leads.loc[leads["mean"].idxmin()]), ("most", leads.loc[leads["mean"].idxmax()])):
        found[end]["lead"] = f"{points(row)} ({row['normalization']})"
    found |= {"best": exact(table["best_rate"]["none"]), "enough": count(rates.enough_seeds(len(pairs)))}
    for end, column in (("below", "open_below"), ("above", "open_above")):
        cut_off = [str(name) for name in table.index[table[column] > 0]]
        found[f"open_{end}"] = listed(cut_off) if cut_off else "no network"
    stuck = int((~runs["diverged"] & (runs["test_accuracy"] < STUCK)).sum())
    found["diverged"] = out_of(int(runs["diverged"].sum()), len(runs), "run")
    rates_tried = runs["learning_rate"]
    found |= {"lowest_tried": exact(rates_tried.min()), "highest_tried": exact(rates_tried.max())}
    found["epochs"] = counted(int(runs["epochs"].max()), "epoch")
    return found | {"stuck": count(stuck) if stuck else "none", "stuck_below": percent(STUCK, 0)}


def margins(runs: pd.DataFrame) -> pd.DataFrame:
    """The median highest rate that trains, for other margins too: a row a margin, a column a network."""
    rows = []
    for margin in sorted({MARGIN, *OTHER_MARGINS}):
        medians = rates.ranges(runs, margin).groupby("normalization", observed=True)["highest"].median()
        written = {str(name): _rate(runs, rate) for name, rate in medians.items()}
        rows.append({"points below the best": round(100 * margin)} | written)
    return pd.DataFrame(rows)


def _rate(runs: pd.DataFrame, value: float, missing: str = "none") -> str:
    """A rate at which a range ends; a bound, where the rates tried end there; `missing` where there is no range."""
    if not math.isfinite(value):
        return missing
    first, last = runs["learning_rate"].min(), runs["learning_rate"].max()
    return f"{'≤ ' if value <= first else '≥ ' if value >= last else ''}{significant(value, 2)}"
