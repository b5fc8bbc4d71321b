"""Every variant with five seeds: how accurate the study's defaults are, and how much of that is chance.

`python -m tests.benchmarks.seeds` trains each variant of `params/` with the notebook's defaults on all of MNIST, two
runs at a time with one thread each (one at a time on a GPU), and writes each run as it ends to
report/results/mnist-seeds.csv: one row for each variant, seed and epoch. Runs that are there already are kept, unless
the code that trains or a parameter has changed since.
"""

import argparse
import json
import multiprocessing
import os
import platform
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from normstudy.chapters import seeds
from normstudy.experiments import parameters
from normstudy.machine import devices

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "report" / "notebooks" / "variant.ipynb"
RESULTS = ROOT / "report" / "results" / "mnist-seeds.csv"
RUN = ["norm_arg", "l1", "l2", "seed", "made_with"]


def train(values: dict[str, parameters.Value], held_out: int = 0) -> list[dict[str, object]]:
    """The rows of one run with these parameters; tested on that many held-out training images if there are any."""
    import torch

    from normstudy import data, training

    torch.set_num_threads(1)
    dataset = data.load(str(values["dataset"]), devices.choose_device(str(values["device"])))
    if held_out:
        dataset = data.hold_out(dataset, held_out)
    settings = training.Settings.of(values)
    net = training.build(str(values["norm_arg"]), int(values["groups"]), settings.seed, dataset.device)
    run = {name: values[name] for name in RUN[:-1]} | {"made_with": seeds.made_with(values)}
    return [run | asdict(metrics) for metrics in training.fit(net, dataset, settings)]


def side_by_side() -> int:
    """How many runs to train at a time: one on a GPU, otherwise one for each core."""
    import torch

    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


def machine() -> dict[str, object]:
    """What the numbers were made with."""
    import torch

    names = [line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return {
        "processor": names[0].strip() if names else platform.processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def main(number: int) -> None:
    """Train what is missing, then say how accurate each variant is."""
    done = pd.read_csv(RESULTS) if RESULTS.exists() else pd.DataFrame()
    done = done.reindex(columns=list(dict.fromkeys([*RUN, *done])))  # an earlier version knew less
    runs, wanted = [], []
    for seed in range(number):
        for name in parameters.VARIANTS:
            values = parameters.parameters(NOTEBOOK, [ROOT / "params" / f"{name}.yaml"], {"seed": seed})
            wanted.append(seeds.made_with(values))
            if wanted[-1] not in set(done["made_with"]):
                runs.append(values)
    done = done[done["made_with"].isin(wanted)]
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(side_by_side(), multiprocessing.get_context("spawn")) as pool:
        for future in as_completed([pool.submit(train, values) for values in runs]):
            rows = pd.DataFrame(future.result())
            done = rows if done.empty else pd.concat([done, rows])
            done = done.sort_values([*RUN, "epoch"])
            aside = RESULTS.with_name(f".{RESULTS.name}.aside")
            done.to_csv(aside, index=False)
            aside.replace(RESULTS)
            last = rows.iloc[-1]
            print(f"{last.norm_arg} seed {last.seed}: {100 * last.test_accuracy:.2f} %, {rows.seconds.sum():.0f} s")
    made_with = {"command": "python -m tests.benchmarks.seeds", "side by side": side_by_side()} | machine()
    RESULTS.with_suffix(".json").write_text(json.dumps(made_with, indent=2) + "\n")
    final = done[done.epoch == done.groupby(RUN).epoch.transform("max")]
    print((100 * final.groupby("norm_arg").test_accuracy.agg(["mean", "min", "max", "std"])).round(3).to_string())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0")
    main(parser.parse_args().seeds)
