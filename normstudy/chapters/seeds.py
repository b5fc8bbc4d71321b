"""The study's variants with several seeds: how accurate each is, how much of that is chance, and what picking gains."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import inference, spread
from normstudy.chapters.claims import Holds
from normstudy.display.estimates import points
from normstudy.display.figures import look, new_figure
from normstudy.display.notation import INTERVAL, NO_BREAK, count, decimal, interval, listed, percent, span

PICKED_FROM = 48
"""Runs of the repository gkdivya/EVA, of the best of which it reports the best epoch (Kamat et al., 2021)."""

PEERS = {"mnist": 0.9961}
"""What it reports, by dataset."""


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy (0 to 1) of each variant over its seeds: `mean`, `low` and `high`, `sd`, `worst`, `best`.

    `runs` is a table of runs (see `inference`). With a single seed there is no interval: NaN.
    """
    grouped = runs.groupby("normalization", observed=True)
    spread = grouped["test_accuracy"].agg(sd="std", worst="min", best="max").reset_index(drop=True)
    epochs = grouped["epoch"].max().reset_index(drop=True)
    return inference.summary(runs, ["normalization"], "test_accuracy").join(spread).assign(epochs=epochs)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`summary` as the report prints it, in percent."""
    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "variant": table["normalization"],
            "seeds": table["seeds"],
            "epochs": table["epochs"],
            "mean (%)": [decimal(100 * row.mean, 3) for row in rows],
            "standard deviation": [decimal(100 * row.sd, 3) for row in rows],
            INTERVAL: [interval(100 * row.low, 100 * row.high, 3) for row in rows],
            "worst": [decimal(100 * row.worst, 3) for row in rows],
            "best": [decimal(100 * row.best, 3) for row in rows],
        }
    )


class Picked(NamedTuple):
    """Mean test accuracies (0 to 1) of the runs, whatever their variant.

    Attributes:
        last: after the last epoch.
        best: after each run's best epoch, by its test accuracy.
        of_many: of the best epoch of the best of `PICKED_FROM` runs, with `low` and `high` (see `spread.best_of`).
    """

    last: float
    best: float
    of_many: float
    low: float
    high: float


def picked(rows: pd.DataFrame) -> Picked:
    """What picking by the test images makes of the accuracies; `rows` has a row a run and epoch."""
    best = rows.groupby("run")["test_accuracy"].max().dropna()
    last = rows.loc[rows.groupby("run")["epoch"].idxmax(), "test_accuracy"]
    return Picked(float(last.mean()), float(best.mean()), *spread.best_of(best.to_numpy(), PICKED_FROM))


def figure(runs: pd.DataFrame, table: pd.DataFrame, best: Picked) -> Figure:
    """Test accuracy, a point a run, with each variant's mean and its interval; and what picking makes of it.

    `table` is that of `summary`.
    """
    drawn, axes = new_figure(4.1, 2.8)
    axis = axes[0, 0]
    axis.axvspan(100 * best.low, 100 * best.high, color="#dddddd", linewidth=0, zorder=0)
    axis.axvline(100 * best.of_many, color="#333333", linewidth=1, label=f"best of {PICKED_FROM}")
    for place, row in enumerate(table.itertuples()):
        values = 100 * runs.loc[runs["normalization"] == row.normalization, "test_accuracy"]
        offsets = np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else np.zeros(1)
        axis.plot(values, place + offsets, **look(row.normalization, linestyle="none"))
        half = 100 * (row.high - row.mean)
        axis.errorbar(100 * row.mean, place + 0.27, xerr=half, fmt="|", color="#333333", capsize=4)
    axis.set_yticks(range(len(table)), table["normalization"])
    axis.set_ylim(len(table) - 0.5, -0.5)
    axis.set_xlabel("Test accuracy (%)")
    return drawn


def describe(runs: pd.DataFrame, best: Picked) -> str:
    """The figure in words, with its numbers."""
    said = "; ".join(
        f"{name} " + ", ".join(decimal(100 * value, 2) for value in part["test_accuracy"])
        for name, part in runs.groupby("normalization", observed=True)
    )
    return (
        f"Test accuracy after the last epoch, a point a seed: {said}{NO_BREAK}%. Bars are the means with their "
        f"{INTERVAL}s. A line at {percent(best.of_many)} is the best epoch of the best of {PICKED_FROM} runs."
    )


def parts(runs: pd.DataFrame) -> pd.DataFrame:
    """Of what the spread of each variant's accuracies is made: `spread.decomposition` of the runs that trained."""
    trained = runs[~runs["diverged"]]
    wrong = {str(name): list(part["wrong"]) for name, part in trained.groupby("normalization", observed=True)}
    return spread.decomposition(wrong, int(runs["test_images"].iloc[0]))


