"""Statistics of fewer images: test error against how many images share them, for three ways of evaluation.

Runs with `norm_arg` "batch" have a `ghost_batch_size`, and accuracies as `experiments.evaluations` finds them. Runs of
other normalizations, which share nothing between images, stand beside them.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import bootstrap, trends
from normstudy.analysis.bootstrap import Resampled
from normstudy.analysis.inference import GUESSING, holm
from normstudy.chapters import claims as common
from normstudy.chapters.claims import Holds
from normstudy.display import lines
from normstudy.display.estimates import accuracy, cells, points
from normstudy.display.figures import legend_above, look, new_figure
from normstudy.display.notation import INTERVAL, UNKNOWN, count, decimal, probability

EVALUATIONS = {"running": "", "own": "_own", "precise": "_precise"}
"""The statistics that an evaluation normalizes with, and how the columns of what it finds end."""

LOOKS = {
    "running": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "own": {"color": "#56B4E9", "linestyle": "--", "marker": "s"},
    "precise": {"color": "#E69F00", "linestyle": ":", "marker": "^"},
}

CONTRASTS: dict[str, Mapping[str, float]] = {
    "running": {"running": 1},
    "own": {"own": 1},
    "precise": {"precise": 1},
    "half of running − own": {"running": 0.5, "own": -1},
    "half of running − precise": {"running": 0.5, "precise": -1},
    "precise − own": {"precise": 1, "own": -1},
}
"""What is tested: slopes of the error, by the statistics of the evaluation, and weighted sums of them."""


def resample(runs: pd.DataFrame, draws: int = bootstrap.RESAMPLES) -> Resampled:
    """The mean test accuracy of each evaluation (`statistics`) and number of `images`, found and drawn.

    The other normalizations stand among the statistics, with 0 images.
    """
    runs = runs.assign(images=runs["ghost_batch_size"].astype(int))
    batch, others = (part for _, part in runs.groupby(runs["norm_arg"] != "batch"))
    tables = [
        batch.assign(
            statistics=name,
            wrong=batch[f"wrong{end}"],
            test_accuracy=batch[f"test_accuracy{end}"].where(~batch["diverged"], GUESSING["test_accuracy"]),
        )
        for name, end in EVALUATIONS.items()
    ]
    table = pd.concat([*tables, others.assign(statistics=others["norm_arg"])], ignore_index=True)
    named = pd.Categorical(table["statistics"], table["statistics"].unique(), ordered=True)
    return bootstrap.resample(table.assign(statistics=named), ["statistics", "images"], draws)


def slopes(resampled: Resampled, fewest: int = 1) -> pd.DataFrame:
    """By how much the error (0 to 1) changes for each halving of the images, of `fewest` and more: `CONTRASTS`.

    A straight line over the logarithm of the images. Above 0, fewer images make a larger error.

    Returns:
        A row each: `contrast`, `mean`, `low`, `high` (the 95 % interval over seeds and test images, not corrected),
        `p` (corrected for the number of rows).
    """
    images = sorted(at for name, at in resampled.found.index if name == "running" and at >= fewest)
    line = dict(zip(images, trends.weights(images), strict=True))  # the accuracy's for each doubling is the same
    sums = [
        {(name, at): part * line[at] for name, part in parts.items() for at in images} for parts in CONTRASTS.values()
    ]
    table = bootstrap.contrasts(resampled, sums)
    return pd.DataFrame({"contrast": list(CONTRASTS)}).join(table.assign(p=holm(table["p"])))


def _images(errors: pd.DataFrame) -> list[int]:
    return sorted(errors.loc[errors["statistics"] == "running", "images"])


def claims(table: pd.DataFrame) -> dict[str, Holds]:
    """Which predictions hold, by `slopes`: that fewer images do harm, and where it lies; None where that is not sure.

    `harm`: with running statistics, fewer images make a larger error. `learning`: with own ones, too.
    `own_repair`, `precise_repair`: these take more than half of the harm away.
    `running_average`: there is harm, and own and precise ones each repair it.
    `fixed_statistics`: there is harm, and own ones repair it, and precise ones leave more.
    """
    running, own, _, by_own, by_precise, left = common.signs(table, +1)
    return {
        "harm": running,
        "learning": own,
        "own_repair": by_own,
        "precise_repair": by_precise,
        "running_average": common.overall([running, by_own, by_precise]),
        "fixed_statistics": common.overall([running, by_own, left]),
    }


def numbers(errors: pd.DataFrame, table: pd.DataFrame, several: pd.DataFrame) -> dict[str, str]:
    """The numbers of the section's text, as they are printed; of `slopes`, `several` from two images on.

    `fewest`, `second`, `most`: images, with the errors `running_fewest`, … of each evaluation. `running`, …: their
    slopes in percentage points; `left`: that of precise minus that of own ones; `several`: that of running ones from
    two images on; `excluded_own`: the interval holds no slope further from 0.
    """
    images, errors = _images(errors), errors.set_index(["statistics", "images"])
    found = {"fewest": count(images[0]), "most": count(images[-1]), "tests": count(len(CONTRASTS))}
    found["second"] = count(images[1])
    for end, at in (("fewest", images[0]), ("second", images[1]), ("most", images[-1])):
        found |= {f"{name}_{end}": accuracy(errors.loc[(name, at)]) for name in EVALUATIONS}
    table, several = (each.set_index("contrast") for each in (table, several))
    found |= {name: points(table.loc[name]) for name in EVALUATIONS}
    found |= {"left": points(table.loc["precise − own"]), "several": points(several.loc["running"])}
    own = table.loc["own"]
    return found | {"excluded_own": decimal(100 * max(-own["low"], own["high"]), 2)}


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`slopes` as the report prints it, in percentage points."""
    change = cells(table, sign=True)
    return pd.DataFrame({"slope": table["contrast"], "change": change, "p": table["p"].map(probability)})


