"""Learning rates: test accuracy against the peak rate for each normalization, and how wide a range of rates trains."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import inference
from normstudy.analysis.inference import GUESSING, LEVEL
from normstudy.chapters import claims
from normstudy.display import lines
from normstudy.display.figures import new_figure
from normstudy.display.notation import (
    INTERVAL,
    certainty,
    count,
    counted,
    decimal,
    exact,
    interval,
    out_of,
    percent,
    span,
)

MARGIN = 0.02
"""How far below the best run of its seed the accuracy of a rate that trains may lie."""

OTHER_MARGINS = (0.01, 0.05)
"""With which the ranges are computed once more, to see how much hangs on `MARGIN`."""

STUCK = 0.2
"""A run whose accuracy stays below this has hardly learned: guessing one of ten classes gives 0.1."""


def accuracies(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy for each `normalization` and `learning_rate`, with its 95 % interval over the seeds."""
    return inference.summary(runs, ("normalization", "learning_rate"), "test_accuracy").astype({"learning_rate": float})


def figure(runs: pd.DataFrame) -> Figure:
    """Accuracy against peak learning rate, with 95 % intervals over the seeds: above whole, below its upper end."""
    drawn, axes = new_figure(5.2, 6.2, rows=2)
    table = accuracies(runs)
    table[["low", "high"]] = table[["low", "high"]].clip(0, 1)  # what an accuracy can be
    for axis in axes[:, 0]:
        lines.set_ticks(axis, sorted(runs["learning_rate"].unique()))
        lines.draw(axis, table, "learning_rate", spread=0.03)
        axis.set_xlabel("Peak learning rate")
        axis.set_ylabel("Test accuracy (%)")
    above, below = axes[:, 0]
    above.legend(loc="lower left", frameon=False)
    needed = runs.groupby("seed")["test_accuracy"].max().mean() - MARGIN
    below.axhline(100 * needed, color="#333333", linewidth=1)
    below.set_ylim(100 * (needed - 1.5 * MARGIN), 100 * min(1, needed + 1.5 * MARGIN))
    below.set_title("The upper end", fontsize=10)
    return drawn


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = lines.in_words(accuracies(runs), "learning_rate", 1)
    return f"Mean test accuracy in percent by peak learning rate, with {INTERVAL}s over the seeds: {said}."


def decades_that_train(runs: pd.DataFrame, margin: float = 0.02) -> pd.DataFrame:
    """How wide the range of learning rates is that trains, for each normalization and seed.

    A rate trains if its accuracy is at most `margin` below the best of all runs with the same seed. The range is the
    longest one of neighbouring rates that all train.

    Returns:
        A row for each normalization and seed: `lowest`, `highest`, `decades` (their distance; NaN, NaN and 0 if no rate
        trains).
    """
    rows = []
    best = runs.groupby("seed")["test_accuracy"].max()
    for (normalization, seed), part in runs.groupby(["normalization", "seed"], observed=True):
        part = part.sort_values("learning_rate")
        trains = part["test_accuracy"] >= best[seed] - margin
        stretches = [stretch["learning_rate"] for _, stretch in part[trains].groupby((~trains).cumsum()[trains])]
        longest = max(stretches, key=lambda rates: rates.max() / rates.min(), default=pd.Series([np.nan]))
        low, high = longest.min(), longest.max()
        decades = math.log10(high / low) if stretches else 0.0
        rows.append({"normalization": normalization, "seed": seed, "lowest": low, "highest": high, "decades": decades})
    table = pd.DataFrame(rows)
    return table.astype({"normalization": runs["normalization"].dtype})


def ranges(runs: pd.DataFrame) -> pd.DataFrame:
    """The range of learning rates that trains with each normalization (see `decades_that_train`).

    Returns:
        A row a normalization: `normalization`, `mean`, `low`, `high` (its decades and their 95 % interval over the
        seeds, cut to what the rates tried allow), `seeds`, `lowest` and `highest` (of the rates that are in the range
        of every seed; NaN if there are none), `at_lowest` and `at_highest` (in how many seeds the range reaches that
        end of the rates tried), `best_rate` (of the highest mean accuracy), `accuracy` (that mean), `accuracy_low` and
        `accuracy_high` (its interval).
    """
    found = decades_that_train(runs, MARGIN)
    first, last = runs["learning_rate"].min(), runs["learning_rate"].max()
    table = inference.summary(found, ["normalization"], "decades").set_index("normalization")
    table[["low", "high"]] = table[["low", "high"]].clip(0, math.log10(last / first))
    grouped = found.assign(
        at_lowest=found["lowest"] == first, at_highest=found["highest"] == last, trains=found["lowest"].notna()
    ).groupby("normalization", observed=True)
    common = grouped.agg(lowest=("lowest", "max"), highest=("highest", "min"))
    common = common.where((common["lowest"] <= common["highest"]) & grouped["trains"].all())
    means = accuracies(runs)
    best = means.loc[means.groupby("normalization", observed=True)["mean"].idxmax()].set_index("normalization")
    best = best.assign(high=best["high"].clip(upper=1))[["learning_rate", "mean", "low", "high"]]
    best.columns = pd.Index(["best_rate", "accuracy", "accuracy_low", "accuracy_high"])
    return table.join([common, grouped[["at_lowest", "at_highest"]].sum(), best]).reset_index()


