"""The statistics of experiments with several seeds: means, effects and differences, each with its 95 % interval.

Each seed repeats the whole experiment: the first weights and the order of the images are those of the seed. So every
effect is computed within a seed, and its interval is Student's over the seeds. It takes for granted neither equal
variances nor that the runs of a seed are independent of one another. Probabilities are corrected by Holm's method for
the number of comparisons in their table.

A table of runs has a row a run: its parameters, the outcomes of its last epoch, `normalization`, `penalty`, `seed`.
"""

import itertools
import math
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from normstudy.normalizations import ordered

LEVEL = 0.05  # of the tests and intervals
PENALTIES = ("none", "L1", "L2", "L1 + L2")
GUESSING = {"test_accuracy": 0.1, "test_loss": math.log(10)}
"""What a run that diverged counts as: a network that gives each of the ten classes the same probability."""


def penalty(l1: float, l2: float) -> str:
    """The name of a penalty with these factors."""
    return PENALTIES[(l1 > 0) + 2 * (l2 > 0)]


def last_epochs(rows: pd.DataFrame) -> pd.DataFrame:
    """The table of runs: the last of the epochs of each `run`. `diverged` says which are counted as guessing.

    Raises:
        ValueError: a normalization is not known.
    """
    last = rows.loc[rows.groupby("run", sort=False)["epoch"].idxmax()].reset_index(drop=True)
    last["diverged"] = last["test_accuracy"].isna()
    kinds = [penalty(l1, l2) for l1, l2 in zip(last["l1"], last["l2"], strict=True)]
    last["penalty"] = pd.Categorical(kinds, [kind for kind in PENALTIES if kind in kinds], ordered=True)
    last["normalization"] = pd.Categorical(last["norm_arg"], ordered(last["norm_arg"]), ordered=True)
    return last.fillna(GUESSING)


def student(values: np.ndarray) -> pd.DataFrame:
    """Mean, Student's 95 % interval, and the probability of such a mean if the true one were 0, of each column.

    Args:
        values: (S, K), a row a seed.

    Returns:
        K rows: `mean`, `low`, `high`, `p` (not corrected). A single seed has neither interval nor probability: NaN.
    """
    with warnings.catch_warnings(action="ignore"):  # of a single seed, and of seeds that all agree
        test = stats.ttest_1samp(values, 0)
        low, high = test.confidence_interval(1 - LEVEL)
    nothing = (values == 0).all(axis=0) & (len(values) > 1)
    p = np.where(nothing, 1.0, test.pvalue)
    return pd.DataFrame({"mean": values.mean(axis=0), "low": low, "high": high, "p": p})


def holm(p: pd.Series) -> np.ndarray:
    """Probabilities, corrected for their number; those that are not known (NaN) stay so and do not count.

    Holm (1979): the k-th smallest of m is multiplied by m − k + 1, and is at least as large as the one before.
    """
    ordered = p.dropna().sort_values()
    factors = np.arange(len(ordered), 0, -1)
    corrected = pd.Series(np.maximum.accumulate(ordered.to_numpy() * factors).clip(max=1), index=ordered.index)
    result: np.ndarray = corrected.reindex(p.index).to_numpy()
    return result


def summary(runs: pd.DataFrame, by: Sequence[str], outcome: str) -> pd.DataFrame:
    """Mean of an outcome for each combination of the levels of `by`, with its interval over the seeds.

    Returns:
        A row a combination: the columns `by`, `mean`, `low`, `high`, `seeds`.
    """
    wide = runs.pivot_table(index="seed", columns=list(by), values=outcome, observed=True)
    table = wide.columns.to_frame(index=False).join(student(wide.to_numpy()))
    return table.drop(columns="p").assign(seeds=len(wide))


def pairs(runs: pd.DataFrame, factor: str, outcome: str, within: str | None = None) -> pd.DataFrame:
    """The difference between every two levels of a factor, seed by seed, averaged over all that is not `within`.

    Returns:
        A row for each pair, at each level of `within`: that level, `first`, `second`, `mean` (of first minus second),
        `low` and `high` (not corrected), `p` (corrected for the number of rows).
    """
    tables = []
    for level, part in runs.groupby(within, observed=True) if within else [(None, runs)]:
        wide = part.pivot_table(index="seed", columns=factor, values=outcome, observed=True)
        labels = pd.DataFrame(itertools.combinations(wide, 2), columns=["first", "second"])
        differences = wide[list(labels["first"])].to_numpy() - wide[list(labels["second"])].to_numpy()
        tables.append(labels.assign(**{within: level} if within else {}).join(student(differences)))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(p=holm(table["p"]))


def wilson(accuracy: float, images: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy (0 to 1) on so many images: the chance in the choice of the images."""
    low, high = stats.binomtest(round(accuracy * images), images).proportion_ci(1 - LEVEL, method="wilson")
    return float(low), float(high)


def median(values: np.ndarray) -> tuple[float, float, float]:
    """The median, and the order statistics between which the true one lies with a probability of at least 95 %.

    Below six values these are the smallest and the largest; with five the probability is 94 %. They take nothing for
    granted about the distribution, which may have lumps and be cut off (Conover, 1999, Practical Nonparametric
    Statistics, section 3.2).
    """
    skipped = max(int(stats.binom.ppf(LEVEL / 2, len(values), 0.5)) - 1, 0)
    ordered_values = np.sort(values)
    return float(np.median(values)), float(ordered_values[skipped]), float(ordered_values[-1 - skipped])


def sign_test(differences: np.ndarray) -> float:
    """The probability of so many differences above, or below, 0 if either were as likely; a single one: NaN."""
    above, below = int((differences > 0).sum()), int((differences < 0).sum())
    if len(differences) < 2:
        return math.nan
    return float(stats.binomtest(above, above + below).pvalue) if above + below else 1.0
