"""How the three variants do on 5,000 held-out training images with other settings than the defaults.

`python -m tests.benchmarks.tuning learning_rate=0.02 epochs=15` trains each variant of `params/` on the other 55,000
images of MNIST with these settings, and prints a line of `report/results/tuning.csv` for each. The test set is never
seen.
"""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import pandas as pd

from normstudy import data, training
from normstudy.experiments import parameters, single
from normstudy.machine.processor import cores
from normstudy.model import count_parameters
from tests.commands import ROOT

RECORD = ROOT / "report" / "results" / "tuning.csv"
HELD_OUT = 5000
NETWORK = "3×3/2 8, 3×3 12, 3×3 16, pool, 3×3 16, 3×3v 16, filter 5×5"  # as the record describes `normstudy/model.py`
DECIMALS = {
    "train_loss": 4,
    "held_out_loss": 5,
    "held_out_accuracy": 4,
    "sum_absolute_weights": 1,
    "sum_squared_weights": 1,
    "share_below_0_001": 3,
    "core_seconds": 1,
}


def trial(values: dict[str, parameters.Value]) -> dict[str, object]:
    """A line of the record: a run with these parameters, tested on held-out training images after its last epoch."""
    start = time.process_time()
    last = single.run(values, data.hold_out(single.load(str(values["dataset"])), HELD_OUT))[-1]
    return values | {
        "network": NETWORK,
        "parameters": count_parameters(training.build(values)),
        "optimizer": "Adam",
        "note": None,
        "train_loss": last["train_loss"],
        "held_out_loss": last["test_loss"],
        "held_out_accuracy": last["test_accuracy"],
        "sum_absolute_weights": last["weights_l1"],
        "sum_squared_weights": last["weights_l2"],
        "share_below_0_001": last["weights_near_zero"],
        "core_seconds": time.process_time() - start,
    }


def main(overrides: dict[str, str]) -> None:
    """Train the variants with these settings and print a line for each."""
    notebook = ROOT / "report" / "notebooks" / "variant.ipynb"
    runs = [
        parameters.parameters(notebook, [ROOT / "params" / f"{name}.yaml"], overrides) | {"measure": False}
        for name in parameters.VARIANTS
    ]
    columns = pd.read_csv(RECORD, nrows=0).columns
    with ProcessPoolExecutor(cores(), multiprocessing.get_context("spawn")) as pool:
        table = pd.DataFrame(pool.map(trial, runs))[columns].round(DECIMALS)
    print(table.to_csv(index=False), end="")


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