def shown_parts(table: pd.DataFrame) -> pd.DataFrame:
    """`parts` as the report prints it: standard deviations in percentage points, which are not below 0."""
    deviations = 100 * np.sqrt(table[["seen", "seed", "luck", "images"]].clip(lower=0))
    shown = deviations.map(lambda value: decimal(value, 3))
    shown.columns = pd.Index(["between seeds", "of it: seed", "of it: images", "between sets of images"])
    share = [interval(100 * row.share_low, 100 * row.share_high, 0) for row in table.itertuples()]
    return pd.concat([table[["kind", "seeds"]], shown, pd.Series(share, name="share of seed (%)")], axis=1)


def difference_figure(pairs: pd.DataFrame, found: Picked) -> Figure:
    """How far the variants are apart, and what picking gains, in percentage points with their 95 % intervals.

    `pairs` is the table of `bootstrap.pairs`; the last row is the best of many runs minus the mean, in 95 of 100
    choices.
    """
    drawn, axes = new_figure(4.1, 2.8)
    axis = axes[0, 0]
    rows = [(f"{row.first} − {row.second}", row.mean, row.low, row.high, "o") for row in pairs.itertuples()]
    gain, low, high = (value - found.last for value in (found.of_many, found.low, found.high))
    rows.append((f"best of {PICKED_FROM} − mean", gain, low, high, "D"))
    axis.axvline(0, color="#333333", linewidth=1)
    for place, (_, mean, low, high, marker) in enumerate(rows):
        axis.plot([100 * low, 100 * high], [place, place], color="#333333", linewidth=1.5)
        axis.plot(100 * mean, place, marker, color="#333333", markersize=7)
    axis.set_yticks(range(len(rows)), [row[0] for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlabel("Test accuracy, percentage points")
    return drawn


def describe_differences(pairs: pd.DataFrame, found: Picked) -> str:
    """The figure in words, with its numbers."""
    said = "; ".join(f"{row['first']} minus {row['second']} {points(row)}" for _, row in pairs.iterrows())
    gain = decimal(100 * (found.of_many - found.last), 2, sign=True)
    return (
        f"Differences in percentage points, {INTERVAL}s: {said}; the best of {PICKED_FROM} runs minus the mean {gain}."
    )


def numbers(
    runs: pd.DataFrame, parts: pd.DataFrame, pairs: pd.DataFrame, found: Picked, dataset: str
) -> dict[str, str]:
    """What the text says, as it is printed; `pairs` is the table of `bootstrap.pairs`."""
    row = parts.iloc[-1]
    seen, between = (
        decimal(100 * np.sqrt(max(row[name], 0)) if row[name] == row[name] else np.nan, 3)
        for name in ("seen", "images")
    )
    gain = 100 * (found.of_many - found.last)
    largest = pairs.loc[pairs["mean"].abs().idxmax()]
    unpicked = PEERS[dataset] - gain / 100 if dataset in PEERS else np.nan
    return {
        "seeds": count(int(runs["seed"].nunique())),
        "epochs": count(int(runs["epoch"].max())),
        "apart": listed([f"{each.first} beside {each.second}" for each in pairs[_apart(pairs)].itertuples()]),
        "largest": f"{largest['first']} minus {largest['second']}",
        "largest_points": points(largest),
        "seen": seen,
        "between": between,
        "share": interval(100 * row["share_low"], 100 * row["share_high"], 0),
        "last": percent(found.last),
        "best": percent(found.best),
        "of_many": percent(found.of_many),
        "of_many_span": span(percent(found.low), percent(found.high)),
        "gain": decimal(gain, 2),
        "theirs": percent(max(PEERS.values())),
        "unpicked": percent(unpicked),
    }


def claims(parts: pd.DataFrame, pairs: pd.DataFrame, found: Picked, dataset: str) -> dict[str, Holds]:
    """Which of the section's predictions hold; `pairs` is that of `bootstrap.pairs`.

    `methods`: some two variants differ by more than chance (None where no two do). `images`: by its interval, less than
    half of the variance between seeds would be left on very many images. `picking`: in 95 of 100 choices it gains more
    than the interval of any difference between variants allows, or less than that of some difference does. `peers`:
    another repository has reported a picked accuracy on this dataset.
    """
    row = parts.iloc[-1]
    ends = pairs[["low", "high"]]
    furthest = ends.abs().max(axis=None)
    surely_apart = ends.abs().min(axis=1)[ends["low"] * ends["high"] > 0].max()  # not a number where none is
    more, less = found.low - found.last > furthest, found.high - found.last < surely_apart
    return {
        "methods": True if _apart(pairs).any() else None,
        "images": True if row["share_high"] < 0.5 else False if row["share_low"] > 0.5 else None,
        "picking": True if more else False if less else None,
        "peers": dataset in PEERS,
    }


def _apart(pairs: pd.DataFrame) -> pd.Series:
    return pairs["p"] < inference.LEVEL