def results(errors: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Test error in percent as the report prints it, a row a number of images, beside that of Wu & He (2018).

    `published` has the columns `normalization`, `batch_size`, `error` (0 to 1), a row a number.
    """
    table = errors[errors["images"] > 0]
    wide = table.assign(shown=cells(table)).pivot(index="images", columns="statistics", values="shown").astype(object)
    wide = wide[list(EVALUATIONS)].rename_axis(columns=None)
    theirs = published.pivot(index="batch_size", columns="normalization", values="error")
    for name in theirs:
        wide[f"Wu & He: {name}"] = (100 * theirs[name]).map(lambda error: decimal(error, 1))
    return wide.fillna(UNKNOWN).reset_index()


def figure(errors: pd.DataFrame) -> Figure:
    """Error against images that share statistics, a line an evaluation; the other normalizations as flat lines."""
    drawn, axes = new_figure(5.0, 3.5)
    axis = axes[0, 0]
    least = 100 * errors["mean"].min() / 3  # the axis has no 0
    lines.set_ticks(axis, _images(errors), base=2)
    for number, (name, part) in enumerate(errors.groupby("statistics", observed=True, sort=False)):
        mean, low, high = 100 * part[["mean", "low", "high"]].to_numpy().T
        low = low.clip(least)
        if name in EVALUATIONS:
            bars, x = np.array([mean - low, high - mean]), part["images"] * 1.04 ** (number - 1)
            axis.errorbar(x, mean, bars, capsize=2, label=f"batch, {name}", **LOOKS[str(name)])
        else:
            how = look(str(name), marker="")
            axis.axhline(mean[0], **how)
            axis.axhspan(low[0], high[0], color=how["color"], alpha=0.12, lw=0)
    lines.fine_logarithm(axis, (1, 1.5, 2, 3, 5, 7))
    axis.set_xlabel("Images that share statistics")
    axis.set_ylabel("Test error (%)")
    legend_above(drawn, axis, columns=3)
    return drawn


def describe(errors: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    table = errors.rename(columns={"statistics": "normalization"})
    batch, others = (part for _, part in table.groupby(table["images"] == 0))
    flat = ", ".join(f"{row.normalization} {decimal(100 * row.mean, 2)}" for row in others.itertuples())
    return (
        f"Mean test error in percent by images that share batch normalization's statistics, with {INTERVAL}s, "
        f"evaluated with three statistics: {lines.in_words(batch, 'images', 2)}. Beside it, as flat lines: {flat}."
    )
