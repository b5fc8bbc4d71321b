"""Small batches: test error against batch size for each normalization, beside the numbers of Wu & He (2018)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from normstudy.analysis import inference
from normstudy.analysis.inference import LEVEL
from normstudy.display.figures import COLOURS, DASHES, MARKERS, new_figure
from normstudy.display.notation import INTERVAL, NO_BREAK, certainty, count, decimal, with_interval


def errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test error (0 to 1) for each `normalization` and `batch_size`, with its 95 % interval over the seeds."""
    return inference.summary(
        runs.assign(error=1 - runs["test_accuracy"]), ("normalization", "batch_size"), "error"
    ).astype({"batch_size": int})


def results(runs: pd.DataFrame) -> pd.DataFrame:
    """Test error in percent as the report prints it: a row a batch size, a column a normalization."""
    table = errors(runs)
    table["shown"] = [
        with_interval(100 * mean, 100 * low.clip(min=0), 100 * high, 2)
        for mean, low, high in table[["mean", "low", "high"]].to_numpy()
    ]
    wide = table.pivot(index="batch_size", columns="normalization", values="shown").sort_index(ascending=False)
    return wide.reset_index().rename(columns={"batch_size": "batch size"}).rename_axis(columns=None)


def figure(runs: pd.DataFrame, published: pd.DataFrame) -> Figure:
    """Error against batch size: above ours, with 95 % intervals over the seeds; below those of Wu & He.

    `published` has the columns `normalization`, `batch_size`, `error` (0 to 1), a row a number.
    """
    drawn, axes = new_figure(5.2, 6.0, rows=2)
    table = errors(runs)
    above, below = axes[:, 0]
    for name, part in table.groupby("normalization", observed=True):
        half = 100 * np.array([part["mean"] - part["low"], part["high"] - part["mean"]])
        above.errorbar(
            part["batch_size"], 100 * part["mean"], yerr=half, color=COLOURS[name], linestyle=DASHES[name],
            marker=MARKERS[name], capsize=2, label=name,
        )  # fmt: skip
    for name, part in published.groupby("normalization", sort=False):
        below.plot(
            part["batch_size"], 100 * part["error"], color=COLOURS[name], linestyle=DASHES[name], marker=MARKERS[name],
            label=name,
        )  # fmt: skip
    above.set_ylim(bottom=0)
    above.set_title("Here", fontsize=10)
    below.set_title("Wu & He (2018): ImageNet, ResNet-50, per GPU", fontsize=10)
    sizes = sorted({*table["batch_size"], *published["batch_size"]})
    for axis in (above, below):
        _label(axis, sizes)
    return drawn


def _label(axis: Axes, sizes: list[int]) -> None:
    axis.set_xscale("log", base=2)
    axis.set_xticks(sizes, [count(size) for size in sizes])
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlim(sizes[0] / 1.2, sizes[-1] * 1.2)
    axis.set_xlabel("Images per batch")
    axis.set_ylabel("Error (%)")
    axis.legend()


def describe(runs: pd.DataFrame, published: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    ours = "; ".join(
        f"{name} "
        + ", ".join(
            f"{decimal(100 * mean, 2)} at {size}" for size, mean in part[["batch_size", "mean"]].itertuples(index=False)
        )
        for name, part in errors(runs).groupby("normalization", observed=True)
    )
    theirs = "; ".join(
        f"{name} " + ", ".join(f"{decimal(100 * row.error, 1)} at {row.batch_size}" for row in part.itertuples())
        for name, part in published.groupby("normalization", sort=False)
    )
    return (
        f"Above, mean test error in percent by batch size with {INTERVAL}s over the seeds: {ours}. Below, the "
        f"numbers of Wu and He: {theirs}."
    )


def against_batch(runs: pd.DataFrame) -> pd.DataFrame:
    """Test error of batch normalization minus that of each other one at each batch size, paired by seed.

    Returns:
        A row for each batch size and other normalization: `batch_size`, `other`, `mean`, `low`, `high`, `p` (corrected
        for the number of all pairs, those without batch normalization included).
    """
    rows = inference.pairs(runs.assign(error=1 - runs["test_accuracy"]), "normalization", "error", ("batch_size",))
    rows = rows[(rows["first"] == "batch") | (rows["second"] == "batch")].reset_index(drop=True)
    turned = rows["second"] == "batch"
    sign = np.where(turned, -1, 1)
    return pd.DataFrame(
        {
            "batch_size": rows["batch_size"].astype(int),
            "other": np.where(turned, rows["first"], rows["second"]),
            "mean": sign * rows["mean"],
            "low": np.where(turned, -rows["high"], rows["low"]),
            "high": np.where(turned, -rows["low"], rows["high"]),
            "p": rows["p"],
        }
    )


def findings(runs: pd.DataFrame) -> list[str]:
    """What small batches do to each normalization, and where batch normalization falls behind, a sentence each."""
    changed = runs.assign(error=1 - runs["test_accuracy"], batch_size=runs["batch_size"].astype(int))
    smallest, largest = changed["batch_size"].min(), changed["batch_size"].max()
    ends = changed[changed["batch_size"].isin([smallest, largest])]
    table = inference.pairs(ends, "batch_size", "error", ("normalization",))
    means = errors(runs).set_index(["normalization", "batch_size"])["mean"]
    sentences = []
    for row in table.itertuples():  # first is the smaller batch
        before, after = (decimal(100 * means[row.normalization, size], 2) for size in (largest, smallest))
        sentences.append(
            f"From batches of {count(largest)} to batches of {count(smallest)} images, the test error of "
            f"{row.normalization} normalization goes from {before} to {after}{NO_BREAK}%. That is "
            f"{decimal(100 * row.mean, 2, sign=True)} percentage points "
            f"({certainty(100 * row.low, 100 * row.high, row.p, 2)}), {inference.verdict(row.p)}."
        )
    for other, part in against_batch(runs).groupby("other", sort=False):
        apart = part[part["p"] < LEVEL]
        said = [
            f"a {kind} error than {other} normalization with batches of "
            f"{', '.join(map(count, sorted(chosen['batch_size'])))} images"
            for kind, chosen in (("larger", apart[apart["mean"] > 0]), ("smaller", apart[apart["mean"] < 0]))
            if len(chosen)
        ]
        rest = "" if len(apart) == len(part) else "; with the other sizes they cannot be told apart"
        sentences.append(
            f"Batch normalization has {' and '.join(said)}{rest}."
            if said
            else f"Batch normalization and {other} normalization cannot be told apart with any batch size."
        )
    return sentences
