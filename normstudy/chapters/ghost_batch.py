"""Statistics of fewer images: test error against how many images share them, for three ways of evaluation.

Runs with `norm_arg` "batch" have a `ghost_batch_size`, and accuracies as `experiments.evaluations` finds them. Runs of
other normalizations, which share nothing between images, stand beside them.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import bootstrap, inference, trends
from normstudy.analysis.inference import GUESSING
from normstudy.chapters import claims as common
from normstudy.chapters.claims import VERDICTS, Holds
from normstudy.display import lines
from normstudy.display.figures import look, new_figure
from normstudy.display.notation import INTERVAL, UNKNOWN, decimal, interval, with_interval

COLUMNS = {"running": "test_accuracy", "own": "test_accuracy_own", "precise": "test_accuracy_precise"}
"""The statistics that an evaluation normalizes with, and the accuracy that it finds."""

LOOKS = {
    "running": {"color": "#0072B2", "linestyle": "-", "marker": "o"},
    "own": {"color": "#56B4E9", "linestyle": "--", "marker": "s"},
    "precise": {"color": "#E69F00", "linestyle": ":", "marker": "^"},
}

REPAIRS = {"own": "running − own", "precise": "running − precise"}


def evaluated(runs: pd.DataFrame) -> pd.DataFrame:
    """A row for each run with batch normalization and each evaluation of it: `seed`, `images`, `statistics`, `error`.

    An error is from 0 to 1. A run that diverged counts as guessing.
    """
    batch = runs[runs["norm_arg"] == "batch"]
    tables = [
        pd.DataFrame(
            {
                "seed": batch["seed"],
                "images": batch["ghost_batch_size"].astype(int),
                "statistics": statistics,
                "error": 1 - batch[column].where(~batch["diverged"], GUESSING["test_accuracy"]),
            }
        )
        for statistics, column in COLUMNS.items()
    ]
    return pd.concat(tables, ignore_index=True)


def errors(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test error (0 to 1) for each `statistics` and number of `images`, with its 95 % interval over the seeds."""
    table = evaluated(runs)
    table["statistics"] = pd.Categorical(table["statistics"], list(COLUMNS), ordered=True)
    return inference.summary(table, ("statistics", "images"), "error")


