"""What normalization and penalty do: differences between their levels, and what two combinations owe to each."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from normstudy.analysis.inference import holm, student
from normstudy.normalizations import NORMALIZING

Columns = dict[tuple[str, str, str], np.ndarray]
"""What a difference is called → the difference, a number a seed."""


def cube(runs: pd.DataFrame, outcome: str) -> tuple[np.ndarray, list[str], list[str]]:
    """An outcome as (S, A, B): seeds, normalizations, penalties; and the names of the normalizations and penalties.

    Raises:
        ValueError: a combination is missing, or is there more than once.
    """
    if runs.duplicated(["seed", "normalization", "penalty"]).any():
        raise ValueError("a combination of seed, normalization and penalty is there more than once")
    wide = runs.pivot(index="seed", columns=["normalization", "penalty"], values=outcome)
    first, second = list(runs["normalization"].cat.categories), list(runs["penalty"].cat.categories)
    wide = wide.reindex(columns=pd.MultiIndex.from_product([first, second]))
    if wide.isna().any(axis=None):
        raise ValueError("a combination of seed, normalization and penalty is missing")
    return wide.to_numpy().reshape(len(wide), len(first), len(second)), first, second


def contrasts(runs: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """How far the levels of each factor are apart, seed by seed.

    Normalizations are averaged over the penalties. Penalties are averaged over the normalizations that normalize.

    Returns:
        A row a difference: `kind` ("against none", "pair" among those that normalize, or "penalty" against no penalty),
        `first`, `second`, `mean` (of first minus second), `low`, `high`, `p` (corrected for the number of its kind).
    """
    values, normalizations, penalties = cube(runs, outcome)
    normalizing = [name for name in normalizations if name in NORMALIZING]
    chosen = [normalizations.index(name) for name in normalizing]
    of_first = dict(zip(normalizations, values.mean(axis=2).T, strict=True))
    of_second = dict(zip(penalties, values[:, chosen].mean(axis=1).T, strict=True))
    columns: Columns = {}
    if "none" in of_first:
        columns |= {("against none", name, "none"): of_first[name] - of_first["none"] for name in normalizing}
    columns |= {("pair", a, b): of_first[a] - of_first[b] for a, b in itertools.combinations(normalizing, 2)}
    columns |= {("penalty", kind, "none"): of_second[kind] - of_second["none"] for kind in penalties if kind != "none"}
    return _students(columns, ["kind", "first", "second"], "kind")


def decomposition(runs: pd.DataFrame, outcome: str, cells: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """What the difference between two combinations owes to the normalization, and what to the penalty.

    One is changed into the other by changing normalization and penalty one after the other, in both orders. What each
    change makes, averaged over the orders, is its part (Shapley, 1953): the two add up to the whole difference, and
    nothing enters but the two combinations and the two on the way.

    Args:
        runs: the table of runs, with every normalization and every penalty.
        outcome: the column that is compared.
        cells: a name → its normalization and its penalty.

    Returns:
        Four rows for every two names: `first`, `second`, `source` ("all", "normalization", "penalty", and "order": by
        how much the part of the penalty is larger if it is changed last), `mean` (of first minus second), `low`,
        `high`, `p` (corrected for the number of rows of its source).
    """
    values, normalizations, penalties = cube(runs, outcome)
    columns: Columns = {}
    for one, other in itertools.combinations(cells, 2):
        (a, b), (c, d) = ((normalizations.index(n), penalties.index(p)) for n, p in (cells[one], cells[other]))
        whole = values[:, a, b] - values[:, c, d]
        before, after = (
            values[:, c, b] - values[:, c, d],
            values[:, a, b] - values[:, a, d],
        )  # the normalization's change
        penalty = (before + after) / 2
        columns[one, other, "all"] = whole
        columns[one, other, "normalization"] = whole - penalty
        columns[one, other, "penalty"] = penalty
        columns[one, other, "order"] = after - before
    return _students(columns, ["first", "second", "source"], "source")


def _students(columns: Columns, names: list[str], kind: str) -> pd.DataFrame:
    """`student` of each column, beside what it is called; each p is corrected for the number of its `kind`."""
    labels = pd.DataFrame(list(columns), columns=names, dtype=object)
    table = labels.join(student(np.stack(list(columns.values()), axis=1)))
    return table.assign(p=table.groupby(kind, sort=False)["p"].transform(holm))