def decades(runs: pd.DataFrame) -> pd.DataFrame:
    """`ranges` as the report prints it."""
    table = ranges(runs)
    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "normalization": table["normalization"],
            "decades": [f"{decimal(row.mean, 2)}{_interval(row.low, row.high)}" for row in rows],
            "trains in every seed": [
                "no rate" if math.isnan(row.lowest) else span(exact(row.lowest), exact(row.highest)) for row in rows
            ],
            "best rate": table["best_rate"].map(exact),
            "accuracy there (%)": [
                f"{decimal(100 * row.accuracy, 2)}{_interval(100 * row.accuracy_low, 100 * row.accuracy_high)}"
                for row in rows
            ],
        }
    )


def _interval(low: float, high: float, what: str = "") -> str:
    """An interval over the seeds in brackets; a single seed has none."""
    if math.isnan(low):
        return ""
    return " (in every seed)" if math.isclose(low, high, abs_tol=1e-9) else f" ({what}{interval(low, high, 2)})"


def comparisons(runs: pd.DataFrame) -> pd.DataFrame:
    """The decades of every two normalizations, seed by seed: `inference.pairs` of them."""
    return inference.pairs(decades_that_train(runs, MARGIN), "normalization", "decades")


def findings(runs: pd.DataFrame) -> list[str]:
    """Which normalization trains over the widest range, by how much, and how sure that is, a sentence each."""
    table = ranges(runs)
    sentences = [_widest(table)]
    if runs["seed"].nunique() > 1:
        pairs = comparisons(runs)
        sentences += [*_against_none(pairs), *claims.largest(pairs, "the width of their range", "decades")]
    else:
        sentences.append("With a single seed, none of these differences can be told from noise.")
    return [*sentences, *_ends(runs, table), _margins(runs), *_failures(runs)]


def _widest(table: pd.DataFrame) -> str:
    """Who has the widest range, and who the narrowest."""
    said = []
    for kind, extreme in (("widest", table["mean"].max()), ("narrowest", table["mean"].min())):
        part, width = table[np.isclose(table["mean"], extreme)], f"{decimal(extreme, 2)} decades"
        names = " and ".join(
            f"`{row.normalization}`{_interval(row.low, row.high, f'{INTERVAL} ')}" for row in part.itertuples()
        )
        if len(part) == len(table):
            return f"The range of learning rates that trains is equally wide for all: {width} on average."
        said.append(f"{kind}, {width}, with {names}")
    return f"On average over the seeds, the range of learning rates that trains is {said[0]}, and {said[1]}."


def _against_none(pairs: pd.DataFrame) -> list[str]:
    said: dict[str, list[str]] = {"wider": [], "narrower": [], "noise": []}
    for row in pairs[pairs["second"] == "none"].itertuples():  # which comes last in the order of the study
        kind = ("wider" if row.mean > 0 else "narrower") if row.p < LEVEL else "noise"
        same = math.isclose(row.low, row.high, abs_tol=1e-9)  # the rates are steps, so that all seeds may well agree
        sure = "the same in every seed" if same else certainty(row.low, row.high, row.p, 2)
        said[kind].append(f"{decimal(row.mean, 2, sign=True)} decades with `{row.first}` ({sure})")
    sentences = [
        f"Compared seed by seed, the range is {kind} than without normalization, by more than chance would give: "
        f"{', '.join(said[kind])}."
        for kind in ("wider", "narrower")
        if said[kind]
    ]
    if said["noise"]:
        sentences.append(
            f"These differences from the range without normalization are within noise: {', '.join(said['noise'])}."
        )
    return sentences


def _ends(runs: pd.DataFrame, table: pd.DataFrame) -> list[str]:
    """Where the rates tried cut a range off."""
    sentences = []
    for end, beyond, rate in (
        ("lowest", "below", runs["learning_rate"].min()),
        ("highest", "above", runs["learning_rate"].max()),
    ):
        reached = [
            f"with `{row['normalization']}` in {out_of(row[f'at_{end}'], row['seeds'], 'seed')}"
            for _, row in table[table[f"at_{end}"] > 0].iterrows()
        ]
        if reached:
            sentences.append(
                f"The range reaches the {end} rate tried, {exact(rate)}, and may go on {beyond} it, "
                f"{', '.join(reached)}."
            )
    return sentences


def _margins(runs: pd.DataFrame) -> str:
    said = []
    for margin in OTHER_MARGINS:
        means = decades_that_train(runs, margin).groupby("normalization", observed=True)["decades"].mean()
        widths = ", ".join(f"{name} {decimal(mean, 2)}" for name, mean in means.items())
        said.append(f"within {_points(margin)} of the best: {widths}")
    return (
        f"The ranges depend on what counts as training. Here it is an accuracy within {_points(MARGIN)} of the best. "
        f"Mean decades {'; '.join(said)}."
    )


def _points(margin: float) -> str:
    return counted(round(100 * margin), "percentage point")


def _failures(runs: pd.DataFrame) -> list[str]:
    """How many runs diverged, and how many others hardly learned, and where."""
    diverged = runs[runs["diverged"]]
    stuck = runs[~runs["diverged"] & (runs["test_accuracy"] < STUCK)]
    sentences = [
        f"{out_of(len(diverged), len(runs), 'run').capitalize()} diverged"
        + (f" and count as guessing: {_places(diverged)}." if len(diverged) else ".")
    ]
    if len(stuck):
        sentences.append(
            f"{out_of(len(stuck), len(runs), 'run').capitalize()} did not diverge, but ended below "
            f"{percent(STUCK, 0)} test accuracy, where guessing gives {percent(GUESSING['test_accuracy'], 0)}: "
            f"{_places(stuck)}."
        )
    return sentences


def _places(runs: pd.DataFrame) -> str:
    counts = runs.groupby(["normalization", "learning_rate"], observed=True).size()
    return ", ".join(f"{count(number)} with `{name}` at {exact(rate)}" for (name, rate), number in counts.items())
