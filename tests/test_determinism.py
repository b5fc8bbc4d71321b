"""The same seed gives the same numbers: again, in another process, in any order, and on a GPU as far as it can."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from normstudy import data
from normstudy.training import NETWORK, evaluate, fit
from tests.commands import ROOT, command
from tests.trainings import DEFAULTS, build, settings

SETTINGS = settings(epochs=2, batch_size=128, l1=3e-5, l2=5e-4)
ORDERS = [("batch", "layer", "group"), ("group", "batch", "layer")]

Numbers = dict[str, dict[str, object]]
"""What came of each variant: every metric but the seconds, and what the weights and the logits are known by."""


def train(order: Sequence[str], device: str = "cpu") -> Numbers:
    """Train variants on digits, one after another."""
    torch.set_num_threads(1)
    dataset = data.load("digits", torch.device(device))
    found: Numbers = {}
    for norm_arg in order:
        net = build(norm_arg, device, seed=SETTINGS.seed)
        history = [asdict(replace(metrics, seconds=0.0)) for metrics in fit(net, dataset, SETTINGS)]
        logits = evaluate(net, dataset.test_images, dataset.test_labels, dataset).logits
        digest = hashlib.sha256()
        for tensor in (*net.state_dict().values(), logits):
            digest.update(tensor.contiguous().cpu().numpy().tobytes())
        found[norm_arg] = {"history": history, "weights and logits": digest.hexdigest()}
    return found


def elsewhere(order: Sequence[str]) -> Numbers:
    """The same, in a process of its own."""
    code = f"import json; from tests.test_determinism import train; print(json.dumps(train({list(order)})))"
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return dict(json.loads(made.stdout))


@pytest.fixture(scope="module")
def first() -> Numbers:
    return train(ORDERS[0])


def test_in_one_process_in_any_order(first: Numbers):
    assert train(ORDERS[1]) == first


@pytest.mark.slow
def test_in_another_process_alone(first: Numbers):
    assert elsewhere(["group"]) == {"group": first["group"]}


def test_the_variants_and_the_seeds_differ(first: Numbers, monkeypatch: pytest.MonkeyPatch):
    assert len({numbers["weights and logits"] for numbers in first.values()}) == 3
    monkeypatch.setattr(sys.modules[__name__], "SETTINGS", replace(SETTINGS, seed=1))
    other = train(["batch"])["batch"]
    assert other["weights and logits"] != first["batch"]["weights and logits"]
    assert other["history"] != first["batch"]["history"]


def test_a_run_made_again_elsewhere_writes_the_same_bytes(study: Path, tmp_path: Path):
    """Every file but those that say how long it took: the executed notebook, and the times of a variant's epochs."""
    again = shutil.copytree(study, tmp_path / "again")
    one, other = (project / "report" / "executed" / "digits" for project in (study, again))
    for result in [result for result in other.iterdir() if result.name not in ("layer", "group")]:
        shutil.rmtree(result)
    run = command(again, "normstudy", "run", "-p", "dataset", "digits")
    assert run.returncode == 0, run.stdout + run.stderr
    files = {file.relative_to(one) for file in one.rglob("*") if file.is_file()}
    assert files == {file.relative_to(other) for file in other.rglob("*") if file.is_file()}
    names = {file for file in files if file.suffix != ".ipynb" and file.name != "times.csv"}
    assert {".csv", ".safetensors", ".parquet", ".xlsx", ".js", ".json", ".yaml"} == {file.suffix for file in names}
    assert not [str(file) for file in names if (one / file).read_bytes() != (other / file).read_bytes()]


@pytest.mark.parametrize("variant", ["batch", "layer", "group"])
def test_weights_say_in_one_entry_whose_they_are(study: Path, variant: str):
    """Several entries stand in random order in the file."""
    with safe_open(study / "report" / "executed" / "digits" / variant / "weights.safetensors", "pt") as weights:
        (network,) = weights.metadata().values()
    assert json.loads(network) == {name: (DEFAULTS | {"norm_arg": variant})[name] for name in NETWORK}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_on_a_gpu_twice_the_same_or_nearly(record_property):
    """A GPU may add in any order: the largest difference is measured, and must be small."""
    one, other = train(ORDERS[0], "cuda"), train(ORDERS[1], "cuda")
    pairs = [
        (epoch[name], again[name])
        for norm_arg in ORDERS[0]
        for epoch, again in zip(one[norm_arg]["history"], other[norm_arg]["history"], strict=True)
        for name in ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
    ]
    largest = max(abs(value - again) for value, again in pairs)
    print(f"The largest difference between two trainings on {torch.cuda.get_device_name()} is {largest}.")
    record_property("largest difference", largest)
    assert largest < 0.05
