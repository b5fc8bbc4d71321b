"""Rows of networks in which it was measured what goes on inside, alike but for what is planted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from normstudy.analysis import inside

NETWORKS = ("batch", "layer", "group", "instance", "none")

EPOCHS, LAYERS, CHANNELS = 8, 3, 4

NAMED = [1, 4, 8]

OTHERS = [name for name in NETWORKS if name != "none"]


def rows(
    shift: Mapping[str, float] | None = None,
    change: Mapping[str, float] | None = None,
    growth: float = 1.0,
    seeds: int = 5,
    noise: float = 0.05,
) -> pd.DataFrame:
    """Rows of five networks, alike but for noise and what is planted.

    Args:
        shift: by what the shift on the returned side, a tenth of a standard deviation an epoch, is multiplied.
        change: the same of the change of the gradient, which is 1.
        growth: the factor from layer to layer without normalization; with one it is 1.
        seeds: their number.
        noise: of the logarithms.
    """
    generator = np.random.default_rng(0)

    def about(value: float) -> float:
        return float(value * np.exp(generator.normal(0, noise)))

    table: list[dict[str, Any]] = []
    for seed in range(seeds):
        for number, name in enumerate(NETWORKS):
            steps = {"given": 0.1, "returned": 0.1 * (shift or {}).get(name, 1.0)}
            means = dict.fromkeys(steps, 0.0)
            for epoch in range(EPOCHS + 1):
                means = {side: mean + about(steps[side]) for side, mean in means.items()}
                sizes = [about(growth**layer if name == "none" else 1) for layer in range(LAYERS)]
                row = {"run": seed * len(NETWORKS) + number, "norm_arg": name, "seed": seed, "epoch": epoch}
                row |= {"test_accuracy": 0.9 if epoch else None, "given_sd": sizes}
                row |= {f"{side}_channel_mean": [[mean] * CHANNELS] * LAYERS for side, mean in means.items()}
                row |= {f"{side}_channel_sd": [[1.0] * CHANNELS] * LAYERS for side in means}
                table.append(row | {"relative_change": about((change or {}).get(name, 1.0))})
    return pd.DataFrame(table)


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    return inside.against_none(inside.measures(table))
