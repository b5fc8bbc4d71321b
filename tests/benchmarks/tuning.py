"""How the three variants do on 5,000 held-out training images with other settings than the defaults.

`python -m tests.benchmarks.tuning learning_rate=0.02 epochs=15` trains each variant of `params/` on the other 55,000
images of MNIST with these settings, and prints the numbers by which settings are chosen. The test set is never seen.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import pandas as pd

from normstudy.experiments import parameters
from tests.benchmarks.seeds import NOTEBOOK, ROOT, side_by_side, train

HELD_OUT = 5000


def main(overrides: dict[str, str]) -> None:
    """Train the variants with these settings and print a line for each."""
    runs = [
        parameters.parameters(NOTEBOOK, [ROOT / "params" / f"{name}.yaml"], overrides) for name in parameters.VARIANTS
    ]
    with ProcessPoolExecutor(side_by_side(), multiprocessing.get_context("spawn")) as pool:
        rows = [histories[-1] for histories in pool.map(train, runs, [HELD_OUT] * len(runs))]
    table = pd.DataFrame(rows).rename(columns=lambda name: name.replace("test", "held_out"))
    print(table.drop(columns=["epoch", "learning_rate", "seconds"]).to_string(index=False))


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