def beside(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean test error (0 to 1) of each other `normalization`, with its 95 % interval over the seeds."""
    others = runs[runs["norm_arg"] != "batch"]
    return inference.summary(others.assign(error=1 - others["test_accuracy"]), ["normalization"], "error")


def contrasts(runs: pd.DataFrame) -> pd.DataFrame:
    """What each doubling of the images changes in the error (0 to 1), one number a seed, and what evaluation repairs.

    Returns:
        As `trends.contrasts`, a row for each of the statistics, and for what running statistics lose over the others.
    """
    table = evaluated(runs)
    per_seed = {name: trends.slopes(part, "images", "error") for name, part in table.groupby("statistics", sort=False)}
    per_seed |= {name: per_seed["running"] - per_seed[other] for other, name in REPAIRS.items()}
    return trends.contrasts(pd.DataFrame(per_seed))


def over_images(runs: pd.DataFrame) -> pd.Series:
    """The contrast of running statistics again, its interval over seeds and test images together (see `bootstrap`).

    Which images an evaluation with other statistics gets wrong is not recorded.
    """
    batch = runs[runs["norm_arg"] == "batch"]
    images = sorted(batch["ghost_batch_size"].unique())
    slope = dict(zip(images, -trends.weights(images), strict=True))  # of the error
    return bootstrap.contrasts(bootstrap.resample(batch, ["ghost_batch_size"]), [slope]).iloc[0]


def claims(runs: pd.DataFrame) -> dict[str, Holds]:
    """Which predictions hold: that statistics of fewer images do harm, and where the harm lies; None where not sure.

    `harm`: with running statistics it is more than the chance of seeds and of test images would give. `learning`: it is
    there with the statistics that the network learned with, too. `running_average`: own and precise statistics repair
    it, and with precise ones none is seen. `fixed_statistics`: own ones repair it, and with precise ones some is left.
    """
    # More images, less error; and a repair makes the slope less steep.
    running, own, precise, by_own, by_precise = common.signs(contrasts(runs), -1)
    harm = running
    if running is not None:
        both = over_images(runs)
        harm = running if both["low"] > 0 or both["high"] < 0 else None
    left = bool(harm and by_own and precise)
    return {
        "harm": harm,
        "learning": own,
        "running_average": False if left else bool(harm and by_own and by_precise) or None,
        "fixed_statistics": left or None,
    }


def answer(runs: pd.DataFrame) -> list[str]:
    """A verdict on each prediction of the section, with the numbers that it rests on."""
    table, both, holds = contrasts(runs), over_images(runs), claims(runs)
    slope = {
        row.contrast: f"{decimal(100 * row.mean, 2, sign=True)} ({_sure(row.low, row.high)})"
        for row in table.itertuples()
    }

    said = {name: VERDICTS[each] for name, each in holds.items()}
    sentences = [
        f"With running statistics, the test error changes by {slope['running']} percentage points for each doubling of "
        f"the images that share statistics; over seeds and test images together: {_sure(both['low'], both['high'])}. "
        f"That fewer images do harm is {said['harm']}.",
        f"**Learning** is {said['learning']}: with own statistics, the change is {slope['own']}.",
        f"**Running average** is {said['running_average']}, **fixed statistics** is {said['fixed_statistics']}: the "
        "change with running statistics minus that with own ones is "
        f"{slope[REPAIRS['own']]}, minus that with precise ones {slope[REPAIRS['precise']]}. With precise ones it is "
        f"{slope['precise']}.",
    ]
    if runs["seed"].nunique() > 1:
        several = contrasts(runs[runs["ghost_batch_size"] != 1])  # layer and group have 0
        own, running = (100 * part.set_index("contrast")["excluded"] for part in (table, several))
        sentences.append(
            "What these seeds exclude, for each doubling and in either direction: a change of more than "
            f"{decimal(own['own'], 2)} points with own statistics, and, from two images on, of more than "
            f"{decimal(running['running'], 2)} with running ones."
        )
    return sentences


def _sure(low: float, high: float) -> str:
    found = interval(100 * low, 100 * high, 2, sign=True)
    return "a single seed" if found == UNKNOWN else found


def results(runs: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Test error in percent as the report prints it, a row a number of images, beside that of Wu & He (2018).

    `published` has the columns `normalization`, `batch_size`, `error` (0 to 1), a row a number.
    """
    table = errors(runs)
    table["shown"] = [
        with_interval(100 * mean, 100 * max(low, 0), 100 * high, 2)
        for mean, low, high in table[["mean", "low", "high"]].to_numpy()
    ]
    wide = table.pivot(index="images", columns="statistics", values="shown").astype(object)
    theirs = published.pivot(index="batch_size", columns="normalization", values="error")
    for name in theirs:
        wide[f"Wu & He: {name}"] = (100 * theirs[name]).map(lambda error: decimal(error, 1))
    return wide.fillna(UNKNOWN).reset_index().rename_axis(columns=None)


def figure(runs: pd.DataFrame) -> Figure:
    """Error against images that share statistics, a line a way of evaluation; the other normalizations as flat lines.

    Bars and bands are 95 % intervals over the seeds.
    """
    drawn, axes = new_figure(5.2, 3.8)
    axis, table, others = axes[0, 0], errors(runs), beside(runs)
    least = 100 * min(table["mean"].min(), others["mean"].min()) / 3  # the axis has no 0
    lines.set_ticks(axis, sorted(table["images"].unique()), base=2)
    for number, (name, part) in enumerate(table.groupby("statistics", observed=True)):
        mean, low, high = 100 * part[["mean", "low", "high"]].to_numpy().T
        bars = np.array([mean - low.clip(least), high - mean])
        axis.errorbar(
            part["images"] * 1.04 ** (number - 1), mean, bars, capsize=2, label=f"batch, {name}", **LOOKS[str(name)]
        )
    for row in others.itertuples():
        how = look(row.normalization, marker="")
        axis.axhline(100 * row.mean, **how)
        axis.axhspan(100 * max(row.low, least / 100), 100 * row.high, color=how["color"], alpha=0.12, lw=0)
    lines.fine_logarithm(axis)
    axis.set_xlabel("Images that share statistics")
    axis.set_ylabel("Test error (%)")
    drawn.legend(ncols=3, loc="outside upper center", columnspacing=1, frameon=False)
    return drawn


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    table = errors(runs).rename(columns={"statistics": "normalization"})
    others = ", ".join(f"{row.normalization} {decimal(100 * row.mean, 2)}" for row in beside(runs).itertuples())
    return (
        f"Mean test error in percent by images that share batch normalization's statistics, with {INTERVAL}s over the "
        f"seeds, evaluated with three statistics: {lines.in_words(table, 'images', 2)}. Beside it, as flat lines: "
        f"{others}."
    )
