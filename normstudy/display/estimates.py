"""How means and their intervals are written; a row of a table of these has `mean`, `low` and `high`."""

import pandas as pd

from normstudy.display.notation import estimate, with_interval

ENDS = ["mean", "low", "high"]


def accuracy(row: pd.Series) -> str:
    """A share, 0 to 1, in percent, as sentences have it: 98.41 % [98.20, 98.62]."""
    mean, low, high = 100 * row[ENDS]
    return estimate(mean, low, high, 2, unit="%")


def points(row: pd.Series) -> str:
    """A difference of shares in percentage points, as sentences have it: +0.41 [+0.20, +0.62]."""
    mean, low, high = 100 * row[ENDS]
    return estimate(mean, low, high, 2, sign=True)


def cells(table: pd.DataFrame, *, scale: float = 100, digits: int = 2, sign: bool = False) -> list[str]:
    """Each row times `scale`, as tables have it: 98.41 (98.20 to 98.62)."""
    rows = (scale * table[ENDS]).itertuples(index=False)
    return [with_interval(mean, low, high, digits, sign=sign) for mean, low, high in rows]
