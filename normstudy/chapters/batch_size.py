"""Small batches: test error against batch size for each normalization, beside the numbers of Wu & He (2018)."""

import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import inference
from normstudy.analysis.inference import LEVEL
from normstudy.display import lines
from normstudy.display.figures import new_figure
from normstudy.display.notation import INTERVAL, NO_BREAK, count, decimal, points, with_interval


def with_error(runs: pd.DataFrame) -> pd.DataFrame:
    """A table of runs with the test `error` (0 to 1)."""
    return runs.assign(error=1 - runs["test_accuracy"], batch_size=runs["batch_size"].astype(int))


def errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test error (0 to 1) for each `normalization` and `batch_size`, with its 95 % interval over the seeds."""
    return inference.summary(with_error(runs), ("normalization", "batch_size"), "error")


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
    table, theirs = errors(runs), published.rename(columns={"error": "mean"})
    sizes = sorted({*table["batch_size"], *theirs["batch_size"]})
    for axis, shown in zip(axes[:, 0], (table, theirs), strict=True):
        lines.set_ticks(axis, sizes, base=2)
        lines.draw(axis, shown, "batch_size")
        axis.set_xlim(sizes[0] / 1.2, sizes[-1] * 1.2)
        axis.set_xlabel("Images per batch")
        axis.set_ylabel("Error (%)")
        axis.legend()
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].set_title("Here", fontsize=10)
    axes[1, 0].set_title("Wu & He (2018): ImageNet, ResNet-50, per GPU", fontsize=10)
    return drawn


def describe(runs: pd.DataFrame, published: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    theirs = lines.in_words(published.rename(columns={"error": "mean"}), "batch_size", 1)
    return (
        f"Above, mean test error in percent by batch size with {INTERVAL}s over the seeds: "
        f"{lines.in_words(errors(runs), 'batch_size', 2)}. Below, the numbers of Wu and He: {theirs}."
    )


def against_batch(runs: pd.DataFrame) -> pd.DataFrame:
    """Test error of batch normalization minus that of each other one at each batch size, paired by seed.

    Returns:
        A row for each batch size and other normalization: `batch_size`, `other`, `mean`, `low`, `high`, `p` (corrected
        for the number of all pairs, those without batch normalization included).
    """
    rows = inference.pairs(with_error(runs), "normalization", "error", "batch_size")
    rows = rows[rows["first"] == "batch"]  # in the order of the study, batch comes first in all of its pairs
    return rows.rename(columns={"second": "other"}).drop(columns="first").reset_index(drop=True)


def findings(runs: pd.DataFrame) -> list[str]:
    """What small batches do to each normalization, and where batch normalization falls behind, a sentence each."""
    runs = with_error(runs)
    smallest, largest = runs["batch_size"].min(), runs["batch_size"].max()
    ends = runs[runs["batch_size"].isin([smallest, largest])]
    means = errors(runs).set_index(["normalization", "batch_size"])["mean"]
    sentences = []
    for row in inference.pairs(ends, "batch_size", "error", "normalization").itertuples():  # first: the smaller batch
        before, after = (decimal(100 * means[row.normalization, size], 2) for size in (largest, smallest))
        sentences.append(
            f"From batches of {count(largest)} to batches of {count(smallest)} images, the test error of "
            f"{row.normalization} normalization goes from {before} to {after}{NO_BREAK}%. That is {points(row)}, "
            f"{inference.verdict(row.p)}."
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
