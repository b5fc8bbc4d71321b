"""Misclassified images: which they are, which the variants share, and whether two networks differ in them."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from normstudy.analysis.inference import LEVEL, holm


def predictions(log_probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """What a model says of every test image.

    Args:
        log_probabilities: (N, K), the logarithm of the probability of each class.
        labels: (N,), the true classes.

    Returns:
        A row an image: `index`, `label`, `prediction`, `confidence` (the probability of the predicted class, 0 to 1),
        `label_probability` (the probability of the true class).
    """
    prediction = log_probabilities.argmax(axis=1)
    rows = np.arange(len(labels))
    return pd.DataFrame(
        {
            "index": rows,
            "label": labels,
            "prediction": prediction,
            "confidence": np.exp(log_probabilities[rows, prediction]),
            "label_probability": np.exp(log_probabilities[rows, labels]),
        }
    )


def mistakes(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `predictions` that are wrong, the most confident first."""
    wrong = frame[frame["label"] != frame["prediction"]]
    return wrong.sort_values(["confidence", "index"], ascending=[False, True], ignore_index=True)


def confusion(frame: pd.DataFrame, classes: int) -> np.ndarray:
    """Counts (K, K) of test images: row = true class, column = predicted class."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (frame["label"], frame["prediction"]), 1)
    return counts


def shared(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How many images exactly these variants misclassify: a row for every set of variants that share at least one.

    Args:
        frames: variant → its `predictions`, all of the same images in the same order.

    Returns:
        A column a variant (bool: wrong or not) and `images`, the largest count first, without those that all get right.
    """
    if not frames:
        return pd.DataFrame(columns=["images"])
    wrong = pd.DataFrame({name: frame["label"] != frame["prediction"] for name, frame in frames.items()})
    counts = wrong[wrong.any(axis=1)].value_counts().rename("images").reset_index()
    return counts.sort_values("images", ascending=False, ignore_index=True, kind="stable")


def wrong_for_all(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The images that every variant misclassifies: `index`, `label`, and a column of predictions a variant."""
    if not frames:
        return pd.DataFrame(columns=["index", "label"])
    first = next(iter(frames.values()))
    wrong = np.logical_and.reduce([frame["label"] != frame["prediction"] for frame in frames.values()])
    columns = {name: frame["prediction"] for name, frame in frames.items()}
    return pd.DataFrame({"index": first["index"], "label": first["label"], **columns})[wrong].reset_index(drop=True)


def mcnemar(only_first: int, only_second: int) -> float:
    """The probability of McNemar's exact test, from how many images only the one, or only the other, gets wrong."""
    number = only_first + only_second
    return float(stats.binomtest(only_first, number).pvalue) if number else 1.0


def disagreements(wrong: Mapping[str, pd.Series]) -> pd.DataFrame:
    """McNemar's exact test of every two kinds of networks on the same test images, once a seed.

    A run that diverged has classified nothing, so that it has no set of mistakes, which is not the empty one. Its seed
    is left out of its pairs.

    Args:
        wrong: a name for each kind → by seed, the misclassified test images of its network; None if it diverged.

    Returns:
        A row a pair: `first`, `second`, `only_first` and `only_second` (test images that only this one gets wrong, mean
        over the seeds), `seeds` (in how many neither diverged), `apart` (in how many of them they differ by more than
        chance: corrected p below 0.05), `p` (the smallest; corrected for the number of all tests). Without any seed
        the means and p are NaN.
    """
    sets = {name: images.dropna().map(set) for name, images in wrong.items()}
    pairs = list(itertools.combinations(sets, 2))
    rows = [
        (first, second, len(sets[first][seed] - sets[second][seed]), len(sets[second][seed] - sets[first][seed]))
        for first, second in pairs
        for seed in sets[first].index.intersection(sets[second].index)
    ]
    table = pd.DataFrame(rows, columns=["first", "second", "only_first", "only_second"])
    p = [mcnemar(*counts) for counts in table[["only_first", "only_second"]].itertuples(index=False)]
    table["p"] = holm(pd.Series(p, dtype=float))
    table["apart"] = table["p"] < LEVEL
    compared = table.groupby(["first", "second"], sort=False).agg(
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
