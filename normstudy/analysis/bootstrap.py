"""Chance of seeds and of test images together: intervals by a bootstrap over both.

An accuracy depends on the seed of the training and on the images it is tested on, and with others it would be another.
So both are drawn anew, with replacement, from those there are, each independently of the other: the pigeonhole
bootstrap (Owen, 2007, doi:10.1214/07-AOAS122). All settings share the draws, so that differences between them are
paired by seed and by image. Around what was found, the interval is Student's, with the standard error of the draws
(Efron & Tibshirani, 1993, An Introduction to the Bootstrap, section 12.4), and one degree of freedom less than there
are seeds. With few seeds a bootstrap is too narrow; drawing one seed less than there are mends it (Hesterberg, 2015,
doi:10.1080/00031305.2015.1089789, section 3.2). Chance that belongs to one seed and one image alone is counted up to
three times (Owen, section 3), so that intervals are rather too wide than too narrow.

A table of runs is that of `inference`, with the indices of the misclassified images in `wrong`.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from normstudy.analysis.inference import GUESSING, LEVEL, holm

RESAMPLES = 10_000
"""A standard error of so many draws is known to within 1 %."""

AT_ONCE = 1000
"""Draws whose images lie in memory together."""


class Resampled(NamedTuple):
    """Mean test accuracies (0 to 1) of K settings.

    Attributes:
        found: (K,), by setting.
        drawn: (B, K), as they would be with the seeds and images of each draw.
        seeds: how many seeds there are.
    """

    found: pd.Series
    drawn: pd.DataFrame
    seeds: int


def resample(runs: pd.DataFrame, by: Sequence[str], draws: int = RESAMPLES) -> Resampled:
    """The mean test accuracy for each combination of the levels of `by`, found and drawn; the same in every call.

    Raises:
        ValueError: a setting lacks a seed that another one has.
    """
    settings, seeds = (runs.groupby(names, observed=True) for names in (list(by), "seed"))
    right, images = _patterns(runs)
    shape = settings.ngroups, seeds.ngroups
    place = settings.ngroup().to_numpy(), seeds.ngroup().to_numpy()
    number, means = np.zeros(shape), np.zeros((*shape, len(images)), dtype=np.float32)
    np.add.at(number, place, 1)
    np.add.at(means, place, right)
    if not number.all():
        raise ValueError("a setting lacks a seed that another one has; the difference between them cannot be paired")
    means /= number[..., None]

    generator, count = np.random.default_rng(0), seeds.ngroups
    of_seeds = generator.multinomial(max(1, count - 1), np.full(count, 1 / count), draws) / max(1, count - 1)
    drawn = []
    for weights in np.split(of_seeds, range(AT_ONCE, draws, AT_ONCE)):
        of_images = generator.multinomial(images.sum(), images / images.sum(), len(weights)) / images.sum()
        of_images = of_images.astype(np.float32)
        drawn.append(sum(weights[:, [seed]] * (of_images @ means[:, seed].T) for seed in range(count)))
    found = settings["test_accuracy"].mean()
    return Resampled(found, pd.DataFrame(np.concatenate(drawn), columns=found.index), count)


def _patterns(runs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Which runs are right (R, P) about each kind of image, and how many images (P,) there are of it.

    Images that the same runs are right about are one kind. A run that diverged is right about each image as often as
    guessing is.
    """
    right = np.ones((len(runs), int(runs["test_images"].iloc[0])), dtype=np.float32)
    for row, wrong, diverged in zip(right, runs["wrong"], runs["diverged"], strict=True):
        if diverged:
            row[:] = GUESSING["test_accuracy"]
        else:
            row[np.asarray(wrong, dtype=int)] = 0
    patterns, images = np.unique(right, axis=1, return_counts=True)
    return patterns, images


def contrasts(resampled: Resampled, sums: Sequence[Mapping[Any, float]], other: float = 0) -> pd.DataFrame:
    """Weighted sums of accuracies, each a mapping of settings to weights: `mean`, `low`, `high`, `p` (not corrected).

    `p` is that of such a mean, or one further off, if the true one were `other`. A single seed has neither interval
    nor probability: NaN.
    """
    weights = np.array([[each.get(setting, 0) for each in sums] for setting in resampled.found.index])
    mean, error = resampled.found.to_numpy() @ weights, (resampled.drawn.to_numpy() @ weights).std(axis=0, ddof=1)
    freedom = resampled.seeds - 1
    half = stats.t.ppf(1 - LEVEL / 2, freedom) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stats.t.sf(np.abs(mean - other) / error, freedom)
    return pd.DataFrame(
        {
            "mean": mean,
            "low": mean - half,
            "high": mean + half,
            "p": np.where((error == 0) & (freedom > 0), mean == other, p),
        }
    )


def summary(resampled: Resampled) -> pd.DataFrame:
    """Each setting and its mean accuracy: the columns `by`, `mean`, `low`, `high` (both cut to 0 to 1), `seeds`."""
    table = contrasts(resampled, [{setting: 1} for setting in resampled.found.index]).drop(columns="p")
    table[["low", "high"]] = table[["low", "high"]].clip(0, 1)
    return resampled.found.index.to_frame(index=False).join(table).assign(seeds=resampled.seeds)


def errors(resampled: Resampled) -> pd.DataFrame:
    """As `summary`, of the test error (0 to 1)."""
    table = summary(resampled)
    return table.assign(mean=1 - table["mean"], low=1 - table["high"], high=1 - table["low"])


def pairs(runs: pd.DataFrame, factor: str, within: str | None = None) -> pd.DataFrame:
    """The difference in test accuracy between every two levels of a factor, averaged over all that is not `within`.

    Returns:
        As `inference.pairs`: a row for each pair, at each level of `within`: that level, `first`, `second`, `mean` (of
        first minus second), `low` and `high` (not corrected), `p` (corrected for the number of rows).
    """
    resampled = resample(runs, [within, factor] if within else [factor])
    chosen = [
        (one, other)
        for one, other in itertools.combinations(resampled.found.index, 2)
        if within is None or one[0] == other[0]
    ]
    table = contrasts(resampled, [{one: 1, other: -1} for one, other in chosen])
    ends = {"first": [one for one, _ in chosen], "second": [other for _, other in chosen]}
    if within:
        ends = {within: [one[0] for one, _ in chosen]} | {end: [setting[1] for setting in ends[end]] for end in ends}
    return pd.DataFrame(ends).join(table).assign(p=holm(table["p"]))


def pairs_at_most(runs: pd.DataFrame, setting: str) -> pd.DataFrame:
    """`pairs` of those that normalize, at the largest value of a setting, averaged over all else."""
    chosen = runs[(runs["norm_arg"] != "none") & (runs[setting] == runs[setting].max())]
    return pairs(chosen, "normalization")
