"""How the three variants do on 5,000 held-out training images with other settings than the defaults.

`python -m tests.benchmarks.tuning learning_rate=0.02 epochs=15` trains each variant of `params/` on the other 55,000
images of MNIST with these settings, and prints the numbers by which settings are chosen. The test set is never seen.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import pandas as pd

from normstudy import data
from normstudy.experiments import parameters, single
from normstudy.machine.processor import cores
from tests.commands import ROOT

HELD_OUT = 5000


def last_epoch(values: dict[str, parameters.Value]) -> dict[str, object]:
    """The last row of a run with these parameters, tested on held-out training images."""
    return single.run(values, data.hold_out(single.load(str(values["dataset"])), HELD_OUT))[-1]


def main(overrides: dict[str, str]) -> None:
    """Train the variants with these settings and print a line for each."""
    notebook = ROOT / "report" / "notebooks" / "variant.ipynb"
    runs = [
        parameters.parameters(notebook, [ROOT / "params" / f"{name}.yaml"], overrides) | {"measure": False}
        for name in parameters.VARIANTS
    ]
    with ProcessPoolExecutor(cores(), multiprocessing.get_context("spawn")) as pool:
        table = pd.DataFrame(pool.map(last_epoch, runs)).rename(columns=lambda name: name.replace("test", "held_out"))
    table["wrong"] = table["wrong"].str.len()
    print(table[["norm_arg", "train_loss", "held_out_loss", "held_out_accuracy", "wrong"]].to_string(index=False))


if __name__ == "__main__":
    main(dict(argument.split("=", 1) for argument in sys.argv[1:]))
