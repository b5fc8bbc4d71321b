"""Budget: test error against the number of epochs, and whether normalization changes where training ends, or when."""

import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import bootstrap
from normstudy.analysis.bootstrap import Resampled
from normstudy.analysis.inference import LEVEL, holm
from normstudy.chapters import claims as common
from normstudy.chapters.claims import Holds
from normstudy.display import lines
from normstudy.display.figures import new_figure
from normstudy.display.notation import INTERVAL, counted, decimal, listed, percent, with_interval

MARGIN = 0.002
"""Accuracies that are surely no further apart than this count as the same: 20 of 10,000 images."""

POINTS = "percentage points"


def resample(runs: pd.DataFrame) -> Resampled:
    """The mean test accuracy of each normalization and number of epochs, found and drawn."""
    return bootstrap.resample(runs, ["normalization", "epochs"])


def errors(resampled: Resampled) -> pd.DataFrame:
    """Mean test error (0 to 1) for each `normalization` and `epochs`: `mean`, and its interval `low` to `high`."""
    table = bootstrap.summary(resampled)
    return table.assign(mean=1 - table["mean"], low=1 - table["high"], high=1 - table["low"])


def leads(resampled: Resampled) -> pd.DataFrame:
    """How much more accurate the network is with each normalization than without, after each number of epochs.

    Returns:
        A row each: `normalization`, `epochs`, `mean`, `low`, `high`, `p` (corrected for the number of rows).
    """
    settings = [setting for setting in resampled.found.index if setting[0] != "none"]
    table = bootstrap.contrasts(resampled, [{(name, at): 1, ("none", at): -1} for name, at in settings])
    return pd.DataFrame(settings, columns=["normalization", "epochs"]).join(table.assign(p=holm(table["p"])))


def shrinking(resampled: Resampled) -> pd.DataFrame:
    """By how much the lead of each normalization shrinks from the fewest to the most epochs: `normalization`, `mean`, …

    As `leads`, with a row a normalization.
    """
    names = [name for name in resampled.found.index.unique("normalization") if name != "none"]
    first, last = (pick(resampled.found.index.unique("epochs")) for pick in (min, max))
    sums = [{(name, first): 1, ("none", first): -1, (name, last): -1, ("none", last): 1} for name in names]
    table = bootstrap.contrasts(resampled, sums)
    return pd.DataFrame({"normalization": names}).join(table.assign(p=holm(table["p"])))


def figure(table: pd.DataFrame) -> Figure:
    """Error against epochs, both on logarithmic axes; `table` is that of `errors`."""
    drawn, axes = new_figure(5.2, 3.6)
    axis = axes[0, 0]
    lines.set_ticks(axis, sorted(table["epochs"].unique()), base=2)
    axis.set_yscale("log")
    lines.draw(axis, table, "epochs", spread=0.03)
    lowest, highest = 100 * table["mean"].min(), 100 * table["mean"].max()
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if lowest / 2 <= tick <= 2 * highest]
    axis.set_yticks(ticks, [decimal(tick, 1 if tick < 1 else 0) for tick in ticks])
    axis.minorticks_off()
    axis.set_xlabel("Epochs")
    axis.set_ylabel("Test error (%)")
    axis.legend()
    return drawn


def describe(table: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = lines.in_words(table, "epochs", 2)
    return f"Mean test error in percent by the number of epochs, with {INTERVAL}s: {said}."


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`errors` in percent as the report prints it: a row a number of epochs, a column a normalization."""
    cells = [with_interval(100 * row.mean, 100 * row.low, 100 * row.high, 2) for row in table.itertuples()]
    wide = table.assign(shown=cells).pivot(index="epochs", columns="normalization", values="shown")
    return wide.reset_index().rename_axis(columns=None).rename(columns=str)


def claims(resampled: Resampled) -> dict[str, Holds]:
    """Which of the section's predictions hold of every normalization, by the intervals over seeds and test images.

    `sooner`: after the fewest epochs it is more accurate than the network without. `closing`: this lead shrinks from
    the fewest to the most epochs. `same_end`: after the most epochs the two are surely no further apart than `MARGIN`;
    false if they are apart by more than chance would give, and that is not sure.
    """
    first, last = _ends(leads(resampled))
    holds = {"sooner": common.signs(first, +1), "closing": common.signs(shrinking(resampled), +1)}
    return {name: common.overall(cases) for name, cases in (holds | {"same_end": _same(last)}).items()}


def _same(rows: pd.DataFrame) -> list[Holds]:
    """Whether leads are surely within `MARGIN`."""
    return [
        True if row.low >= -MARGIN and row.high <= MARGIN else False if row.p < LEVEL else None
        for row in rows.itertuples()
    ]


def _ends(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the fewest epochs, and those of the most."""
    return table[table["epochs"] == table["epochs"].min()], table[table["epochs"] == table["epochs"].max()]


def answer(runs: pd.DataFrame, resampled: Resampled) -> list[str]:
    """A verdict on each prediction of the section, with the numbers that it rests on."""
    (first, last), shrunk, most = _ends(leads(resampled)), shrinking(resampled), runs["epochs"].max()
    names = list(shrunk["normalization"])
    after = [f"after {counted(part['epochs'].iloc[0], 'epoch')}" for part in (first, last)]
    furthest = last[["low", "high"]].abs().to_numpy().max()
    return [
        f"**Sooner** is {common.verdict(names, first, +1)}: {after[0]}, the accuracy with normalization minus that "
        f"without is {_all(first)}.",
        f"**Closing** is {common.verdict(names, shrunk, +1)}: to the most epochs, this lead shrinks by "
        f"{_all(shrunk, sign=False)}.",
        f"**Same end** is {common.by_case(names, _same(last))}: {after[1]}, the lead is {_all(last)}. By their "
        f"{INTERVAL}s, no normalization is further than {decimal(100 * furthest, 2)} {POINTS} from the network "
        f"without, either way; what is within {decimal(100 * MARGIN, 1)} counts as the same.",
        _made_up(errors(resampled)),
        *common.largest(
            bootstrap.pairs(runs[runs["epochs"] == most], "normalization"), f"test accuracy {after[1]}", POINTS, 100
        ),
    ]


def _all(table: pd.DataFrame, sign: bool = True) -> str:
    """Differences of all normalizations, and for which of them they are more than chance would give."""
    said = listed([f"{decimal(100 * row.mean, 2, sign=sign)} (`{row.normalization}`)" for row in table.itertuples()])
    sure = [f"`{row.normalization}`" for row in table.itertuples() if row.p < LEVEL]
    chance = "each" if len(sure) == len(table) else listed(sure) if sure else "none"
    return f"{said} {POINTS}, more than chance would give for {chance}"


def _made_up(table: pd.DataFrame) -> str:
    """How many epochs the network without normalization takes to come as far as the others with the fewest."""
    none = table[table["normalization"] == "none"].set_index("epochs")["mean"].sort_index()
    fewest, said = none.index[0], []
    for row in table[(table["epochs"] == fewest) & (table["normalization"] != "none")].itertuples():
        enough = none.index[none <= row.mean]
        reached = counted(int(enough[0]), "epoch") if len(enough) else f"more than {counted(none.index[-1], 'epoch')}"
        said.append(f"{reached} (`{row.normalization}`, {percent(row.mean)})")
    return (
        f"To come to the mean error that each normalization has after {counted(fewest, 'epoch')}, the network without "
        f"takes, of the numbers tried, {listed(said)}."
    )
