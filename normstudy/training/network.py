"""The network that a run trains, new, from its parameters."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

import torch
from torch import nn

from normstudy.machine import model_files
from normstudy.model import Net

NETWORK = {name: parameter.default for name, parameter in signature(Net).parameters.items()}
"""The parameters that decide the network, with their defaults."""


def build(parameters: Mapping[str, Any], device: torch.device | str = "cpu") -> nn.Module:
    """The network that a variant's parameters ask for, new: `Net`, or what the file makes that `model` names.

    Its weights depend on `seed` alone: they are drawn on the CPU, whatever the device.

    Raises:
        ModelError: the file makes no network of these parameters.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(parameters["seed"]))
        if reference := str(parameters.get("model") or ""):
            return model_files.network(reference, parameters, NETWORK).to(device)
        return Net(**{name: parameters[name] for name in NETWORK}).to(device)
