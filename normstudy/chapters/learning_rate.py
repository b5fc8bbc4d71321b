"""Learning rates: test accuracy against the peak rate for each normalization, and how wide a range of rates trains."""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from normstudy.analysis import inference
from normstudy.analysis.inference import GUESSING, LEVEL
from normstudy.display.figures import COLOURS, DASHES, MARKERS, new_figure
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
    names = list(runs["normalization"].cat.categories)
    for axis in axes[:, 0]:
        for number, name in enumerate(names):
            part = table[table["normalization"] == name]
            # Cut to what an accuracy can be; moved apart a little, or the intervals would hide one another.
            low, high = part["low"].clip(lower=0), part["high"].clip(upper=1)
            axis.errorbar(
                part["learning_rate"] * 1.03 ** (number - (len(names) - 1) / 2),
                100 * part["mean"],
                yerr=100 * np.array([part["mean"] - low, high - part["mean"]]),
                color=COLOURS[name],
                linestyle=DASHES[name],
                marker=MARKERS[name],
                linewidth=1.4,
                capsize=2,
                label=name,
            )
        axis.set_xscale("log")
        rates = sorted(runs["learning_rate"].unique())
        axis.set_xticks(rates, [exact(rate) for rate in rates])
        axis.xaxis.set_minor_locator(NullLocator())
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
    said = "; ".join(
        f"{name} "
        + ", ".join(f"{decimal(100 * row.mean, 1)} at {exact(row.learning_rate)}" for row in part.itertuples())
        for name, part in accuracies(runs).groupby("normalization", observed=True)
    )
    return f"Mean test accuracy in percent by peak learning rate, with {INTERVAL}s over the seeds: {said}."


def ranges(runs: pd.DataFrame) -> pd.DataFrame:
    """The range of learning rates that trains with each normalization (see `effects.decades_that_train`).

    Returns:
        A row a normalization: `normalization`, `mean`, `low`, `high` (its decades and their 95 % interval over the
        seeds, cut to what the rates tried allow), `seeds`, `lowest` and `highest` (of the rates that are in the range
        of every seed; NaN if there are none), `at_lowest` and `at_highest` (in how many seeds the range reaches that
        end of the rates tried), `best_rate` (of the highest mean accuracy), `accuracy` (that mean), `accuracy_low` and
        `accuracy_high` (its interval).
    """
    found = inference.decades_that_train(runs, MARGIN)
    first, last = runs["learning_rate"].min(), runs["learning_rate"].max()
    table = inference.summary(found, ["normalization"], "decades")
    table[["low", "high"]] = table[["low", "high"]].clip(0, math.log10(last / first))
    grouped = found.groupby("normalization", observed=True)
    lowest, highest = (grouped["lowest"].max(), grouped["highest"].min())
    common = (lowest <= highest) & grouped["lowest"].count().eq(grouped.size())  # count: of those that are not NaN
    means = accuracies(runs)
    best = means.loc[means.groupby("normalization", observed=True)["mean"].idxmax()].set_index("normalization")
    more = {
        "lowest": lowest.where(common),
        "highest": highest.where(common),
        "at_lowest": found["lowest"].eq(first).groupby(found["normalization"], observed=True).sum(),
        "at_highest": found["highest"].eq(last).groupby(found["normalization"], observed=True).sum(),
        "best_rate": best["learning_rate"],
        "accuracy": best["mean"],
        "accuracy_low": best["low"],
        "accuracy_high": best["high"].clip(upper=1),
    }
    return table.set_index("normalization").assign(**more).reset_index()


def decades(runs: pd.DataFrame) -> pd.DataFrame:
    """`ranges` as the report prints it."""
    table = ranges(runs)
    return pd.DataFrame(
        {
            "normalization": table["normalization"],
            "decades": [f"{decimal(row.mean, 2)}{_interval(row.low, row.high)}" for row in table.itertuples()],
            "trains in every seed": [
                "no rate" if math.isnan(row.lowest) else span(exact(row.lowest), exact(row.highest))
                for row in table.itertuples()
            ],
            "best rate": table["best_rate"].map(exact),
            "accuracy there (%)": [
                f"{decimal(100 * row.accuracy, 2)}{_interval(100 * row.accuracy_low, 100 * row.accuracy_high)}"
                for row in table.itertuples()
            ],
        }
    )


def _interval(low: float, high: float, what: str = "") -> str:
    """An interval over the seeds in brackets; a single seed has none."""
    if math.isnan(low):
        return ""
    return " (in every seed)" if math.isclose(low, high, abs_tol=1e-9) else f" ({what}{interval(low, high, 2)})"


def comparisons(runs: pd.DataFrame) -> pd.DataFrame:
    """The decades of every two normalizations, seed by seed: `effects.pairs` of them."""
    return inference.pairs(inference.decades_that_train(runs, MARGIN), "normalization", "decades")


def findings(runs: pd.DataFrame) -> list[str]:
    """Which normalization trains over the widest range, by how much, and how sure that is, a sentence each."""
    table = ranges(runs)
    sentences = [_widest(table)]
    if runs["seed"].nunique() > 1:
        pairs = comparisons(runs)
        of_none = (pairs["first"] == "none") | (pairs["second"] == "none")
        sentences += _against_none(pairs[of_none]) + _normalized(pairs[~of_none])
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


def _certainty(low: float, high: float, p: float) -> str:
    same = math.isclose(low, high, abs_tol=1e-9)  # the rates are steps, so that all seeds may well agree
    return "the same in every seed" if same else certainty(low, high, p, 2)


def _against_none(pairs: pd.DataFrame) -> list[str]:
    said: dict[str, list[str]] = {"wider": [], "narrower": [], "noise": []}
    for row in pairs.itertuples():
        sign = 1 if row.second == "none" else -1
        name, mean = row.first if sign > 0 else row.second, sign * row.mean
        low, high = sorted((sign * row.low, sign * row.high))
        kind = ("wider" if mean > 0 else "narrower") if row.p < LEVEL else "noise"
        said[kind].append(f"{decimal(mean, 2, sign=True)} decades with `{name}` ({_certainty(low, high, row.p)})")
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


def _normalized(pairs: pd.DataFrame) -> list[str]:
    if not len(pairs):
        return []
    apart = [
        f"{decimal(row.mean, 2, sign=True)} decades for `{row.first}` minus `{row.second}` "
        f"({_certainty(row.low, row.high, row.p)})"
        for row in pairs[pairs["p"] < LEVEL].itertuples()
    ]
    if apart:
        return [
            f"Among the networks that normalize, {out_of(len(apart), len(pairs), 'pair')} "
            f"{'differs' if len(apart) == 1 else 'differ'} by more than chance would give: {', '.join(apart)}."
        ]
    row = pairs.loc[pairs["mean"].abs().idxmax()]
    return [
        f"Among the networks that normalize, {out_of(0, len(pairs), 'difference')} can be told from noise. The largest "
        f"is {decimal(row['mean'], 2, sign=True)} decades, `{row['first']}` minus `{row['second']}` "
        f"({_certainty(row['low'], row['high'], row['p'])})."
    ]


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
        means = inference.decades_that_train(runs, margin).groupby("normalization", observed=True)["decades"].mean()
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
