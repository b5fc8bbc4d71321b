"""Sentences that several chapters make from their tables of differences (see `inference.pairs`)."""

from collections.abc import Sequence

import pandas as pd

from normstudy.analysis.inference import LEVEL
from normstudy.display.notation import certainty, decimal, listed, out_of

BORNE_OUT, CONTRADICTED, OPEN = "borne out", "contradicted", "left open"


def verdict(names: Sequence[str], rows: pd.DataFrame, sign: int) -> str:
    """For which of several differences a predicted sign was found, or the other one, by more than chance would give.

    Args:
        names: what each difference is called.
        rows: a row a difference: `mean` and `p` (corrected for their number).
        sign: 1 where a difference above 0 was predicted, −1 where one below.
    """
    found: dict[str, list[str]] = {BORNE_OUT: [], OPEN: [], CONTRADICTED: []}
    for name, mean, p in zip(names, rows["mean"], rows["p"], strict=True):
        found[OPEN if not p < LEVEL else BORNE_OUT if sign * mean > 0 else CONTRADICTED].append(f"`{name}`")
    said = [(kind, which) for kind, which in found.items() if which]
    if len(said) == 1:
        return said[0][0]
    return listed([f"{kind} for {listed(which)}" for kind, which in said])


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
