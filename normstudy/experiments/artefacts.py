"""What a variant's run leaves in its folder, and what others read of it."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from safetensors.torch import load_model

from normstudy import training
from normstudy.model import Net


def parameters(folder: Path) -> dict[str, Any]:
    """The parameters that a run was made with."""
    return dict(yaml.safe_load((folder / "parameters.yaml").read_text(encoding="utf-8")))


def predictions(folder: Path) -> pd.DataFrame:
    """What a run's network says of every test image: `analysis.mistakes.predictions`."""
    return pd.read_csv(folder / "predictions.csv")


def network(folder: Path) -> Net:
    """A run's trained network, on the CPU."""
    net = training.build(parameters(folder))
    load_model(net, str(folder / "weights.safetensors"))
    return net
