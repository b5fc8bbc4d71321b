"""How an outcome changes with the logarithm of a setting: one number for all its values."""

from collections.abc import Sequence

import numpy as np


def weights(settings: Sequence[float]) -> np.ndarray:
    """What to multiply the outcomes at K settings by: their sum is the slope of a least squares line over log₂.

    Returns:
        (K,), in the order of the settings: the change of the outcome for each doubling of the setting.

    Raises:
        ValueError: there is one setting only.
    """
    if len(settings) < 2:
        raise ValueError("a slope needs more than one setting")
    doublings = np.log2(np.asarray(settings, float))
    centred = doublings - doublings.mean()
    found: np.ndarray = centred / (centred @ centred)
    return found
