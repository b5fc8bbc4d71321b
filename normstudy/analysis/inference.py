"""The statistics of experiments with several seeds: means, effects and differences, each with its 95 % interval.

Each seed repeats the whole experiment: the first weights and the order of the images are those of the seed. So every
effect is computed within a seed, and its interval is Student's over the seeds. It takes for granted neither equal
variances nor that the runs of a seed are independent of one another. Probabilities are corrected by Holm's method for
the number of comparisons in their table.

A table of runs has a row a run: its parameters, the outcomes of its last epoch, `normalization`, `penalty`, `seed`.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

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
    number, mean = len(values), values.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = values.std(axis=0, ddof=1) / math.sqrt(number) if number > 1 else np.full_like(mean, np.nan)
        p = 2 * stats.t.sf(np.abs(mean) / error, number - 1)
    half = stats.t.ppf(1 - LEVEL / 2, max(1, number - 1)) * error
    p = np.where((mean == 0) & (error == 0), 1.0, p)
    return pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half, "p": p})


def holm(p: pd.Series) -> np.ndarray:
    """Probabilities, corrected for their number; those that are not known (NaN) stay so and do not count.

    Holm (1979): the k-th smallest of m is multiplied by m − k + 1, and is at least as large as the one before.
    """
    ordered = p.dropna().sort_values()
    factors = np.arange(len(ordered), 0, -1)
    corrected = pd.Series(np.maximum.accumulate(ordered.to_numpy() * factors).clip(max=1), index=ordered.index)
    result: np.ndarray = corrected.reindex(p.index).to_numpy()
    return result


def verdict(p: float) -> str:
    """What a corrected probability says of a difference, as the end of a sentence; NaN is that of a single seed."""
    if math.isnan(p):
        return "which a single seed cannot tell from chance"
    return "more than chance would give" if p < LEVEL else "which cannot be told from chance"


def summary(runs: pd.DataFrame, by: Sequence[str], outcome: str) -> pd.DataFrame:
    """Mean of an outcome for each combination of the levels of `by`, with its interval over the seeds.

    Returns:
        A row a combination: the columns `by`, `mean`, `low`, `high`, `seeds`.
    """
    wide = runs.pivot_table(index="seed", columns=list(by), values=outcome, observed=True)
    table = pd.concat([wide.columns.to_frame(index=False), student(wide.to_numpy())], axis=1)
    return table.drop(columns="p").assign(seeds=len(wide))


def pairs(runs: pd.DataFrame, factor: str, outcome: str, within: Sequence[str] = ()) -> pd.DataFrame:
    """The difference between every two levels of a factor, seed by seed, averaged over all that is not `within`.

    Returns:
        A row for each pair and combination of the levels of `within`: those columns, `first`, `second`, `mean` (of
        first minus second), `low` and `high` (not corrected), `p` (corrected for the number of rows).
    """
    wide = runs.pivot_table(index="seed", columns=[*within, factor], values=outcome, observed=True)
    wide.columns = pd.MultiIndex.from_tuples([name if isinstance(name, tuple) else (name,) for name in wide.columns])
    places = list(dict.fromkeys(name[:-1] for name in wide.columns))
    labels, differences = [], []
    for place in places:
        levels = [name[-1] for name in wide.columns if name[:-1] == place]
        for first, second in itertools.combinations(levels, 2):
            labels.append((*place, first, second))
            differences.append(wide[(*place, first)] - wide[(*place, second)])
    table = pd.DataFrame(labels, columns=[*within, "first", "second"])
    table = pd.concat([table, student(np.stack(differences, axis=1))], axis=1)
    return table.assign(p=holm(table["p"]))


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


def effects(runs: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """How each normalization, each penalty and each combination departs from the mean of all.

    The effect of a combination is what its two main effects leave unexplained: the interaction.

    Returns:
        A row an effect: `kind` ("normalization", "penalty" or "interaction"), `normalization`, `penalty` (None where
        the effect is over all of them), `mean`, `low`, `high`, `p` (corrected for the number of effects of its kind).
    """
    values, first, second = cube(runs, outcome)
    of_first, of_second, rest = _parts(values)
    tables = []
    for kind, part, levels in (
        ("normalization", of_first, [(name, None) for name in first]),
        ("penalty", of_second, [(None, name) for name in second]),
        ("interaction", rest.reshape(len(values), -1), list(itertools.product(first, second))),
    ):
        table = student(part)
        names = pd.DataFrame(levels, columns=["normalization", "penalty"], dtype=object)
        tables.append(pd.concat([names, table], axis=1).assign(kind=kind, p=holm(table["p"])))
    return pd.concat(tables, ignore_index=True)


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
    rows = []
    for one, other in itertools.combinations(cells, 2):
        (a, b), (c, d) = ((normalizations.index(n), penalties.index(p)) for n, p in (cells[one], cells[other]))
        for source, difference in (
            ("all", values[:, a, b] - values[:, c, d]),
            ("normalization", of_first[:, a] - of_first[:, c]),
            ("penalty", of_second[:, b] - of_second[:, d]),
            ("interaction", rest[:, a, b] - rest[:, c, d]),
        ):
            about = {"first": one, "second": other, "source": source}
            rows.append(about | student(difference[:, None]).iloc[0].to_dict())
    table = pd.DataFrame(rows)
    table["p"] = table.groupby("source")["p"].transform(holm)
    return table


def variation(runs: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Which part of an outcome's variation each factor explains: the analysis of variance with repeated measures.

    Returns:
        A row a source: `source` ("normalization", "penalty", "interaction", "seed", "rest"), `share` (0 to 1), `F`, and
        `p` by Greenhouse & Geisser's lower bound (1959), which takes nothing for granted about the covariances.
    """
    values, first, second = cube(runs, outcome)
    seeds = len(values)
    centred = values - values.mean()
    of_seed = centred.mean(axis=(1, 2))
    within = centred - of_seed[:, None, None]
    of_first, of_second = within.mean(axis=2), within.mean(axis=1)
    between = within - of_first[:, :, None] - of_second[:, None, :]
    total = (centred**2).sum()
    rows = []
    for source, part, repeats in (
        ("normalization", of_first, len(second)),
        ("penalty", of_second, len(first)),
        ("interaction", between, 1),
    ):
        mean = part.mean(axis=0)
        explained, error = seeds * repeats * (mean**2).sum(), repeats * ((part - mean) ** 2).sum()
        ratio = explained / error * (seeds - 1) if error else np.nan
        rows.append((source, explained / total, ratio, stats.f.sf(ratio, 1, seeds - 1)))
    rows.append(("seed", len(first) * len(second) * (of_seed**2).sum() / total, np.nan, np.nan))
    rows.append(("rest", 1 - sum(row[1] for row in rows), np.nan, np.nan))
    return pd.DataFrame(rows, columns=["source", "share", "F", "p"])


