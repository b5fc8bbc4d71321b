"""Sweep files: which runs each of them asks for.

A sweep file is a file of parameters in which a value may be a list; it asks for every combination. `together` holds a
list of mappings, for parameters that change together:

    norm_arg: [batch, group]
    together:
      - {batch_size: 2, learning_rate: 0.001}
      - {batch_size: 4, learning_rate: 0.002}
    seed: [0, 1, 2]
"""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from normstudy.experiments import parameters
from normstudy.experiments.parameters import ParameterError, Value

MOST = 100_000  # runs of a sweep


def expand(root: Path, file: Path, overrides: Mapping[str, object]) -> dict[str, dict[str, Value]]:
    """The parameters of every run that a sweep file asks for, checked, by their key; the first list changes slowest.

    Parameters that the file leaves out have the values of `params/<dataset>.yaml`, or else the defaults of a variant's
    notebook; the dataset is `digits` unless it is said. `overrides` replace single values and lists alike.

    Raises:
        ParameterError: the file cannot be read, a name is unknown, a value is not one that its parameter may have, or
            a name or a value is there twice.
    """
    defaults = parameters.defaults(root / "report" / "notebooks" / "variant.ipynb")
    defaults |= {"dataset": "digits", "measure": False}
    del defaults["output"]
    names = tuple(defaults)
    overrides = parameters.check(overrides, names)
    content = parameters.read_mapping(file)
    together = content.pop("together", [{}])
    if not (isinstance(together, list) and together and all(isinstance(part, dict) for part in together)):
        raise ParameterError(f"{file}: together must be a list of mappings such as {{batch_size: 2}}")
    if both := content.keys() & {name for part in together for name in part}:
        raise ParameterError(f"{file}: {min(both)} is in together and beside it; it must be in one place")
    lists = {name: value if isinstance(value, list) else [value] for name, value in content.items()}
    try:
        axes = [[parameters.check({name: value}, names) for value in values] for name, values in lists.items()]
        axes.append([parameters.check(part, names) for part in together])
        for axis in axes:
            _check_once(axis)
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from error
    if (number := math.prod(map(len, axes))) > MOST:
        raise ParameterError(f"{file} asks for {number:,} runs; a sweep has at most {MOST:,}")
    runs = {}
    for parts in itertools.product(*axes):
        asked = {name: value for part in parts for name, value in part.items()} | overrides
        of_dataset = root / "params" / f"{(defaults | asked)['dataset']}.yaml"
        common = parameters.read(of_dataset) if of_dataset.is_file() else {}
        run = parameters.check(defaults | common | asked, names)
        runs[key(run)] = run
    if not runs:
        empty = next(name for name, values in lists.items() if not values)
        raise ParameterError(f"{file}: {empty} is an empty list; it must hold at least one value")
    if len(runs) < number and not overrides:  # these may well make runs the same
        raise ParameterError(f"{file}: together asks for the same run twice")
    if len({run["dataset"] for run in runs.values()}) > 1:
        raise ParameterError(f"{file}: dataset must be one; -p dataset NAME sweeps over another")
    return runs


def _check_once(axis: Sequence[Mapping[str, Value]]) -> None:
    seen: set[str] = set()
    for part in axis:
        if key(part) in seen:
            raise ParameterError(f"{', '.join(f'{name}: {value}' for name, value in part.items())} is there twice")
        seen.add(key(part))


def key(parameters: Mapping[str, Any]) -> str:
    """What identifies a run: its parameters, as text."""
    return json.dumps(dict(parameters), sort_keys=True)
