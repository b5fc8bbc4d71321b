"""What was measured inside networks while they learned: at named epochs, against no normalization.

A table of these has a row a run and epoch, as `experiments.single.run` makes them with `measure`; epoch 0 is before
training.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from normstudy.analysis import inference
from normstudy.normalizations import ordered


def named(rows: pd.DataFrame) -> list[int]:
    """The epochs that are looked at: the first, the middle and the last one."""
    last = int(rows["epoch"].max())
    return sorted({1, (last + 1) // 2, last})


def diverged(rows: pd.DataFrame) -> pd.Series:
    """Whether each `run` ended with an epoch that has no metrics."""
    return rows["test_accuracy"].isna().where(rows["epoch"] > 0, False).groupby(rows["run"]).any()


def layers(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of lists with an entry a layer, taken apart: a row for each run, epoch and layer, in this order.

    Layers count from 1, input side first. The columns are `run`, `norm_arg`, `seed`, `epoch`, `layer` and those asked
    for.
    """
    table = rows[["run", "norm_arg", "seed", "epoch", *columns]].sort_values(["run", "epoch"]).explode(list(columns))
    table["layer"] = table.groupby(["run", "epoch"]).cumcount() + 1
    return table.reset_index(drop=True)


def shifts(rows: pd.DataFrame, side: str) -> pd.DataFrame:
    """How far the values in a layer's channels move in each epoch, in units of their standard deviation before it.

    A channel of mean m and standard deviation s that comes to m′ and s′ has moved by the root of (m′ − m)² + (s′ − s)²:
    Wasserstein's distance between two normal distributions. Its square is summed over the channels, and divided by the
    sum of s².

    Args:
        rows: those of runs that did not diverge.
        side: `given` for what goes into a normalization layer, `returned` for what comes out of it.

    Returns:
        A row for each run, layer and epoch from 1 on: `run`, `norm_arg`, `seed`, `epoch`, `layer`, `shift`.
    """
    mean, deviation = f"{side}_channel_mean", f"{side}_channel_sd"
    moved = []
    for _, part in layers(rows, [mean, deviation]).groupby(["run", "layer"]):
        m, s = (np.array(part[column].to_list(), float) for column in (mean, deviation))  # (epochs, channels)
        squares = (np.diff(m, axis=0) ** 2 + np.diff(s, axis=0) ** 2).sum(axis=1)
        shift = np.sqrt(squares / (s[:-1] ** 2).sum(axis=1))
        moved.append(part.iloc[1:].drop(columns=[mean, deviation]).assign(shift=shift))
    return pd.concat(moved, ignore_index=True)


def measures(rows: pd.DataFrame) -> pd.DataFrame:
    """What the predictions are about, for each run that did not diverge, at the named epochs.

    Returns:
        `outcome`, `normalization`, `seed`, `epoch`, `value`, where an outcome is `shift_given` or `shift_returned` (see
        `shifts`; the geometric mean over the layers), `change` (of the gradient along a relative step), or `growth`: at
        epoch 0, the standard deviation of what goes into the last normalization layer over that of the first, as a
        factor from one layer to the next.
    """
    rows = rows[~rows["run"].map(diverged(rows))]
    named_only = rows[rows["epoch"].isin(named(rows))]
    tables = []
    for side in ("given", "returned"):
        table = shifts(rows, side).assign(value=lambda moved: np.log(moved["shift"]))
        table = table[table["epoch"].isin(named(rows))]
        table = table.groupby(["run", "norm_arg", "seed", "epoch"], as_index=False)["value"].mean()
        tables.append(table.assign(outcome=f"shift_{side}", value=np.exp(table["value"])))
    tables.append(named_only.assign(outcome="change", value=named_only["relative_change"]))
    start = rows[rows["epoch"] == 0]
    factors = [(given[-1] / given[0]) ** (1 / (len(given) - 1)) for given in start["given_sd"]]
    tables.append(start.assign(outcome="growth", value=factors))
    return _by_normalization(pd.concat(tables, ignore_index=True))[
        ["outcome", "normalization", "seed", "epoch", "value"]
    ]


def deviations(rows: pd.DataFrame) -> pd.DataFrame:
    """Before training, the standard deviation (`value`) of what goes into each `layer`: a row a run and layer."""
    table = layers(rows[rows["epoch"] == 0], ["given_sd"]).rename(columns={"given_sd": "value"})
    return _by_normalization(table).astype({"value": float})


def _by_normalization(table: pd.DataFrame) -> pd.DataFrame:
    names = ordered(table["norm_arg"])
    return table.assign(normalization=pd.Categorical(table["norm_arg"], names, ordered=True))


def means(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Geometric mean of `value` for each combination of `by`, with its 95 % interval over the seeds."""
    found = inference.summary(table.assign(value=np.log(table["value"])), by, "value")
    found[["mean", "low", "high"]] = np.exp(found[["mean", "low", "high"]])
    return found


def against_none(table: pd.DataFrame) -> pd.DataFrame:
    """By what each normalization multiplies each outcome of `measures`, compared with none, seed by seed.

    Returns:
        A row for each outcome, epoch and other normalization: `outcome`, `epoch`, `normalization`, `mean` (geometric),
        `low`, `high` (its 95 % interval, not corrected), `p` (corrected for the number of normalizations).
    """
    tables = []
    for (outcome, epoch), part in table.groupby(["outcome", "epoch"], sort=False):
        wide = np.log(part.pivot(index="seed", columns="normalization", values="value").dropna())
        others = wide.drop(columns="none")
        found = inference.student(others.sub(wide["none"], axis=0).to_numpy())
        found[["mean", "low", "high"]] = np.exp(found[["mean", "low", "high"]])
        about = {"outcome": outcome, "epoch": epoch, "normalization": others.columns}
        tables.append(found.assign(**about, p=inference.holm(found["p"])))
    return pd.concat(tables, ignore_index=True)[["outcome", "epoch", "normalization", "mean", "low", "high", "p"]]