def wilson(accuracy: float, images: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy (0 to 1) on so many images: the chance in the choice of the images."""
    low, high = stats.binomtest(round(accuracy * images), images).proportion_ci(1 - LEVEL, method="wilson")
    return float(low), float(high)


def mcnemar(only_first: int, only_second: int) -> float:
    """The probability of McNemar's exact test, from how many images only the one, or only the other, gets wrong."""
    number = only_first + only_second
    return float(stats.binomtest(only_first, number).pvalue) if number else 1.0


def disagreements(runs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """McNemar's exact test of every two kinds of runs on the same test images, once a seed.

    A run that diverged has classified nothing, so that it has no set of mistakes, which is not the empty one. Its seed
    is left out of its pairs.

    Args:
        runs: a name for each kind → its table of runs, one a seed; `wrong` has the misclassified test images of each,
            None if it diverged.

    Returns:
        A row a pair: `first`, `second`, `only_first` and `only_second` (test images that only this one gets wrong, mean
        over the seeds), `seeds` (in how many neither diverged), `apart` (in how many of them they differ by more than
        chance: corrected p below 0.05), `p` (the smallest; corrected for the number of all tests). Without any seed
        the means and p are NaN.
    """
    pairs = list(itertools.combinations(runs, 2))
    wrong = {name: table.set_index("seed")["wrong"].dropna().map(set) for name, table in runs.items()}
    rows = []
    for first, second in pairs:
        both = wrong[first], wrong[second]
        for seed in both[0].index.intersection(both[1].index):
            only_first, only_second = len(both[0][seed] - both[1][seed]), len(both[1][seed] - both[0][seed])
            p = mcnemar(only_first, only_second)
            rows.append(
                {"first": first, "second": second, "only_first": only_first, "only_second": only_second, "p": p}
            )
    table = pd.DataFrame(rows, columns=["first", "second", "only_first", "only_second", "p"])
    table["p"] = holm(table["p"])
    table["apart"] = table["p"] < LEVEL
    grouped = table.groupby(["first", "second"], sort=False)
    compared = grouped.agg(
        only_first=("only_first", "mean"),
        only_second=("only_second", "mean"),
        seeds=("p", "size"),
        apart=("apart", "sum"),
        p=("p", "min"),
    )
    every = compared.reindex(pd.MultiIndex.from_tuples(pairs, names=["first", "second"])).reset_index()
    return every.fillna({"seeds": 0, "apart": 0}).astype({"seeds": int, "apart": int})


def times_wrong(runs: pd.DataFrame) -> pd.Series:
    """Index of a test image → how many of the runs that did not diverge get it wrong, most often first; 0 left out."""
    counts = runs["wrong"].dropna().explode().dropna().astype(int).value_counts()
    return counts.sort_index().sort_values(ascending=False, kind="stable")


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
