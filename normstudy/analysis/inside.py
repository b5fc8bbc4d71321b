"""What was measured inside networks while they learned: layer by layer, after the last epoch, and against no
normalization.

A table of these has a row a run and epoch, as `experiments.single.run` makes them with `measure`; epoch 0 is before
training.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from normstudy.analysis import inference

SMOOTHNESS = {
    "gradient_norm": "Norm of the gradient",
    "gradient_change": "Change of the gradient",
    "loss_range": "Range of the loss",
}


def layers(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of lists, one number a layer, taken apart: a row for each run, epoch and layer.

    Layers count from 1, input side first. Rows without such lists are left out. The columns are `norm_arg`, `seed`,
    `epoch`, `layer` and those asked for.
    """
    table = rows.dropna(subset=list(columns))[["norm_arg", "seed", "epoch", *columns]].explode(list(columns))
    table["layer"] = table.groupby(level=0).cumcount() + 1
    return table.astype(dict.fromkeys(columns, float)).reset_index(drop=True)


def last_epoch(rows: pd.DataFrame) -> pd.DataFrame:
    """All that was measured after the last epoch: a row for each measure and normalization.

    Returns:
        `measure`, `normalization`, `penalty`, and over the seeds `mean`, `smallest` and `largest`. What has no such
        measure is left out.
    """
    last = inference.last_epochs(rows)
    measures = {"test accuracy (%)": 100 * last["test_accuracy"]}
    measures |= {label.lower(): last[column] for column, label in SMOOTHNESS.items()}
    for column, what in (
        ("given_sd", "standard deviation into layer"),
        ("gamma_mean", "mean of γ, layer"),
        ("beta_mean", "mean of β, layer"),
    ):
        for layer in (1, layers(rows, [column])["layer"].max()):
            measures[f"{what} {layer}"] = last[column].str[layer - 1]
    about = last[["normalization", "penalty"]].astype(str)
    table = pd.concat([about.assign(measure=measure, value=values) for measure, values in measures.items()])
    grouped = table.dropna().groupby(["measure", "normalization", "penalty"], sort=False)["value"]
    return grouped.agg(mean="mean", smallest="min", largest="max").reset_index()


def per_run(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a run that did not diverge: its `norm_arg` and `seed`, and what the findings compare.

    Those are the measures of smoothness, averaged over all epochs, `start` (the norm of the gradient before training),
    `growth_first` and `growth_last` (standard deviation of what goes into the first and the last normalization layer
    at the last epoch, divided by that before training) and `depth` (before training, that of the last layer divided by
    that of the first).
    """
    grouped = rows.sort_values("epoch").groupby("run")
    first, last = (np.stack(grouped["given_sd"].agg(which).to_list()) for which in ("first", "last"))  # (runs, layers)
    runs = grouped[["norm_arg", "seed"]].first().join(grouped[list(SMOOTHNESS)].mean())
    runs = runs.assign(
        start=grouped["gradient_norm"].first(),
        growth_first=last[:, 0] / first[:, 0],
        growth_last=last[:, -1] / first[:, -1],
        depth=first[:, -1] / first[:, 0],
    )
    return runs[~diverged(rows)].reset_index(drop=True)


def diverged(rows: pd.DataFrame) -> pd.Series:
    """Whether each `run` ended with an epoch that has no metrics."""
    return rows["test_accuracy"].isna().where(rows["epoch"] > 0, False).groupby(rows["run"]).any()


def against_none(rows: pd.DataFrame) -> pd.DataFrame:
    """How each normalization departs from none, seed by seed, over those seeds in which no run diverged.

    Returns:
        A row for each outcome and normalization: `outcome`, `norm_arg`, `scale` ("difference", or "ratio" for those
        that span powers of ten), `none` and `own` (the means over the seeds; geometric ones for ratios), `mean` (of the
        difference or, geometric, of the ratio), `low`, `high` (its 95 % interval, not corrected), `p` (corrected for
        the number of normalizations).
    """
    runs, tables = per_run(rows), []
    for outcome in runs.columns.drop(["norm_arg", "seed"]):
        wide = runs.pivot(index="seed", columns="norm_arg", values=outcome)[runs["norm_arg"].unique()].dropna()
        scale = "difference" if outcome in SMOOTHNESS else "ratio"
        wide = np.log(wide) if scale == "ratio" else wide
        others = wide.drop(columns="none")
        table = inference.student(others.sub(wide["none"], axis=0).to_numpy())
        table = table.assign(p=inference.holm(table["p"]), none=wide["none"].mean(), own=others.mean().to_numpy())
        if scale == "ratio":
            numbers = ["mean", "low", "high", "none", "own"]
            table[numbers] = np.exp(table[numbers])
        tables.append(table.assign(outcome=outcome, norm_arg=others.columns, scale=scale))
    columns = ["outcome", "norm_arg", "scale", "none", "own", "mean", "low", "high", "p"]
    return pd.concat(tables, ignore_index=True)[columns]
