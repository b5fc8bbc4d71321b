"""Runs whose accuracies are known: images are hard, seeds are lucky, and settings differ by what is planted."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from normstudy.analysis import inference

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


def table(
    settings: Iterable[Mapping[str, Any]], number: int = 6, size: int = 500, spread: float = 0.003
) -> pd.DataFrame:
    """The table of runs of these settings, each with `number` seeds, at most `spread` from its `test_accuracy`.

    Of `size` images the first ones are the hardest: a run gets these wrong, but for one in ten that it takes at random.
    """
    generator, rows = np.random.default_rng(0), []
    for setting in settings:
        for seed, luck in enumerate(generator.permutation(np.linspace(-1, 1, number))):
            wrong = min(max(round((1 - setting["test_accuracy"] - spread * luck) * size), 0), size)
            others = min(wrong // 10, size - wrong)
            images = [*range(wrong - others), *generator.choice(np.arange(wrong, size), others, replace=False)]
            about = {"run": len(rows), "seed": seed, "epoch": 1, "l1": 0.0, "l2": 0.0, "test_images": size}
            accuracy = 1 - wrong / size
            rows.append(setting | about | {"test_accuracy": accuracy, "test_loss": 1 - accuracy, "wrong": images})
    return inference.last_epochs(pd.DataFrame(rows))
