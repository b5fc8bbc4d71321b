"""Runs whose accuracies are known: images are hard, seeds are lucky, and settings differ by what is planted."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

NOISE = 1.0  # standard deviation of what belongs to one run and one image alone


def accuracy(ease: float, seeds: float, images: float) -> float:
    """The expected accuracy of a setting, over all seeds and images that there could be."""
    return float(stats.norm.cdf(ease / np.sqrt(1.5 * seeds**2 + 1.5 * images**2 + NOISE**2)))


def runs(
    ease: Mapping[str, float],
    draw: int,
    seeds: float = 0.0,
    images: float = 1.0,
    number: int = 10,
    size: int = 400,
) -> pd.DataFrame:
    """A table of runs, `number` seeds for each setting of `ease`, on `size` images; `draw` is another world.

    A run is right about an image if a normal number is above zero: the setting's ease, the seed's luck and the image's
    ease, with standard deviations `seeds` and `images`, half as much variance again of each with this setting alone,
    and noise.
    """
    generator = np.random.default_rng(draw)
    luck, simple = generator.normal(0, seeds, (number, 1)), generator.normal(0, images, size)
    rows = []
    for name, of_setting in ease.items():
        own = generator.normal(0, seeds * np.sqrt(0.5), (number, 1)) + generator.normal(0, images * np.sqrt(0.5), size)
        right = of_setting + luck + simple + own + generator.normal(0, NOISE, (number, size)) > 0
        rows += [
            {"normalization": name, "seed": seed, "test_images": size, "diverged": False, "wrong": np.flatnonzero(~run)}
            | {"test_accuracy": run.mean()}
            for seed, run in enumerate(right)
        ]
    return pd.DataFrame(rows).astype({"normalization": pd.CategoricalDtype(list(ease), ordered=True)})
