"""Budget: test error against the number of epochs: does normalization get a network further, or only sooner?"""

import math

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import bootstrap, effects
from normstudy.analysis.bootstrap import Resampled
from normstudy.analysis.inference import LEVEL, holm
from normstudy.chapters import claims as common
from normstudy.chapters.claims import Holds
from normstudy.display import lines
from normstudy.display.estimates import accuracy, cells, points
from normstudy.display.figures import legend_above, new_figure
from normstudy.display.notation import INTERVAL, NO_BREAK, count, counted, decimal, listed

MARGIN = 0.002
"""Accuracies that are surely no further apart than this count as the same: 20 of 10,000 images."""


def resample(runs: pd.DataFrame) -> Resampled:
    """The mean test accuracy of each normalization and number of epochs, found and drawn."""
    return bootstrap.resample(runs, ["normalization", "epochs"])


def leads(resampled: Resampled) -> pd.DataFrame:
    """How much more accurate the network is with each normalization than without, after each number of epochs.

    Returns:
        A row each: `normalization`, `epochs`, `mean`, `low`, `high`, `p` (corrected for the number of normalizations).
    """
    settings = [setting for setting in resampled.found.index if setting[0] != "none"]
    table = bootstrap.contrasts(resampled, [{(name, at): 1, ("none", at): -1} for name, at in settings])
    table = pd.DataFrame(settings, columns=["normalization", "epochs"]).join(table)
    return table.assign(p=table.groupby("epochs")["p"].transform(holm))


def shrinking(resampled: Resampled) -> pd.DataFrame:
    """By how much the lead of each normalization shrinks from the fewest to the most epochs: `normalization`, `mean`, …

    As `leads`, with a row a normalization.
    """
    names = [name for name in resampled.found.index.unique("normalization") if name != "none"]
    first, last = (pick(resampled.found.index.unique("epochs")) for pick in (min, max))
    sums = [{(name, first): 1, ("none", first): -1, (name, last): -1, ("none", last): 1} for name in names]
    table = bootstrap.contrasts(resampled, sums)
    return pd.DataFrame({"normalization": names}).join(table.assign(p=holm(table["p"])))


def shrinking_in_odds(resampled: Resampled, runs: pd.DataFrame) -> list[str]:
    """The normalizations whose lead, as a factor on the odds of a mistake, surely shrinks; `resampled` is of the runs.

    Near 100 % leads in points shrink with the room; odds have no such end.
    """
    table = shrinking(effects.in_odds(resampled, int(runs["test_images"].iloc[0])))  # of mistakes: a lead is below 0
    return [str(name) for name in table["normalization"][(table["p"] < LEVEL) & (table["mean"] < 0)]]


def figure(table: pd.DataFrame, ahead: pd.DataFrame) -> Figure:
    """Error against epochs, both on logarithmic axes, and below it the leads, which are surer than errors.

    `table` is that of `bootstrap.errors`, `ahead` that of `leads`.
    """
    drawn, axes = new_figure(5.0, 4.3, rows=2)
    above, below = axes[:, 0]
    for axis in (above, below):
        lines.set_ticks(axis, sorted(table["epochs"].unique()), base=2)
    lines.fine_logarithm(above, (1, 1.5, 2, 3, 5, 7))
    lines.draw(above, table.drop(columns=["low", "high"]), "epochs")
    above.set_ylabel("Test error (%)")
    above.tick_params(labelbottom=False)
    below.axhspan(-100 * MARGIN, 100 * MARGIN, color="#333333", alpha=0.12, lw=0)
    below.axhline(0, color="#333333", linewidth=0.8)
    lines.draw(below, ahead, "epochs", spread=0.04)
    below.set_xlim(above.get_xlim())
    below.set_xlabel("Epochs")
    below.set_ylabel("Lead over none (points)")
    legend_above(drawn, above, columns=5)
    return drawn


