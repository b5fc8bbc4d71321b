"""Sweep files: which runs each of them asks for.

A sweep file is a file of parameters in which a value may be a list; it asks for every combination. `variant` stands for
all that `params/<variant>.yaml` says, and `together` holds a list of mappings, for parameters that change together:

    variant: [batch, group]
    together:
      - {batch_size: 2, learning_rate: 0.001}
      - {batch_size: 4, learning_rate: 0.002}
    seed: [0, 1, 2]

`norm_arg: every` stands for all normalizations, and none. Under a dataset's name stands what is otherwise on it:
`digits: {epochs: 20}`.
"""

import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from normstudy.experiments import parameters
from normstudy.experiments.parameters import ParameterError, Value
from normstudy.files import DATASETS
from normstudy.machine import model_files
from normstudy.normalizations import NORMALIZATIONS

MOST = 100_000  # runs of a sweep

Axis = list[dict[str, Value]]
"""What one list of a sweep file goes through."""


def expand(root: Path, file: Path, overrides: Mapping[str, object]) -> dict[str, dict[str, Value]]:
    """The parameters of every run that a sweep file asks for, checked, by their key; the first list changes slowest.

    Parameters that the file leaves out have the values of `params/<variant>.yaml` where it names a variant, then those
    of `params/<dataset>.yaml`, or else the defaults of a variant's notebook; the dataset is `digits` unless it is said.
    `overrides` replace single values and lists alike.

    Raises:
        ParameterError: the file cannot be read, a name is unknown, a value is not one that its parameter may have, or
            a name or a value is there twice.
    """
    defaults = parameters.defaults(root / "report" / "notebooks" / "variant.ipynb")
    defaults |= {"dataset": "digits", "measure": False}
    for place in ("output", "baseline"):
        del defaults[place]
    names = (*defaults, "variant")
    overrides = parameters.check(overrides, names)
    content = parameters.read_mapping(file)
    runs = {}
    try:
        axes = _axes(_on(str(overrides.get("dataset", defaults["dataset"])), content), names)
        if (number := math.prod(map(len, axes))) > MOST:
            raise ParameterError(f"it asks for {number:,} runs; a sweep has at most {MOST:,}")
        for parts in itertools.product(*axes):
            asked = {name: value for part in parts for name, value in part.items()}
            run = _run(root / "params", defaults, asked | overrides)
            runs[key(run)] = run
        if len(runs) < number and not overrides:  # these may well make runs the same
            raise ParameterError("together asks for the same run twice")
        if len({run["dataset"] for run in runs.values()}) > 1:
            raise ParameterError("dataset must be one; -p dataset NAME sweeps over another")
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from error
    return runs


def _on(dataset: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """What a sweep file says for a dataset; its own `dataset` comes before the one that is given."""
    common = {name: value for name, value in content.items() if name not in DATASETS}
    changes = {name: value for name, value in content.items() if name in DATASETS}
    for name, change in changes.items():
        if not isinstance(change, dict):
            raise ParameterError(f"{name} must hold a mapping such as {{epochs: 20}}")
    chosen: dict[str, Any] = changes.get(str(common.get("dataset", dataset)), {})
    return common | chosen


def _axes(content: Mapping[str, Any], names: tuple[str, ...]) -> list[Axis]:
    """What is crossed: the values of each name, and the mappings of `together`."""
    lists = {name: value if isinstance(value, list) else [value] for name, value in content.items()}
    together = content.get("together", [{}])
    lists.pop("together", None)
    if not (isinstance(together, list) and together and all(isinstance(part, dict) for part in together)):
        raise ParameterError("together must be a list of mappings such as {batch_size: 2}")
    if both := lists.keys() & {name for part in together for name in part}:
        raise ParameterError(f"{min(both)} is in together and beside it; it must be in one place")
    if empty := [name for name, values in lists.items() if not values]:
        raise ParameterError(f"{empty[0]} is an empty list; it must hold at least one value")
    parts = [*([{name: value} for value in values] for name, values in lists.items()), together]
    axes = [[parameters.check(each, names) for part in axis for each in _every(part)] for axis in parts]
    for axis in axes:
        times = Counter(map(key, axis))
        if twice := [part for part in axis if times[key(part)] > 1]:
            raise ParameterError(f"{', '.join(f'{name}: {value}' for name, value in twice[-1].items())} is there twice")
    return axes


def _every(part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a part of a sweep file stands for: itself, or the same with each normalization."""
    return [{**part, "norm_arg": name} for name in NORMALIZATIONS] if part.get("norm_arg") == "every" else [part]


def _run(params: Path, defaults: Mapping[str, Value], asked: Mapping[str, Value]) -> dict[str, Value]:
    """All parameters of one run, of which the variant is none: it only says where some of them come from."""
    of_dataset = params / f"{asked.get('dataset', defaults['dataset'])}.yaml"
    files = [of_dataset] if of_dataset.is_file() else []
    if "variant" in asked:
        files.append(params / f"{asked['variant']}.yaml")
    values: dict[str, object] = dict(defaults)
    for file in files:
        values |= parameters.read(file)
    values |= {name: value for name, value in asked.items() if name != "variant"}
    checked = parameters.check(values, tuple(defaults))
    if model := checked.pop("model", ""):  # left out where it is the project's own, so that such runs keep their key
        checked["model"] = model_files.absolute(str(model))
    return checked


def key(parameters: Mapping[str, Any]) -> str:
    """What identifies a run: its parameters, as text."""
    return json.dumps(dict(parameters), sort_keys=True)
