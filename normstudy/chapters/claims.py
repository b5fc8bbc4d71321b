"""Sentences that several chapters make from their tables of differences (see `inference.pairs`)."""

from collections.abc import Mapping, Sequence

import pandas as pd

from normstudy.analysis.inference import LEVEL
from normstudy.display.notation import certainty, decimal, listed, out_of, probability, with_interval

BORNE_OUT, CONTRADICTED, OPEN = "borne out", "contradicted", "left open"
VERDICTS = {True: BORNE_OUT, None: OPEN, False: CONTRADICTED}
"""What is said of a prediction that holds (true), that does not (false), or of which neither is sure (None)."""

Holds = bool | None


def signs(rows: pd.DataFrame, sign: int) -> list[Holds]:
    """Whether several differences have a predicted sign, by more than chance would give.

    Args:
        rows: a row a difference: `mean` and `p` (corrected for their number).
        sign: 1 where a difference above 0 was predicted, −1 where one below.
    """
    pairs = zip(rows["mean"], rows["p"], strict=True)
    return [bool(sign * mean > 0) if p < LEVEL else None for mean, p in pairs]


def overall(holds: Sequence[Holds]) -> Holds:
    """Whether a prediction of several cases holds: in every one, or not in some one. Of no case nothing is known."""
    return False if False in holds else None if None in holds or not holds else True


def cases(holds: Mapping[str, Holds]) -> dict[str, str]:
    """With which of several cases, by name, a prediction `holds`, `fails` and is left `open`: names, or "no other"."""
    found = {
        wording: [name for name, each in holds.items() if each is value]
        for wording, value in (("holds", True), ("fails", False), ("open", None))
    }
    return {wording: listed(names) if names else "no other" for wording, names in found.items()}


def somewhere(holds: Sequence[Holds]) -> Holds:
    """Whether something holds in some one of several cases, or in none."""
    return True if True in holds else None if None in holds else False


def verdict(names: Sequence[str], rows: pd.DataFrame, sign: int) -> str:
    """For which of several differences a predicted sign was found, or the other one (see `signs`)."""
    return by_case(names, signs(rows, sign))


def by_case(names: Sequence[str], holds: Sequence[Holds]) -> str:
    """For which of several cases, each of which has a name, a prediction holds, and for which it does not."""
    said = [
        (kind, [f"`{name}`" for name, each in zip(names, holds, strict=True) if each is value])
        for value, kind in VERDICTS.items()
    ]
    said = [(kind, which) for kind, which in said if which]
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


def differences(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of settings (see `inference.pairs`) and their differences in accuracy, as the report prints them."""
    cells = [with_interval(100 * row.mean, 100 * row.low, 100 * row.high, 2, sign=True) for row in pairs.itertuples()]
    named = {"first": pairs["first"].astype(str), "minus": pairs["second"].astype(str), "difference": cells}
    return pd.DataFrame(named | {"p": pairs["p"].map(probability)})
