"""What normalization and penalty do, each and together: every normalization with every penalty, seed by seed."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from normstudy.analysis.inference import holm, student


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


def _parts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(S, A, B) taken apart, seed by seed: the effects (S, A) and (S, B), and the interaction (S, A, B)."""
    values = values - values.mean(axis=(1, 2), keepdims=True)
    of_first, of_second = values.mean(axis=2), values.mean(axis=1)
    return of_first, of_second, values - of_first[:, :, None] - of_second[:, None, :]


def _students(columns: Mapping[tuple[str | None, ...], np.ndarray], names: list[str], kind: str) -> pd.DataFrame:
    """`student` of each column, beside what it is called; each p is corrected for the number of its `kind`."""
    labels = pd.DataFrame(list(columns), columns=names, dtype=object)
    table = labels.join(student(np.stack(list(columns.values()), axis=1)))
    return table.assign(p=table.groupby(kind, sort=False)["p"].transform(holm))


def effects(runs: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """How each normalization, each penalty and each combination departs from the mean of all.

    The effect of a combination is what its two main effects leave unexplained: the interaction.

    Returns:
        A row an effect: `kind` ("normalization", "penalty" or "interaction"), `normalization`, `penalty` (None where
        the effect is over all of them), `mean`, `low`, `high`, `p` (corrected for the number of effects of its kind).
    """
    values, first, second = cube(runs, outcome)
    of_first, of_second, rest = _parts(values)
    columns: dict[tuple[str | None, ...], np.ndarray] = {}
    for (a, normalization), (b, penalty) in itertools.product(enumerate(first), enumerate(second)):
        columns["normalization", normalization, None] = of_first[:, a]
        columns["penalty", None, penalty] = of_second[:, b]
        columns["interaction", normalization, penalty] = rest[:, a, b]
    kinds = ("normalization", "penalty", "interaction")
    columns = {name: columns[name] for kind in kinds for name in columns if name[0] == kind}
    return _students(columns, ["kind", "normalization", "penalty"], "kind")


def decomposition(runs: pd.DataFrame, outcome: str, cells: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """What makes the difference between two combinations: the normalization, the penalty, or that they go together.

    Args:
        runs: the table of runs, with every normalization and every penalty.
        outcome: the column that is compared.
        cells: a name → its normalization and its penalty.

    Returns:
        Four rows for every two names: `first`, `second`, `source` ("all", "normalization", "penalty", "interaction";
        the last three add up to the first), `mean` (of first minus second), `low`, `high`, `p` (corrected for the
        number of rows of its source).
    """
    values, normalizations, penalties = cube(runs, outcome)
    of_first, of_second, rest = _parts(values)
    columns: dict[tuple[str | None, ...], np.ndarray] = {}
    for one, other in itertools.combinations(cells, 2):
        (a, b), (c, d) = ((normalizations.index(n), penalties.index(p)) for n, p in (cells[one], cells[other]))
        columns[one, other, "all"] = values[:, a, b] - values[:, c, d]
        columns[one, other, "normalization"] = of_first[:, a] - of_first[:, c]
        columns[one, other, "penalty"] = of_second[:, b] - of_second[:, d]
        columns[one, other, "interaction"] = rest[:, a, b] - rest[:, c, d]
    return _students(columns, ["first", "second", "source"], "source")


def variation(runs: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Which part of an outcome's variation each factor explains: the analysis of variance with repeated measures.

    Returns:
        A row a source: `source` ("normalization", "penalty", "interaction", "seed", "rest"), `share` (0 to 1), `F`, and
        `p` by Greenhouse & Geisser's lower bound (1959), which takes nothing for granted about the covariances.
    """
    values, first, second = cube(runs, outcome)
    seeds, total = len(values), ((values - values.mean()) ** 2).sum()
    sources, repeats = ("normalization", "penalty", "interaction"), (len(second), len(first), 1)
    rows = []
    for source, part, repeat in zip(sources, _parts(values), repeats, strict=True):
        mean = part.mean(axis=0)
        explained, error = seeds * repeat * (mean**2).sum(), repeat * ((part - mean) ** 2).sum()
        ratio = explained / error * (seeds - 1) if error else np.nan
        rows.append((source, explained / total, ratio, stats.f.sf(ratio, 1, seeds - 1)))
    of_seed = values.mean(axis=(1, 2)) - values.mean()
    rows.append(("seed", len(first) * len(second) * (of_seed**2).sum() / total, np.nan, np.nan))
    rows.append(("rest", 1 - sum(row[1] for row in rows), np.nan, np.nan))
    return pd.DataFrame(rows, columns=["source", "share", "F", "p"])
