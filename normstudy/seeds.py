"""The same training with several seeds: how accurate a variant is, and how much of that is chance."""

import itertools

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from normstudy.effects import LEVEL, holm
from normstudy.figures import COLOURS, MARKERS, new_figure


def last_epoch(rows: pd.DataFrame) -> pd.DataFrame:
    """The last epoch of every run: a row for each `norm_arg` and `seed`, of a table with a row an epoch."""
    return rows.loc[rows.groupby(["norm_arg", "seed"], sort=False)["epoch"].idxmax()].reset_index(drop=True)


def summary(last: pd.DataFrame) -> pd.DataFrame:
    """Mean test accuracy of each variant over its seeds, its standard deviation, and Student's 95 % interval.

    All accuracies are from 0 to 1. With a single seed there is no interval: NaN.
    """
    rows = []
    for norm_arg, part in last.groupby("norm_arg", sort=False):
        values = part["test_accuracy"].to_numpy()
        mean, number = values.mean(), len(values)
        deviation = values.std(ddof=1) if number > 1 else np.nan
        half = stats.t.ppf(1 - LEVEL / 2, number - 1) * deviation / np.sqrt(number) if number > 1 else np.nan
        rows.append(
            {
                "norm_arg": norm_arg,
                "seeds": number,
                "epochs": int(part["epoch"].max()),
                "mean": mean,
                "sd": deviation,
                "low": mean - half,
                "high": mean + half,
                "worst": values.min(),
                "best": values.max(),
            }
        )
    return pd.DataFrame(rows)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`summary` as the report prints it, in percent."""
    percent = {
        name: (100 * table[name]).map("{:.3f}".format) for name in ("mean", "sd", "low", "high", "worst", "best")
    }
    return pd.DataFrame(
        {
            "variant": table["norm_arg"],
            "seeds": table["seeds"],
            "epochs": table["epochs"],
            "mean (%)": percent["mean"],
            "standard deviation": percent["sd"],
            "95 % interval": percent["low"] + "–" + percent["high"],
            "worst": percent["worst"],
            "best": percent["best"],
        }
    )


def seeds_figure(last: pd.DataFrame) -> Figure:
    """Test accuracy, a point a run, with each variant's mean and its interval."""
    figure, axes = new_figure(5.2, 2.6)
    axis = axes[0, 0]
    table = summary(last)
    for place, row in enumerate(table.itertuples()):
        values = 100 * last[last["norm_arg"] == row.norm_arg]["test_accuracy"]
        offsets = np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else [0]
        axis.plot(values, place + np.asarray(offsets), MARKERS[row.norm_arg], color=COLOURS[row.norm_arg])
        half = 100 * (row.high - row.mean)
        axis.errorbar(100 * row.mean, place + 0.27, xerr=half, fmt="|", color="#333333", capsize=4)
    axis.set_yticks(range(len(table)), table["norm_arg"])
    axis.set_ylim(len(table) - 0.5, -0.5)
    axis.set_xlabel("Test accuracy (%)")
    return figure


def paired(last: pd.DataFrame) -> pd.DataFrame:
    """Student's paired test of every two variants over the seeds that both have, with Holm's correction.

    Returns:
        A row a pair: `first`, `second`, `difference` (mean, 0 to 1), `low` and `high` (its 95 % interval, not
        corrected), `p` (corrected). Pairs with fewer than two seeds in common are left out.
    """
    wide = last.pivot_table(index="seed", columns="norm_arg", values="test_accuracy")
    rows = []
    for first, second in itertools.combinations(last["norm_arg"].unique(), 2):
        differences = (wide[first] - wide[second]).dropna()
        if len(differences) > 1:
            test = stats.ttest_1samp(differences, 0)
            low, high = test.confidence_interval(1 - LEVEL)
            rows.append((first, second, differences.mean(), low, high, test.pvalue))
    table = pd.DataFrame(rows, columns=["first", "second", "difference", "low", "high", "p"])
    if len(table):
        table["p"] = holm(table["p"])
    return table


def findings(last: pd.DataFrame) -> list[str]:
    """What the seeds say about the variants, a sentence each."""
    table = summary(last)
    sentences = [
        f"The {row.norm_arg} variant reaches {row.mean:.3%} on average over {row.seeds} seeds "
        f"(from {row.worst:.2%} to {row.best:.2%}), at the last of {row.epochs} epochs."
        for row in table.itertuples()
    ]
    for row in paired(last).itertuples():
        verdict = "more than chance would give" if row.p < LEVEL else "within what chance would give"
        sentences.append(
            f"Seed by seed, {row.first} minus {row.second} is {100 * row.difference:+.3f} percentage points on average "
            f"(95 % interval {100 * row.low:+.3f} to {100 * row.high:+.3f}): {verdict} (corrected p = {row.p:.2g})."
        )
    return sentences


def tuning_table(runs: pd.DataFrame, best: int = 3) -> pd.DataFrame:
    """The `best` trials on held-out training images for each number of epochs and variant, the lowest loss first."""
    varied = ["network", "note", "optimizer", "learning_rate", "batch_size", "l1", "l2"]
    groups = runs.fillna({"note": ""}).groupby([*varied, "norm_arg", "epochs"], sort=False)
    table = groups[["held_out_loss", "held_out_accuracy", "core_seconds"]].mean().reset_index()
    table = table.sort_values(["epochs", "norm_arg", "held_out_loss"], ascending=[False, True, True])
    table = table.groupby(["epochs", "norm_arg"], sort=False).head(best).reset_index(drop=True)
    return pd.DataFrame(
        {
            "epochs": table["epochs"],
            "variant": table["norm_arg"],
            "network": table["network"] + table["note"].map(lambda note: f" ({note})" if note else ""),
            "optimizer, batch": table["optimizer"]
            + table["learning_rate"].map(" {:g}, ".format)
            + table["batch_size"].map(str),
            "L1, L2": table["l1"].map("{:g}, ".format) + table["l2"].map("{:g}".format),
            "held-out loss": table["held_out_loss"].map("{:.4f}".format),
            "accuracy (%)": (100 * table["held_out_accuracy"]).map("{:.2f}".format),
        }
    )
