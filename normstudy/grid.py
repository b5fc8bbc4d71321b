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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from normstudy import variants
from normstudy.variants import ParameterError, Value

MOST = 100_000  # runs of a sweep


def expand(root: Path, file: Path, overrides: Mapping[str, object]) -> dict[str, dict[str, Value]]:
    """The parameters of every run that a sweep file asks for, checked, by their key; the first list changes slowest.

    Parameters that the file leaves out have the values of `params/<dataset>.yaml`, or else the defaults of a variant's
    notebook; the dataset is `digits` unless it is said. `overrides` replace single values and lists alike.

    Raises:
        ParameterError: the file cannot be read, a name is unknown, or a value is not one that its parameter may have.
    """
    defaults = {**variants.defaults(root / "report" / "notebooks" / "variant.ipynb"), "measure": False}
    del defaults["output"]
    names = tuple(defaults)
    overrides = variants.check(overrides, names)
    content = {"dataset": "digits", **variants.read_mapping(file)}
    together = content.pop("together", [{}])
    if not (isinstance(together, list) and together and all(isinstance(part, dict) for part in together)):
        raise ParameterError(f"{file}: together must be a list of mappings such as {{batch_size: 2}}")
    lists = {name: value if isinstance(value, list) else [value] for name, value in content.items()}
    try:
        axes = [[variants.check({name: value}, names) for value in values] for name, values in lists.items()]
        axes.append([variants.check(part, names) for part in together])
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from error
    if (number := math.prod(map(len, axes))) > MOST:
        raise ParameterError(f"{file} asks for {number:,} runs; a sweep has at most {MOST:,}")
    runs = {}
    for parts in itertools.product(*axes):
        asked = {name: value for part in parts for name, value in part.items()} | overrides
        of_dataset = root / "params" / f"{asked['dataset']}.yaml"
        common = variants.read(of_dataset) if of_dataset.is_file() else {}
        run = variants.check(defaults | common | asked, names)
        runs[key(run)] = run
    if not runs:
        empty = next(name for name, values in lists.items() if not values)
        raise ParameterError(f"{file}: {empty} is an empty list; it must hold at least one value")
    if len({run["dataset"] for run in runs.values()}) > 1:
        raise ParameterError(f"{file}: dataset must be one; -p dataset NAME sweeps over another")
    return runs


def key(parameters: Mapping[str, Any]) -> str:
    """What identifies a run: its parameters, as text."""
    return json.dumps(dict(parameters), sort_keys=True)
