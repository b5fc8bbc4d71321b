"""What the spread of test accuracies is made of, and what picking the best of many makes of it.

A network is right about a test image or not. With several seeds and images that is a table of two crossed sources of
chance, whose variance has three parts: how good a seed's network is on all images that there could be, how hard an
image is for all seeds, and the rest, which image falls to which network. Between networks on one set of test images,
only the first and the rest are seen (Jordan, 2023, arXiv:2304.01910, section 3, whose estimate of the first this is).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from normstudy.analysis.inference import LEVEL


def decomposition(wrong: Mapping[str, Sequence[Sequence[int]]], images: int) -> pd.DataFrame:
    """The parts of the variance of an accuracy (0 to 1) that is measured on so many images.

    Args:
        wrong: a kind of network → for each of its seeds, the misclassified test images.
        images: how many test images there are.

    Returns:
        A row a kind and, if there are several, one for them `together`, as if each had the same parts. `kind`, `seeds`,
        `seen` (the variance between the networks on these images), `seed` (what would be left of it on very many
        images; an estimate that may be below 0), `luck` (the rest of it: what falls to one network on these images),
        `images` (the variance of the mean over very many seeds between sets of images), and `share` (of `seed` in
        `seen`) with `share_low` and `share_high`, its 95 % interval, for normal accuracies (0 to 1; NaN for one seed).
    """
    rows = [{"kind": kind, "seeds": len(each), **_parts(each, images)} for kind, each in wrong.items()]
    table = pd.DataFrame(rows)
    if len(rows) > 1:
        together = table.drop(columns="kind").mean().to_dict() | {"kind": "together", "seeds": table["seeds"].sum()}
        table = pd.concat([table, pd.DataFrame([together])], ignore_index=True).astype({"seeds": int})
    freedom = table["seeds"] - np.where(table["kind"] == "together", len(rows), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        for name, level in (("share_low", 1 - LEVEL / 2), ("share_high", LEVEL / 2)):
            variance = freedom * table["seen"] / stats.chi2.ppf(level, freedom)
            table[name] = (1 - table["luck"] / variance).clip(0, 1)
        table["share"] = (table["seed"] / table["seen"]).clip(0, 1)
    return table


def _parts(wrong: Sequence[Sequence[int]], images: int) -> dict[str, float]:
    """The parts for one kind, from the mean squares of the analysis of variance with two crossed random sources."""
    seeds = len(wrong)
    if seeds < 2:
        return dict.fromkeys(("seen", "seed", "luck", "images"), np.nan)
    table = np.zeros((seeds, images))
    for row, mistakes in zip(table, wrong, strict=True):
        row[np.asarray(mistakes, dtype=int)] = 1
    of_seed, of_image = table.mean(axis=1), table.mean(axis=0)
    rest = table - of_seed[:, None] - of_image + table.mean()
    luck = float((rest**2).sum() / ((seeds - 1) * (images - 1)))
    seen = float(of_seed.var(ddof=1))
    hardness = float(of_image.var(ddof=1)) - luck / seeds
    return {"seen": seen, "seed": seen - luck / images, "luck": luck / images, "images": hardness / images}


def best_of(accuracies: np.ndarray, number: int) -> tuple[float, float, float]:
    """The mean of the best of so many runs, and between what it is in 95 of 100 such choices.

    Each run is one of those that there are, any as likely as any other. So the best is at most the best of these, and
    what is returned is exact: no simulation is needed.

    Args:
        accuracies: (R,), one a run.
        number: how many runs one picks the best of.
    """
    best = np.sort(accuracies)
    below = (np.arange(len(best) + 1) / len(best)) ** number  # the probability that it is among the first k
    low, high = (float(best[np.searchsorted(below[1:], level)]) for level in (LEVEL / 2, 1 - LEVEL / 2))
    return float(np.diff(below) @ best), low, high
