"""What normalization and penalty do: differences between their levels, and what two combinations owe to each.

Each is a weighted sum over combinations of a normalization and a penalty. What it is sure of depends on the outcome:
accuracies have their chance of seeds and of images, losses only that of seeds.
"""

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from normstudy.analysis import bootstrap
from normstudy.analysis.inference import holm, student
from normstudy.normalizations import NORMALIZING

CELL = ["normalization", "penalty"]
Cell = tuple[str, str]
Sums = dict[tuple[str, str, str], Mapping[Cell, float]]
"""What a difference is called → the weight of each combination in it."""

Find = Callable[[Sequence[Mapping[Cell, float]]], pd.DataFrame]
"""Weighted sums of an outcome → `mean`, `low`, `high` (95 % interval), `p` (not corrected), a row each."""


def over_seeds(runs: pd.DataFrame, outcome: str) -> Find:
    """A column of the table of runs, with the chance of the seeds.

    Raises:
        ValueError: a combination is missing, or is there more than once.
    """
    if runs.duplicated(["seed", *CELL]).any():
        raise ValueError("a combination of seed, normalization and penalty is there more than once")
    wide = runs.pivot(index="seed", columns=CELL, values=outcome)
    if wide.shape[1] < runs["normalization"].nunique() * runs["penalty"].nunique() or wide.isna().any(axis=None):
        raise ValueError("a combination of seed, normalization and penalty is missing")
    values = wide.to_numpy()
    return lambda sums: student(values @ np.array([[each.get(cell, 0) for each in sums] for cell in wide]))


def over_both(runs: pd.DataFrame, draws: int = bootstrap.RESAMPLES) -> tuple[Find, Find]:
    """Accuracy (0 to 1), and the logarithm of the odds of a mistake, with the chance of seeds and images.

    Logarithms of odds have about the same spread near 100 % as elsewhere.
    """
    accuracy = bootstrap.resample(runs, CELL, draws)
    odds = in_odds(accuracy, int(runs["test_images"].iloc[0]))
    of_accuracy, of_odds = (functools.partial(bootstrap.contrasts, each) for each in (accuracy, odds))
    return of_accuracy, of_odds


def in_odds(accuracy: bootstrap.Resampled, images: int) -> bootstrap.Resampled:
    """Accuracies on so many images as logarithms of the odds of a mistake, none further out than half a mistake."""
    least = 0.5 / (accuracy.seeds * images)

    def log_odds(accuracy: Any) -> Any:
        mistakes = (1 - accuracy).clip(least, 1 - least)
        return np.log(mistakes / (1 - mistakes))

    return accuracy._replace(found=log_odds(accuracy.found), drawn=log_odds(accuracy.drawn))


def contrasts(runs: pd.DataFrame, find: Find) -> pd.DataFrame:
    """How far the levels of each factor are apart.

    Normalizations are averaged over the penalties. Penalties are averaged over the normalizations that normalize.

    Returns:
        A row a difference: `kind` ("against none", "pair" among those that normalize, or "penalty" against no penalty),
        `first`, `second`, `mean` (of first minus second), `low`, `high`, `p` (corrected for the number of its kind).
    """
    normalizations, penalties = (list(runs[name].cat.categories) for name in CELL)
    normalizing = [name for name in normalizations if name in NORMALIZING]
    pairs = [("pair", *both) for both in itertools.combinations(normalizing, 2)]
    if "none" in normalizations:
        pairs = [("against none", name, "none") for name in normalizing] + pairs
    sums: Sums = {
        (kind, first, second): {(first, each): 1 / len(penalties) for each in penalties}
        | {(second, each): -1 / len(penalties) for each in penalties}
        for kind, first, second in pairs
    }
    for penalty in penalties[1:]:  # the first is none
        weight = 1 / len(normalizing)
        sums["penalty", penalty, "none"] = {(each, penalty): weight for each in normalizing} | {
            (each, "none"): -weight for each in normalizing
        }
    return _found(sums, find, ["kind", "first", "second"], "kind")


def decomposition(cells: Mapping[str, Cell], find: Find) -> pd.DataFrame:
    """What the difference between two combinations owes to the normalization, and what to the penalty.

    One is changed into the other by changing normalization and penalty one after the other, in both orders. What each
    change makes, averaged over the orders, is its part (Shapley, 1953): the two add up to the whole difference, and
    nothing enters but the two combinations and the two on the way.

    Args:
        cells: a name → its normalization and its penalty.
        find: the outcome.

    Returns:
        Four rows for every two names: `first`, `second`, `source` ("all", "normalization", "penalty", and "order": by
        how much the part of the penalty is larger if it is changed last), `mean` (of first minus second), `low`,
        `high`, `p` (corrected for the number of rows of its source).
    """
    sums: Sums = {}
    for one, other in itertools.combinations(cells, 2):
        (a, b), (c, d) = cells[one], cells[other]
        for source, weights in (
            ("all", (1, 0, 0, -1)),
            ("normalization", (0.5, 0.5, -0.5, -0.5)),
            ("penalty", (0.5, -0.5, 0.5, -0.5)),
            ("order", (1, -1, -1, 1)),
        ):
            weighted: dict[Cell, float] = dict.fromkeys([(a, b), (a, d), (c, b), (c, d)], 0.0)
            for cell, weight in zip([(a, b), (a, d), (c, b), (c, d)], weights, strict=True):
                weighted[cell] += weight  # two of them are one where normalization or penalty is the same
            sums[one, other, source] = weighted
    return _found(sums, find, ["first", "second", "source"], "source")


def _found(sums: Sums, find: Find, names: list[str], kind: str) -> pd.DataFrame:
    """What is found of each sum, beside what it is called; each p is corrected for the number of its `kind`."""
    labels = pd.DataFrame(list(sums), columns=names, dtype=object)
    table = labels.join(find(list(sums.values())))
    return table.assign(p=table.groupby(kind, sort=False)["p"].transform(holm))
