"""Between which learning rates a network trains, and whose highest rate is higher.

A table of runs has the columns `normalization` (a category), `seed`, `learning_rate`, `test_accuracy` (0 to 1), and for
`leads` those of `bootstrap`.
"""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd

from normstudy.analysis import bootstrap
from normstudy.analysis.inference import LEVEL, holm, median, sign_test


def ranges(runs: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Between which learning rates each normalization trains, for each seed.

    A rate trains if its accuracy is at most `margin` below the best of all runs with the same seed. The range is the
    widest one without a rate that does not. Between the last rate that trains and the next one, accuracy is taken to
    go in a straight line over the logarithm of the rate: where that passes what is needed, the range ends.

    Returns:
        A row for each normalization and seed: `lowest`, `highest`, `decades` (between them); `open_below` and
        `open_above`: whether the range reaches that end of the rates tried, so that it may be wider. If no rate trains,
        `lowest` is ∞, `highest` −∞, and `decades` 0.
    """
    needed = runs.groupby("seed")["test_accuracy"].max() - margin
    rows = []
    for (normalization, seed), part in runs.groupby(["normalization", "seed"], observed=True):
        part = part.sort_values("learning_rate")
        found = _widest(
            np.log10(part["learning_rate"].to_numpy(float)), part["test_accuracy"].to_numpy() - needed[seed]
        )
        rows.append({"normalization": normalization, "seed": seed, **found})
    return pd.DataFrame(rows).astype({"normalization": runs["normalization"].dtype})


def _widest(rates: np.ndarray, above: np.ndarray) -> dict[str, Any]:
    """The widest range of logarithms of rates whose accuracies, by so much `above` what is needed, all train."""
    best: dict[str, Any] = {"lowest": math.inf, "highest": -math.inf, "decades": 0.0}
    best |= {"open_below": False, "open_above": False}
    trains = np.concatenate([[False], above >= 0, [False]]).astype(int)
    begins, ends = np.flatnonzero(np.diff(trains) == 1), np.flatnonzero(np.diff(trains) == -1) - 1
    for first, last in zip(begins.tolist(), ends.tolist(), strict=True):
        low, high = _passes(rates, above, first, first - 1), _passes(rates, above, last, last + 1)
        if high - low >= best["decades"]:
            best = {"lowest": 10**low, "highest": 10**high, "decades": high - low}
            best |= {"open_below": first == 0, "open_above": last == len(rates) - 1}
    return best


def _passes(rates: np.ndarray, above: np.ndarray, inside: int, outside: int) -> float:
    """Where accuracy passes what is needed, between a rate that trains and its neighbour, if it has one."""
    if not 0 <= outside < len(rates):
        return float(rates[inside])
    way = above[inside] / (above[inside] - above[outside])
    return float(rates[inside] + way * (rates[outside] - rates[inside]))


def comparisons(runs: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Whose highest rate is higher, seed by seed: each normalization's or none's, from either initialization.

    Returns:
        A row a pair: `first`, `second` (a network without normalization), `mean` (by how many decades the first's is
        higher, the median over the seeds; ±∞ where only one trains at all) with `low` and `high` (see
        `median`), `p` of the sign test, corrected for the number of pairs.
    """
    found = ranges(runs, margin)
    found["decade"] = np.log10(found["highest"].where(found["highest"] > 0)).fillna(-math.inf)
    wide = found.pivot(index="seed", columns="normalization", values="decade")
    without = [name for name in wide if str(name).startswith("none")]
    pairs = [(first, second) for second in without for first in wide if first not in without]
    pairs += [(second, first) for first, second in itertools.pairwise(without)]
    rows = []
    for first, second in pairs:
        difference = (wide[first] - wide[second]).fillna(0).to_numpy()  # −∞ − −∞ where neither trains
        rows.append((first, second, *median(difference), sign_test(difference)))
    table = pd.DataFrame(rows, columns=["first", "second", "mean", "low", "high", "p"])
    return table.assign(p=holm(table["p"]))


def enough_seeds(comparisons: int) -> int:
    """With how many seeds the sign test finds one of so many differences, if it has the same sign in all of them."""
    return next(seeds for seeds in itertools.count(2) if comparisons * sign_test(np.ones(seeds)) < LEVEL)


def leads(runs: pd.DataFrame, rate: float) -> pd.DataFrame:
    """With one learning rate, how much more accurate the network is with each normalization than without.

    Returns:
        `normalization`, `mean`, `low`, `high` (over seeds and test images), `p` (corrected for the number of
        normalizations), a row each.
    """
    resampled = bootstrap.resample(runs[runs["learning_rate"] == rate], ["normalization"])
    names = [name for name in resampled.found.index if not name.startswith("none")]
    table = bootstrap.contrasts(resampled, [{name: 1, "none": -1} for name in names])
    return pd.DataFrame({"normalization": names}).join(table.assign(p=holm(table["p"])))
