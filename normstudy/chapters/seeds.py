"""The study's variants with several seeds: how accurate each is, how much of that is chance, and what picking gains."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import bootstrap, inference, spread
from normstudy.chapters import claims
from normstudy.display.figures import look, new_figure
from normstudy.display.notation import INTERVAL, NO_BREAK, decimal, interval, percent, points, span

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


def figure(rows: pd.DataFrame) -> Figure:
    """Test accuracy, a point a run, with each variant's mean and its interval; and what picking makes of it.

    `rows` has a row a run and epoch.
    """
    drawn, axes = new_figure(5.6, 2.8)
    runs = inference.last_epochs(rows)
    axis, table, best = axes[0, 0], summary(runs), picked(rows)
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


def describe(rows: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = "; ".join(
        f"{name} " + ", ".join(decimal(100 * value, 2) for value in part["test_accuracy"])
        for name, part in inference.last_epochs(rows).groupby("normalization", observed=True)
    )
    return (
        f"Test accuracy after the last epoch, a point a seed: {said}{NO_BREAK}%. Bars are the means with their "
        f"{INTERVAL}s. A line at {percent(picked(rows).of_many)} is the best epoch of the best of {PICKED_FROM} runs."
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


def answer(rows: pd.DataFrame, dataset: str) -> list[str]:
    """What became of each prediction of the section; `rows` has a row a run and epoch."""
    runs = inference.last_epochs(rows)
    pairs = bootstrap.pairs(runs, "normalization")
    return [
        f"**Methods** is {claims.BORNE_OUT if len(apart := pairs[pairs['p'] < inference.LEVEL]) else claims.OPEN}"
        + (f" for {' and '.join(f'{row.first} − {row.second}' for row in apart.itertuples())}" if len(apart) else "")
        + ": over seeds and images, "
        + "; ".join(f"{row.first} minus {row.second} is {points(row, 3)}" for row in pairs.itertuples())
        + ".",
        _of_images(parts(runs)),
        *_of_picking(picked(rows), pairs, dataset),
    ]


def _of_images(table: pd.DataFrame) -> str:
    """Whether most of the spread between seeds is which images fall to which network."""
    row = table.iloc[-1]
    verdict = claims.OPEN
    if row["share_high"] < 0.5:
        verdict = claims.BORNE_OUT
    elif row["share_low"] > 0.5:
        verdict = claims.CONTRADICTED
    seen, left, between = (
        decimal(100 * np.sqrt(max(row[name], 0)) if row[name] == row[name] else np.nan, 3)
        for name in ("seen", "seed", "images")
    )
    shares = interval(100 * row["share_low"], 100 * row["share_high"], 0)
    return (
        f"**Images** is {verdict}: between seeds of a variant, accuracies have a standard deviation of {seen} "
        f"percentage points. On very many images, {left} would be left: {shares}{NO_BREAK}% of the variance "
        f"({INTERVAL}). With other sets of as many images, the mean over very many seeds would vary by {between}."
    )


def _of_picking(found: Picked, pairs: pd.DataFrame, dataset: str) -> list[str]:
    """What picking the best of many gains, beside the differences between the variants."""
    gain, least = 100 * (found.of_many - found.last), 100 * (found.low - found.last)
    widest = 100 * pairs[["low", "high"]].abs().max(axis=None)
    largest = 100 * pairs["mean"].abs().max()
    verdict = claims.BORNE_OUT if least > widest else claims.OPEN if gain > largest else claims.CONTRADICTED
    sentences = [
        f"**Picking** is {verdict}: the mean is {percent(found.last, 3)} after the last epoch and "
        f"{percent(found.best, 3)} after each run's best; the best of {PICKED_FROM} runs has "
        f"{percent(found.of_many, 3)} ({span(percent(found.low), percent(found.high))} in 95 of 100 choices). That "
        f"gains {decimal(gain, 3)} percentage points, where the variants differ by {decimal(largest, 3)} at most."
    ]
    if dataset in PEERS:
        theirs = PEERS[dataset]
        sentences.append(
            f"Picked in the same way, {percent(theirs)} stands beside {percent(found.of_many)} here. If picking gained "
            f"as much there, a network of theirs that nobody picked has about {percent(theirs - gain / 100)}."
        )
    return sentences
