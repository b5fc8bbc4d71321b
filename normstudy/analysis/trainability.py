"""How deep a network trains: its accuracies by initialization, normalization and depth, over seeds and test images."""

import pandas as pd

from normstudy.analysis import bootstrap
from normstudy.analysis.bootstrap import Resampled
from normstudy.analysis.inference import holm

TRAINS = 0.9
"""A network trains at a depth if its mean test accuracy there, and with fewer blocks, is at least this."""

INITIALIZATIONS = {"pytorch": "PyTorch's initialization", "he": "He's initialization"}
SETTING = ["initialization", "normalization", "depth"]


def in_order(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs, their `initialization` in the order of `INITIALIZATIONS`, and their `depth` a whole number."""
    named = pd.Categorical(runs["initialization"], list(INITIALIZATIONS), ordered=True)
    return runs.assign(initialization=named, depth=runs["depth"].astype(int))


def resample(runs: pd.DataFrame) -> Resampled:
    """The mean test accuracy of each initialization, normalization and depth, found and drawn."""
    return bootstrap.resample(in_order(runs), SETTING)


def accuracies(runs: pd.DataFrame, resampled: Resampled) -> pd.DataFrame:
    """Mean test accuracy of each `initialization`, `normalization` and `depth`, over seeds and test images.

    Returns:
        A row each: `mean`, `low`, `high` (the 95 % interval of `bootstrap`), `seeds`, `trained` (in how many of them
        the accuracy is at least `TRAINS`), `loss` (the mean test loss), `p` (of such a mean, or one further off, if
        the true one were `TRAINS`; corrected for the number of rows).
    """
    groups = (
        in_order(runs)
        .assign(trained=runs["test_accuracy"] >= TRAINS)
        .groupby(SETTING, observed=True)
        .agg(trained=("trained", "sum"), loss=("test_loss", "mean"))
    )
    tested = bootstrap.contrasts(resampled, [{setting: 1} for setting in resampled.found.index], TRAINS)
    return bootstrap.summary(resampled).join(groups, on=SETTING).assign(p=holm(tested["p"]))


def reaches(table: pd.DataFrame, level: float = TRAINS) -> pd.DataFrame:
    """How deep each network of `accuracies` trains, if that takes a mean accuracy of `level`.

    Returns:
        A row for each `initialization` and `normalization`: `depth` (the largest at which it trains), `at_least` and
        `at_most` (the same by the lower and the upper ends of the intervals); NaN where it trains at no depth.
    """
    rows = []
    for (initialization, normalization), part in table.groupby(SETTING[:2], observed=True):
        part = part.sort_values("depth")
        row = {"initialization": initialization, "normalization": normalization}
        for name, column in (("depth", "mean"), ("at_least", "low"), ("at_most", "high")):
            until = int((part[column] >= level).cumprod().sum())
            row[name] = part["depth"].iloc[until - 1] if until else float("nan")
        rows.append(row)
    return pd.DataFrame(rows)


def gains(resampled: Resampled) -> pd.DataFrame:
    """Without normalization, the accuracy from He's initialization minus that from PyTorch's, by `depth`.

    Returns:
        A row a depth that was run with both: `depth`, `mean`, `low`, `high`, `p` (corrected for the number of depths).
    """
    there = resampled.found.index
    sums = {depth: {("he", "none", depth): 1, ("pytorch", "none", depth): -1} for depth in there.unique("depth")}
    sums = {depth: each for depth, each in sums.items() if each.keys() <= set(there)}
    table = bootstrap.contrasts(resampled, list(sums.values()))
    return pd.DataFrame({"depth": list(sums)}).join(table.assign(p=holm(table["p"])))
