"""The study's variants with several seeds: how accurate each is, and how much of that is chance."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import inference
from normstudy.display.figures import look, new_figure
from normstudy.display.notation import INTERVAL, NO_BREAK, counted, decimal, interval, percent, points


def summary(runs: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy (0 to 1) of each variant over its seeds: `mean`, `low` and `high`, `sd`, `worst`, `best`.

    `runs` is a table of runs (see `inference`). With a single seed there is no interval: NaN.
    """
    grouped = runs.groupby("normalization", observed=True)
    spread = grouped["test_accuracy"].agg(sd="std", worst="min", best="max").reset_index(drop=True)
    epochs = grouped["epoch"].max().reset_index(drop=True)
    return inference.summary(runs, ["normalization"], "test_accuracy").join(spread).assign(epochs=epochs)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`summary` as the report prints it, in percent."""
    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "variant": table["normalization"],
            "seeds": table["seeds"],
            "epochs": table["epochs"],
            "mean (%)": [decimal(100 * row.mean, 3) for row in rows],
            "standard deviation": [decimal(100 * row.sd, 3) for row in rows],
            INTERVAL: [interval(100 * row.low, 100 * row.high, 3) for row in rows],
            "worst": [decimal(100 * row.worst, 3) for row in rows],
            "best": [decimal(100 * row.best, 3) for row in rows],
        }
    )


def figure(runs: pd.DataFrame) -> Figure:
    """Test accuracy, a point a run, with each variant's mean and its interval."""
    drawn, axes = new_figure(5.2, 2.6)
    axis, table = axes[0, 0], summary(runs)
    for place, row in enumerate(table.itertuples()):
        values = 100 * runs.loc[runs["normalization"] == row.normalization, "test_accuracy"]
        offsets = np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else np.zeros(1)
        axis.plot(values, place + offsets, **look(row.normalization, linestyle="none"))
        half = 100 * (row.high - row.mean)
        axis.errorbar(100 * row.mean, place + 0.27, xerr=half, fmt="|", color="#333333", capsize=4)
    axis.set_yticks(range(len(table)), table["normalization"])
    axis.set_ylim(len(table) - 0.5, -0.5)
    axis.set_xlabel("Test accuracy (%)")
    return drawn


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = "; ".join(
        f"{name} " + ", ".join(decimal(100 * value, 2) for value in part["test_accuracy"])
        for name, part in runs.groupby("normalization", observed=True)
    )
    return (
        f"Test accuracy after the last epoch, a point a seed: {said}{NO_BREAK}%. "
        f"Bars are the means with their {INTERVAL}s."
    )


def findings(runs: pd.DataFrame) -> list[str]:
    """What the seeds say about the variants, a sentence each."""
    sentences = [
        f"The {row.normalization} variant reaches {percent(row.mean, 3)} on average over {counted(row.seeds, 'seed')} "
        f"(from {percent(row.worst)} to {percent(row.best)}), at the last of {counted(row.epochs, 'epoch')}."
        for row in summary(runs).itertuples()
    ]
    return sentences + [
        f"Seed by seed, {row.first} minus {row.second} is {points(row, 3, 'on average')}, {inference.verdict(row.p)}."
        for row in inference.pairs(runs, "normalization", "test_accuracy").itertuples()
    ]
