"""Differences one below the other: a row each, with its interval, beside the line where there is none."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from normstudy.display.figures import look
from normstudy.normalizations import NORMALIZATIONS

ROW = 0.19
"""Inches that a row takes, a group's name too."""


def height(table: pd.DataFrame) -> float:
    """How high a figure of this table is, in inches, without its horizontal axis."""
    return ROW * (len(table) + int(table["group"].nunique()))


def draw(axis: Axes, table: pd.DataFrame, *, factors: bool = False) -> None:
    """Draw a table of differences, those of each group below its name.

    Args:
        axis: an empty one.
        table: a row a difference: `group`, `name` (in its colour if it is a normalization's), `mean`, `low`, `high`.
        factors: whether 1 says that there is no difference, on a logarithmic axis; otherwise 0 does.
    """
    labels: list[str] = []
    for group, part in table.groupby("group", sort=False):
        labels.append(str(group))
        for row in part.itertuples():
            how = look(row.name) if row.name in NORMALIZATIONS else {"color": "#333333", "marker": "o"}
            half = [[row.mean - row.low], [row.high - row.mean]]
            axis.errorbar(row.mean, len(labels), xerr=half, capsize=2, **how | {"linestyle": "none", "label": None})
            labels.append(row.name)
    axis.axvline(1 if factors else 0, color="#333333", linewidth=1)
    if factors:
        low, high = axis.dataLim.intervalx
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 10 * low else MaxNLocator(6))
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks(range(len(labels)), labels)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
    for place, label in enumerate(axis.get_yticklabels()):
        if place in {labels.index(str(group)) for group in table["group"]}:
            label.set_fontweight("bold")