def describe(table: pd.DataFrame, ahead: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    above, below = lines.in_words(table, "epochs", 2), lines.in_words(ahead, "epochs", 2)
    return (
        f"Above, mean test error in percent by the number of epochs: {above}. Below, how many percentage points more "
        f"accurate than without normalization, with {INTERVAL}s: {below}."
    )


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`bootstrap.errors` in percent as the report prints it: a row a number of epochs, a column a normalization."""
    wide = table.assign(shown=cells(table)).pivot(index="epochs", columns="normalization", values="shown")
    return wide.reset_index().rename_axis(columns=None).rename(columns=str)


def claims(resampled: Resampled, ahead: pd.DataFrame, shrunk: pd.DataFrame) -> dict[str, Holds]:
    """Which of the section's predictions hold of every normalization, by the intervals over seeds and test images.

    `sooner`: after the fewest epochs it is more accurate than the network without. `closing`: this lead shrinks from
    the fewest to the most epochs. `same_end`: after the most epochs the two are surely no further apart than `MARGIN`;
    false if some one is surely further, corrected for their number. `left`: after the most, some one surely leads.

    `ahead` is the table of `leads`, `shrunk` that of `shrinking`.
    """
    first, last = _ends(ahead)
    return {
        "sooner": common.overall(common.signs(first, +1)),
        "closing": common.overall(common.signs(shrunk, +1)),
        "same_end": _same(resampled, last),
        "left": common.somewhere(common.signs(last, +1)),
    }


def _same(resampled: Resampled, last: pd.DataFrame) -> Holds:
    """Whether leads are all surely within `MARGIN`, or some one surely beyond."""
    ways = np.where(last["mean"] < 0, -1, 1)
    settings = zip(last["normalization"], last["epochs"], ways, strict=True)
    sums = [{(name, epochs): way, ("none", epochs): -way} for name, epochs, way in settings]
    apart = bootstrap.contrasts(resampled, sums, MARGIN)
    if ((holm(apart["p"]) < LEVEL) & (apart["mean"] > MARGIN)).any():
        return False
    return bool((last[["low", "high"]].abs() <= MARGIN).all(axis=None)) or None


def _ends(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of the fewest epochs, and those of the most."""
    return table[table["epochs"] == table["epochs"].min()], table[table["epochs"] == table["epochs"].max()]


def made_up(table: pd.DataFrame) -> list[float]:
    """The fewest epochs with which the network without normalization errs no more than each other with the fewest.

    `table` is that of `bootstrap.errors`, whose means are compared. One for each normalization; infinite where none do.
    """
    none = table[table["normalization"] == "none"].set_index("epochs")["mean"].sort_index()
    others = table[(table["epochs"] == none.index[0]) & (table["normalization"] != "none")]
    return [min(none.index[none <= error], default=math.inf) for error in others["mean"]]


def _epochs(enough: float, most: int) -> str:
    return count(int(enough)) if math.isfinite(enough) else f"more than {count(most)}"


def shown_leads(errors: pd.DataFrame, ahead: pd.DataFrame, shrunk: pd.DataFrame) -> pd.DataFrame:
    """`leads` after the fewest and the most epochs, `shrinking` and `made_up` as the report prints them: a row each."""
    (first, last), epochs = _ends(ahead), [count(int(ahead["epochs"].agg(end))) for end in ("min", "max")]
    columns = {
        "normalization": first["normalization"].astype(str),
        f"lead after {epochs[0]}": _differences(first),
        "shrinks by": _differences(shrunk),
        f"lead after {epochs[1]}": _differences(last),
        "without": [_epochs(each, ahead["epochs"].max()) for each in made_up(errors)],
    }
    return pd.DataFrame({name: list(each) for name, each in columns.items()})


def _differences(table: pd.DataFrame) -> list[str]:
    """In percentage points, each with its interval; a star where it is more than chance would give."""
    stars = np.where(table["p"] < LEVEL, f"{NO_BREAK}*", "")
    return [cell + star for cell, star in zip(cells(table, sign=True), stars, strict=True)]


def numbers(errors: pd.DataFrame, ahead: pd.DataFrame, shrunk: pd.DataFrame, in_odds: list[str]) -> dict[str, str]:
    """The numbers of the section's text, as they are printed.

    `fewest`, `most`: epochs; `none_fewest`, `none_most`: the error without normalization. `sooner_…`, `closing_…`,
    `same_end_…`: the first lead, its decrease and the last lead, in percentage points, of the normalization that has
    the `…least` and the `…most`. `furthest`: no interval of a last lead holds one further from 0. `in_odds`: the names
    of `shrinking_in_odds`. `made_up`: see there.
    """
    first, last = _ends(ahead)
    none = errors[errors["normalization"] == "none"].set_index("epochs")
    found = {"furthest": decimal(100 * last[["low", "high"]].abs().to_numpy().max(), 2)}
    for name, table in (("sooner", first), ("closing", shrunk), ("same_end", last)):
        for end, row in (("least", table.loc[table["mean"].idxmin()]), ("most", table.loc[table["mean"].idxmax()])):
            found[f"{name}_{end}"] = f"{points(row)} ({row['normalization']})"
    for end, epochs in (("fewest", errors["epochs"].min()), ("most", errors["epochs"].max())):
        found[end] = counted(int(epochs), "epoch")
        found[f"none_{end}"] = accuracy(none.loc[epochs])
    found["in_odds"] = listed(in_odds) if in_odds else "none of them"
    enough = sorted({min(made_up(errors)), max(made_up(errors))})
    return found | {"made_up": " to ".join(_epochs(each, errors["epochs"].max()) for each in enough)}
