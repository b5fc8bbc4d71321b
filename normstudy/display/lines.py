"""What most experiments show: an outcome against a setting, a line a normalization with its intervals; also in words.

A table of means has a row for each `normalization` and setting: `mean`, and `low` and `high` where it has intervals.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from normstudy.display.figures import look
from normstudy.display.notation import decimal, exact


def draw(
    axis: Axes, table: pd.DataFrame, setting: str, scale: float = 100, spread: float = 0, joined: bool = True
) -> None:
    """Draw a table of means against the column `setting`, each times `scale`; `joined` by lines or not.

    Marks at the same setting are moved apart by `spread`: a share of it where the axis is logarithmic.
    """
    groups = list(table.groupby("normalization", observed=True, sort=False))
    for number, (name, part) in enumerate(groups):
        place = number - (len(groups) - 1) / 2
        x = part[setting] * (1 + spread) ** place if axis.get_xscale() == "log" else part[setting] + spread * place
        half = scale * np.array([part["mean"] - part["low"], part["high"] - part["mean"]]) if "low" in part else None
        how = look(str(name)) if joined else look(str(name), linestyle="none")
        axis.errorbar(x, scale * part["mean"], yerr=half, capsize=2, **how)


def set_ticks(axis: Axes, settings: Sequence[float], base: int = 10) -> None:
    """A logarithmic axis with a tick at each setting and nowhere else."""
    axis.set_xscale("log", base=base)
    axis.set_xticks(settings, [exact(setting) for setting in settings])
    axis.xaxis.set_minor_locator(NullLocator())


def fine_logarithm(axis: Axes, ticks: Sequence[float] = (1, 2, 5)) -> None:
    """A logarithmic vertical axis of few powers of ten, with these ticks in each."""
    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=ticks))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_locator(NullLocator())


def in_words(table: pd.DataFrame, setting: str, digits: int, scale: float = 100) -> str:
    """A table of means: batch 1.2 at 2, 1.0 at 4; layer …"""
    return "; ".join(
        f"{name} " + ", ".join(f"{decimal(scale * mean, digits)} at {exact(at)}" for at, mean in rows)
        for name, part in table.groupby("normalization", observed=True, sort=False)
        for rows in [part[[setting, "mean"]].itertuples(index=False)]
    )
