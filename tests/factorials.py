"""A made-up factorial of seeds, normalizations and penalties, in which an effect of known size may be planted."""

import itertools

import numpy as np
import pandas as pd

from normstudy.analysis import inference

NETWORKS = ("batch", "layer", "group", "instance", "none")
LEVELS = list(itertools.product(NETWORKS, inference.PENALTIES))


def factorial(
    planted: dict[tuple[str, str], float] | None = None, seeds: int = 5, noise: float = 0.002, draw: int = 0
) -> pd.DataFrame:
    """A factorial of seeds, normalizations and penalties, whose accuracies have the planted effects and no others."""
    generator = np.random.default_rng(draw)
    rows = []
    for seed in range(seeds):
        of_seed = generator.normal(0, 0.005)
        for run, (normalization, penalty) in enumerate(LEVELS):
            accuracy = 0.95 + of_seed + (planted or {}).get((normalization, penalty), 0) + generator.normal(0, noise)
            rows.append(
                {
                    "run": seed * len(LEVELS) + run,
                    "seed": seed,
                    "epoch": 3,
                    "norm_arg": normalization,
                    "l1": 1e-4 * ("L1" in penalty),
                    "l2": 1e-3 * ("L2" in penalty),
                    "test_accuracy": accuracy,
                    "test_loss": 1 - accuracy,
                }
            )
    return inference.last_epochs(pd.DataFrame(rows))


def planted_on(**normalizations: float) -> dict[tuple[str, str], float]:
    return {(name, penalty): size for name, size in normalizations.items() for penalty in inference.PENALTIES}
