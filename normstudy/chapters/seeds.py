"""The same training with several seeds: how accurate a variant is, and how much of that is chance."""

import hashlib
import itertools
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from normstudy.analysis.inference import LEVEL, holm, verdict
from normstudy.display.figures import COLOURS, MARKERS, new_figure
from normstudy.display.notation import (
    INTERVAL,
    NO_BREAK,
    certainty,
    count,
    counted,
    decimal,
    exact,
    interval,
    out_of,
    percent,
)
from normstudy.experiments import provenance, sweep_files
from normstudy.experiments.parameters import Value
from normstudy.experiments.places import StudyError
from normstudy.normalizations import ordered

COLUMNS = {"norm_arg", "seed", "epoch", "test_accuracy", "made_with"}

NETWORK = "3×3/2 8, 3×3 12, 3×3 16, pool, 3×3 16, 3×3v 16, filter 5×5"
"""The network of `model.py`, in the words of report/results/README.md."""


def read(file: Path) -> pd.DataFrame:
    """The runs with several seeds: a row a run and epoch.

    Raises:
        StudyError: the file was written by another version.
    """
    rows = pd.read_csv(file)
    missing = sorted(COLUMNS - set(rows))
    if missing:
        raise StudyError(
            f"{file} is of another version, without {', '.join(missing)}; "
            "'python -m tests.benchmarks.seeds' makes it again"
        )
    return rows


def last_epoch(rows: pd.DataFrame) -> pd.DataFrame:
    """The last epoch of every run, of a table with a row an epoch: a row for each `norm_arg` and `seed`.

    The normalizations are in the order of the study.
    """
    last = rows.loc[rows.groupby(["norm_arg", "seed"], sort=False)["epoch"].idxmax()]
    return last.sort_values("norm_arg", key=_places, kind="stable", ignore_index=True)


def _places(norm_args: pd.Series) -> pd.Series:
    """The place of each normalization in the order of the study."""
    return norm_args.map(ordered(norm_args).index)


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
    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "variant": table["norm_arg"],
            "seeds": table["seeds"],
            "epochs": table["epochs"],
            "mean (%)": [decimal(100 * row.mean, 3) for row in rows],
            "standard deviation": [decimal(100 * row.sd, 3) for row in rows],
            INTERVAL: [interval(100 * row.low, 100 * row.high, 3) for row in rows],
            "worst": [decimal(100 * row.worst, 3) for row in rows],
            "best": [decimal(100 * row.best, 3) for row in rows],
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
    sentences = [
        f"The {row.norm_arg} variant reaches {percent(row.mean, 3)} on average over {counted(row.seeds, 'seed')} "
        f"(from {percent(row.worst)} to {percent(row.best)}), at the last of {counted(row.epochs, 'epoch')}."
        for row in summary(last).itertuples()
    ]
    return sentences + [
        f"Seed by seed, {row.first} minus {row.second} is {decimal(100 * row.difference, 3, sign=True)} percentage "
        f"points on average ({certainty(100 * row.low, 100 * row.high, row.p, 3)}), {verdict(row.p)}."
        for row in paired(last).itertuples()
    ]


def made_with(values: Mapping[str, Value]) -> str:
    """What decides the numbers of a run, its code and its parameters, as a short text that changes with any of it."""
    return hashlib.sha256(f"{provenance.fingerprint()} {sweep_files.key(values)}".encode()).hexdigest()[:12]


def origin(rows: pd.DataFrame, current: Collection[str]) -> str:
    """Whether runs are those that the code and its parameters would make now, whose `made_with` are `current`."""
    runs = rows.drop_duplicates(["norm_arg", "seed"])
    older = len(runs) - runs["made_with"].isin(current).sum()
    if older:
        return (
            f"{out_of(older, len(runs), 'run').capitalize()} preceded the last change of the code that trains, or of "
            f"its parameters; `python -m tests.benchmarks.seeds` makes them anew."
        )
    return f"All {counted(len(runs), 'run')} were made with the parameters that the notebook and `params/` have now."


def tuning_table(runs: pd.DataFrame, used: Sequence[Mapping[str, Value]] = (), best: int = 2) -> pd.DataFrame:
    """The `best` trials on held-out training images for each number of epochs and variant, the lowest loss first.

    A trial is the mean over its seeds. Those with the parameters in `used`, one mapping a variant, are marked, and are
    listed whatever their loss.
    """
    how = ["norm_arg", "epochs", "learning_rate", "batch_size", "l1", "l2", "rotation", "shift", "scale"]
    # A moving average was tested beside the weights themselves, whose numbers these are.
    changed = runs["note"].fillna("").str.replace(r"(; )?moving average of weights instead: .*", "", regex=True)
    groups = runs.assign(changed=changed).groupby(["network", "changed", "optimizer", *how], sort=False)
    table = groups.agg(
        seeds=("seed", "nunique"), loss=("held_out_loss", "mean"), accuracy=("held_out_accuracy", "mean")
    ).reset_index()
    ours = [tuple(values[name] for name in how) for values in used]
    chosen = table[how].apply(tuple, axis=1).isin(ours) & table["network"].eq(NETWORK) & table["changed"].eq("")
    table = table.assign(chosen=chosen, place=_places(table["norm_arg"]))
    table = table.sort_values(["epochs", "place", "loss"], ascending=[False, True, True])
    rank = table.groupby(["epochs", "norm_arg"], sort=False).cumcount()
    table = table[(rank < best) | table["chosen"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "epochs": table["epochs"],
            "variant": table["norm_arg"],
            "network": table["network"] + table["changed"].map(lambda change: f" ({change})" if change else ""),
            "optimizer, batch": table["optimizer"]
            + table["learning_rate"].map(lambda rate: f" {exact(rate)}, ")
            + table["batch_size"].map(count),
            "L1, L2": table["l1"].map(exact) + ", " + table["l2"].map(exact),
            "augmentation": table["rotation"].map(lambda angle: f"{exact(angle)}°, ")
            + table["shift"].map(lambda pixels: f"{exact(pixels)}{NO_BREAK}px, ")
            + table["scale"].map(lambda scale: percent(scale, 0)),
            "seeds": table["seeds"],
            "held-out loss": [decimal(loss, 4) for loss in table["loss"]],
            "accuracy (%)": [decimal(100 * accuracy, 2) for accuracy in table["accuracy"]],
            "used": table["chosen"].map({True: "yes", False: ""}),
        }
    )
