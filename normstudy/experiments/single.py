"""One run of an experiment: plain parameters in, tidy rows out, one an epoch; the same wherever it runs."""

import functools
import platform
import threading
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from normstudy import data, training
from normstudy.data import Dataset
from normstudy.experiments import evaluations, inside
from normstudy.experiments.provenance import fingerprint
from normstudy.machine import devices
from normstudy.training import Diverged, EpochMetrics, Settings

if TYPE_CHECKING:
    from normstudy.experiments.parameters import Value

NEAR_ZERO = 0.01
"""A weight counts as near zero if it is smaller than this part of the root mean square of all weights."""

_BUILDING = threading.Lock()


def run(parameters: "Mapping[str, Value]", dataset: Dataset | None = None) -> list[dict[str, Any]]:
    """Train once, and say what came of it.

    Args:
        parameters: those of a variant's notebook, but for `output`, and `measure`: whether to take the measurements of
            `inside.measure` too, before training (epoch 0) and after each epoch.
        dataset: what to train on; left out, it is loaded by its name.

    Returns:
        A row an epoch, each with the parameters, the epoch's metrics (accuracies 0 to 1), `weights_l1` and `weights_l2`
        (the sums of |w| and of w² over the penalized weights), `weights_near_zero` (the part of them that `NEAR_ZERO`
        says), `made_by` and `code`. The last row has `wrong`, the indices of the misclassified test images, of which
        there are `test_images`; with `ghost_batch_size`, it has what `evaluations.by_statistics` says, too. A run that
        diverges ends with a row whose metrics are None.
    """
    torch.set_num_threads(int(parameters["threads"]))
    device = devices.choose_device(str(parameters["device"]))
    dataset = _on(dataset or load(str(parameters["dataset"])), device)
    settings = Settings.of(parameters)
    with _BUILDING:  # the weights come out of the process's one generator, and a Dask worker may have several threads
        net = training.build(parameters, device)
    about = {
        **parameters,
        "test_images": len(dataset.test_labels),
        "made_by": made_by(device),
        "code": fingerprint(str(parameters.get("model", ""))),
    }
    rows: list[dict[str, Any]] = []

    def add(epoch: int, metrics: EpochMetrics | None) -> None:
        numbers = {field.name: None for field in fields(EpochMetrics)} if metrics is None else asdict(metrics)
        del numbers["learning_rate"]  # of the epoch's last step; the column of that name is the parameter, the peak
        measurements = inside.measure(net, dataset, settings.learning_rate) if parameters["measure"] else {}
        rows.append({**about, **numbers, "epoch": epoch, **_weights(net), **measurements, "wrong": None})

    if parameters["measure"]:
        add(0, None)
    try:
        training.fit(net, dataset, settings, lambda metrics: add(metrics.epoch, metrics))
    except Diverged as diverged:
        add(diverged.epoch, None)
        return rows
    if parameters["ghost_batch_size"]:
        rows[-1] |= evaluations.by_statistics(net, dataset, settings.batch_size)
    logits = training.evaluate(net, dataset.test_images, dataset.test_labels, dataset).logits
    rows[-1]["wrong"] = (logits.argmax(dim=1) != dataset.test_labels).nonzero().flatten().tolist()
    return rows


@functools.cache
def load(name: str) -> Dataset:
    """A dataset on the CPU, read once a process."""
    return data.load(name)


@functools.cache
def made_by(device: torch.device) -> str:
    """The processor that a run is made on, and the versions that matter."""
    if device.type == "cuda":
        processor = torch.cuda.get_device_name(device)
    else:
        information = Path("/proc/cpuinfo")
        lines = information.read_text(encoding="utf-8").splitlines() if information.is_file() else []
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else platform.processor() or platform.machine()
    return f"{processor}, {platform.system()}, Python {platform.python_version()}, PyTorch {torch.__version__}"


def _on(dataset: Dataset, device: torch.device) -> Dataset:
    names = ("train_images", "train_labels", "test_images", "test_labels")
    return replace(dataset, **{name: getattr(dataset, name).to(device) for name in names})


def _weights(net: nn.Module) -> dict[str, float]:
    """What the penalties did to the weights that they cover."""
    weights = torch.cat([weight.detach().flatten() for weight in training.penalized_weights(net)])
    size = weights.square().mean().sqrt()
    near_zero = (weights.abs() < NEAR_ZERO * size).float().mean()
    numbers = torch.stack([weights.abs().sum(), weights.square().sum(), near_zero]).tolist()  # one wait for a GPU
    return dict(zip(("weights_l1", "weights_l2", "weights_near_zero"), numbers, strict=True))
