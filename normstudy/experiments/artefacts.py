"""What a variant's run leaves in its folder, and what others read of it."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_model, save_model
from torch import nn

from normstudy import training
from normstudy.data import Dataset
from normstudy.experiments import places
from normstudy.training import EpochMetrics


class Folder:
    """The folder of a run that is being made; where its name is empty, nothing is written."""

    def __init__(self, name: str):
        self.path = places.output(name)
        self.checkpoint = self.path / "checkpoint.safetensors" if self.path else None

    def note(self, metrics: EpochMetrics) -> None:
        """Write an epoch's row at once, so that others can follow the training from outside."""
        if self.path:
            with (self.path / "metrics.csv").open("a", newline="") as file:
                writer = csv.DictWriter(file, asdict(metrics))
                if file.tell() == 0:
                    writer.writeheader()
                writer.writerow(asdict(metrics))

    def keep(
        self,
        values: Mapping[str, Any],
        history: pd.DataFrame,
        net: nn.Module,
        predictions: pd.DataFrame,
        wrong: pd.DataFrame,
        dataset: Dataset,
        numbers: Mapping[str, Any],
    ) -> None:
        """Write what a run leaves behind.

        Args:
            values: its parameters.
            history: the metrics of its epochs, a row each.
            net: the trained network.
            predictions: what it says of every test image, and `wrong` those rows that are wrong.
            dataset: what it was trained on.
            numbers: the values for the text.
        """
        if not self.path:
            return
        (self.path / "parameters.yaml").write_text(yaml.safe_dump(dict(values), sort_keys=False), encoding="utf-8")
        history.drop(columns="seconds").to_csv(self.path / "metrics.csv", index=False)
        history[["epoch", "seconds"]].to_csv(self.path / "times.csv", index=False)
        predictions.to_csv(self.path / "predictions.csv", index=False)
        # As one entry, since several stand in random order.
        network = json.dumps({name: values[name] for name in training.NETWORK})
        save_model(net, str(self.path / "weights.safetensors"), metadata={"network": network})
        arrays = {name: np.ascontiguousarray(wrong[name]) for name in ("index", "label", "prediction", "confidence")}
        images = dataset.test_images.cpu().numpy()[wrong["index"]]
        save_arrays({"images": images, **arrays}, str(self.path / "mistakes.safetensors"))
        (self.path / "variables.json").write_text(json.dumps(dict(numbers)))


def table(rows: Sequence[EpochMetrics]) -> pd.DataFrame:
    """The metrics of epochs, a row each."""
    return pd.DataFrame(map(asdict, rows), columns=[field.name for field in fields(EpochMetrics)])


def parameters(folder: Path) -> dict[str, Any]:
    """The parameters that a run was made with."""
    return dict(yaml.safe_load((folder / "parameters.yaml").read_text(encoding="utf-8")))


def history(folder: Path) -> pd.DataFrame:
    """The metrics of a run's epochs, without the seconds that they took."""
    return pd.read_csv(folder / "metrics.csv")


def predictions(folder: Path) -> pd.DataFrame:
    """What a run's network says of every test image: `analysis.mistakes.predictions`."""
    return pd.read_csv(folder / "predictions.csv")


def network(folder: Path) -> nn.Module:
    """A run's trained network, on the CPU."""
    net = training.build(parameters(folder))
    load_model(net, str(folder / "weights.safetensors"))
    return net
