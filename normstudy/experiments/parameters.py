"""The parameters of a notebook: which there are, where their values come from, and what each may be.

The parameters cell of a notebook is the one list of names, types and defaults. `params/<dataset>.yaml` overrides it,
`params/<variant>.yaml` overrides both, and `-p NAME VALUE` overrides all. Whatever the source, a value passes the same
check.
"""

import ast
import difflib
import json
import re
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import yaml
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from normstudy.files import DATASETS
from normstudy.machine import model_files
from normstudy.normalizations import NORMALIZATIONS

VARIANTS = ("batch", "layer", "group")
LARGEST_FILE = 100_000  # bytes; a parameter file is a few lines

Value = str | int | float | bool


class ParameterError(ValueError):
    """A parameter is unknown, or its value is not one that it may have. The message is one line."""


PLAIN = re.compile(r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
"""A decimal number as everybody reads it; 010, 0x10, 1_000 and 1:30 are others to some programs than to others."""


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("input should be a number")  # pydantic would take true for 1
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        raise ValueError("input should be a plain decimal number such as 10, 0.5 or 1e-5")
    return value


EARLIER = ("parameters.yaml", "metrics.csv", "predictions.csv")
"""The files of a variant's run that another is set beside."""


def comparable(folder: Path) -> bool:
    """Whether a folder holds a variant's run that another can be set beside."""
    return all((folder / name).is_file() for name in EARLIER)


def _baseline(name: str) -> str:
    if name and not comparable(Path(name)):
        raise ValueError(f"input should be the folder of an earlier run, with its {', '.join(EARLIER)}")
    return name


def _model(reference: str) -> str:
    file, _ = model_files.split(reference)
    if reference and file.suffix != ".py":
        raise ValueError("input should be the file of a network, as path/to/model.py:Net")
    return reference


Integer = Annotated[int, BeforeValidator(_number)]
Real = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Penalty = Annotated[Real, Field(ge=0, le=10)]


@with_config(ConfigDict(extra="forbid", hide_input_in_errors=True))
class Parameters(TypedDict, total=False):
    """Every parameter of any notebook, and what it may be."""

    norm_arg: Literal[tuple(NORMALIZATIONS)]  # type: ignore[valid-type]
    dataset: Literal[DATASETS]  # type: ignore[valid-type]
    groups: Annotated[Integer, Field(ge=1, le=1_000_000)]
    depth: Annotated[Integer, Field(ge=0, le=1000)]
    initialization: Literal["pytorch", "he"]
    ghost_batch_size: Annotated[Integer, Field(ge=0, le=1_000_000)]
    epochs: Annotated[Integer, Field(ge=1, le=10_000)]
    batch_size: Annotated[Integer, Field(ge=2, le=1_000_000)]
    easy: Annotated[Real, Field(ge=0.01, le=1)]
    learning_rate: Annotated[Real, Field(gt=0, le=100)]
    l1: Penalty
    l2: Penalty
    rotation: Annotated[Real, Field(ge=0, le=180)]
    shift: Annotated[Real, Field(ge=0, le=14)]
    scale: Annotated[Real, Field(ge=0, lt=1)]
    seed: Annotated[Integer, Field(ge=0, lt=2**31)]
    device: Literal["auto", "cpu", "cuda", "mps"]
    threads: Annotated[Integer, Field(ge=1, le=1024)]
    measure: bool
    variant: Literal[VARIANTS]  # type: ignore[valid-type]
    model: Annotated[str, AfterValidator(_model)]
    baseline: Annotated[str, AfterValidator(_baseline)]
    runs: str
    results: str
    sweep: str
    output: str


_CHECKS = TypeAdapter(Parameters)


def defaults(notebook: Path) -> dict[str, Value]:
    """The names and default values in a notebook's parameters cell, whose lines read `name: type = literal  # help`."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = next("".join(cell["source"]) for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    return {
        line.target.id: ast.literal_eval(line.value)
        for line in ast.parse(source).body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None
    }


class _Words(yaml.BaseLoader):
    """Reads each value as the word that is written, as from a command line; YAML takes no for false, and 010 for 8."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping without a name that is there twice; YAML's own would keep the last value."""
        names: set[str] = set()
        for name, _ in node.value:
            if str(name.value) in names:
                problem = f"{_shown(name.value)} is there again in line {name.start_mark.line + 1}"
                raise yaml.constructor.ConstructorError(problem=problem)
            names.add(str(name.value))
        return super().construct_mapping(node, deep)


def read(file: Path) -> dict[str, str]:
    """The mapping in a YAML file of parameters, which may hold nothing but plain values, each as it is written.

    Raises:
        ParameterError: see `read_mapping`; or it holds anything but plain values.
    """
    content = read_mapping(file)
    for name, value in content.items():
        if not isinstance(value, str):
            raise ParameterError(f"{file}: {name} holds {_kind(value)}; it must be one plain value")
    return content


def read_mapping(file: Path) -> dict[str, Any]:
    """The mapping in a YAML file, whatever its values; what is not a list or a mapping is the text that is written.

    Raises:
        ParameterError: the file is missing, too large, not YAML, not a mapping, or a name is there twice.
    """
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise ParameterError(f"{file} has {size:,} bytes; a parameter file has at most {LARGEST_FILE:,}")
        text = file.read_text(encoding="utf-8")
        for token in yaml.scan(text):
            if isinstance(token, yaml.AliasToken):  # they make much of a small file
                raise ParameterError(f"{file} holds an alias (*name); write the value itself in its place")
            if isinstance(token, yaml.TagToken):
                raise ParameterError(f"{file} holds a tag (!name); write the value without it")
        content = yaml.load(text, _Words)
    except OSError as error:
        raise ParameterError(f"{file} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        reason = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ParameterError(f"{file} is not a YAML file of parameters: {reason}") from error
    if not isinstance(content, dict):
        raise ParameterError(f"{file} holds {_kind(content)}; it must hold a mapping such as 'norm_arg: batch'")
    return content


def _kind(content: object) -> str:
    return {type(None): "nothing", dict: "a mapping", list: "a list"}.get(type(content), "a word")


def check(values: Mapping[str, object], names: tuple[str, ...] | None = None) -> dict[str, Value]:
    """The same values, each converted to its parameter's type.

    `names` are the parameters that there are, `values`' own if it is left out.

    Raises:
        ParameterError: an unknown name (the nearest right one is suggested), a wrong type, a value out of range.
    """
    names = tuple(values) if names is None else names
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise ParameterError(f"{_shown(name)} is not a parameter; {hint}")
    try:
        checked = cast(dict[str, Value], _CHECKS.validate_python(dict(values)))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        reason = first["msg"].removeprefix("Value error, ").replace("Input should be", "it must be")
        reason = reason.replace("input should be", "it must be").partition(", unable to parse")[0]
        raise ParameterError(f"{name} is {_shown(values[name])}; {reason[0].lower() + reason[1:]}") from error
    ghost, batch = checked.get("ghost_batch_size"), checked.get("batch_size")
    if ghost and batch and int(batch) % int(ghost):
        raise ParameterError(f"ghost_batch_size is {ghost}; it must divide batch_size, which is {batch}")
    baseline, dataset = checked.get("baseline"), checked.get("dataset")
    if baseline and dataset and (other := read(Path(str(baseline), EARLIER[0])).get("dataset")) != dataset:
        raise ParameterError(f"baseline is {_shown(baseline)}, a run on {other}; it must be one on {dataset}")
    return {name: checked[name] for name in values}


def among(names: Mapping[str, object]) -> dict[str, Value]:
    """The parameters among the names of a notebook, checked as `check` does."""
    return check({name: value for name, value in names.items() if name in Parameters.__annotations__})


def _shown(value: object) -> str:
    text = _kind(value) if value is None or isinstance(value, dict | list) else " ".join(str(value).split())
    return f"{text[:60]}…" if len(text) > 60 else text or "empty"


def parameters(notebook: Path, sources: Sequence[Path], overrides: Mapping[str, object]) -> dict[str, Value]:
    """All parameters of one run: the notebook's defaults, overridden by each file, overridden by `overrides`. Checked.

    Raises:
        ParameterError: see `read` and `check`.
    """
    values: dict[str, object] = dict(defaults(notebook))
    names = tuple(values)
    for file in sources:
        content = read(file)
        try:
            values.update(check(content, names))
        except ParameterError as error:
            raise ParameterError(f"{file}: {error}") from error
    values.update(check(overrides, names))
    return check(values, names)
