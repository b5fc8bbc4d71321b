"""Sentences that several chapters make from their tables of differences (see `inference.pairs`)."""

import pandas as pd

from normstudy.analysis.inference import LEVEL
from normstudy.display.notation import certainty, decimal, out_of


def largest(pairs: pd.DataFrame, of: str, unit: str, scale: float = 1) -> list[str]:
    """How many pairs of normalizations that normalize are apart, and by how much those that are furthest apart.

    Args:
        pairs: those of all normalizations.
        of: what they differ in, such as "test accuracy".
        unit: of the differences times `scale`, such as "percentage points".
    """
    pairs = pairs[(pairs[["first", "second"]] != "none").all(axis=1)]
    if pairs.empty:
        return []
    apart = int((pairs["p"] < LEVEL).sum())
    row = pairs.loc[pairs["mean"].abs().idxmax()]
    mean, low, high = scale * row["mean"], scale * row["low"], scale * row["high"]
    return [
        f"Among the networks that normalize, {out_of(apart, len(pairs), 'pair')} of normalizations "
        f"{'differs' if apart == 1 else 'differ'} in {of} by more than chance would give. The largest difference is "
        f"{decimal(mean, 2, sign=True)} {unit}, `{row['first']}` minus `{row['second']}` "
        f"({certainty(low, high, row['p'], 2)})."
    ]
