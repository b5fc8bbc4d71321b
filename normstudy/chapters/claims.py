"""Which predictions hold, from tables of differences (see `inference.pairs`); shared by the chapters."""

from collections.abc import Mapping, Sequence

import pandas as pd

from normstudy.analysis.inference import LEVEL
from normstudy.display.estimates import cells
from normstudy.display.notation import listed, probability

Holds = bool | None
"""Whether a prediction holds, does not, or neither is sure (None)."""


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


def concluded(predictions: Mapping[str, Mapping[str, Holds]]) -> dict[str, Holds]:
    """For predictions with their cases, by name: whether each holds in every case, and (`…_somewhere`) in some one."""
    found = {name: list(cases.values()) for name, cases in predictions.items()}
    every = {name: overall(holds) for name, holds in found.items()}
    return every | {f"{name}_somewhere": somewhere(holds) for name, holds in found.items()}


def somewhere(holds: Sequence[Holds]) -> Holds:
    """Whether something holds in some one of several cases, or in none."""
    return True if True in holds else None if None in holds else False


def differences(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of settings (see `inference.pairs`) and their differences in accuracy, as the report prints them."""
    named = {"first": pairs["first"].astype(str), "minus": pairs["second"].astype(str)}
    named["difference"] = cells(pairs, sign=True)
    return pd.DataFrame(named | {"p": pairs["p"].map(probability)})
