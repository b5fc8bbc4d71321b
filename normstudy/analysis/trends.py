"""One contrast per seed: how an outcome changes with the logarithm of a setting, and how large a change is excluded."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from normstudy.analysis import inference


def weights(settings: Sequence[float]) -> np.ndarray:
    """What to multiply the outcomes at these settings by, so that their sum is the slope of `slopes`.

    Raises:
        ValueError: there is one setting only.
    """
    if len(settings) < 2:
        raise ValueError("a slope needs more than one setting")
    doublings = np.log2(np.asarray(settings, float))
    centred = doublings - doublings.mean()
    found: np.ndarray = centred / (centred @ centred)
    return found


def slopes(runs: pd.DataFrame, setting: str, outcome: str) -> pd.Series:
    """By how much an outcome changes for each doubling of a setting: a least squares line over log₂, for each seed.

    Raises:
        ValueError: a seed does not have every setting once, or there is one setting only.
    """
    wide = runs.pivot(index="seed", columns=setting, values=outcome)
    if wide.isna().any(axis=None):
        raise ValueError(f"each seed must have every {setting}")
    return (wide @ weights(list(wide))).rename(outcome)


def contrasts(per_seed: pd.DataFrame) -> pd.DataFrame:
    """The mean of each contrast, how sure it is, and what it excludes.

    Args:
        per_seed: a row a seed, a column a contrast.

    Returns:
        A row a contrast: `contrast`, `mean`, `low`, `high` (its 95 % interval over the seeds, not corrected), `p`
        (corrected for the number of contrasts), `excluded`: the interval holds nothing that is further from 0 than
        this, so that any larger effect, of either sign, is excluded. Of a single seed only the mean is known.
    """
    table = inference.student(per_seed.to_numpy())
    table["excluded"] = table[["low", "high"]].abs().max(axis=1, skipna=False)
    table.insert(0, "contrast", per_seed.columns)
    return table.assign(p=inference.holm(table["p"]))
