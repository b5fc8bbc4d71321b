"""Which results are out of date, and why.

A result is a folder `report/executed/<dataset>/<name>/` with the executed notebook, what it wrote, and `record.json`,
which says what it was made from.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from normstudy import files
from normstudy.experiments import parameters, provenance
from normstudy.machine import model_files

if TYPE_CHECKING:
    from normstudy.pipeline.plan import Run

FORMAT = 2  # of a result's folder; a result of another format is made again
PLACES = ("runs", "results", "output", "baseline")  # parameters that say where, not what


class Cause(Enum):
    """What makes a result out of date."""

    NEVER_RUN = "never run"
    VERSION = "made by another version"
    NOTEBOOK = "its notebook"
    PARAMETER = "a parameter"
    CODE = "the package's code"
    DATA = "the data"
    INPUT = "a result or a file that it reads"


@dataclass(frozen=True)
class Reason:
    """A cause, and what exactly it is."""

    cause: Cause
    text: str  # a phrase


def read_record(folder: Path) -> dict[str, Any]:
    """What a result was made from; empty if there is no result of this format in the folder."""
    record = _read(folder)
    return record if record.get("format") == FORMAT else {}


def _read(folder: Path) -> dict[str, Any]:
    """A record of any format; empty if there is none that can be read."""
    try:
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def record_of(run: "Run", was: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a result of this run would be made from: notebook, parameters, package code, data, results and files.

    `was` is the record of the result that is there, from which the answer is quicker.
    """
    notebook, sources = _digest(run.source), provenance.sources()
    known = was and (was["notebook"], was["sources"]) == (notebook, sources)
    records = {folder.name: _digest(folder / "record.json") for folder in run.results}
    root = run.folder.parents[3]
    others = {file.relative_to(root).as_posix(): _digest(file) for file in run.files if file.is_file()}
    if model := str(run.parameters.get("model", "")):
        others[model] = _digest(root / model_files.split(model)[0])
    return {
        "format": FORMAT,
        "notebook": notebook,
        "parameters": {name: value for name, value in run.parameters.items() if name not in PLACES},
        "overrides": {name: value for name, value in run.overrides.items() if name not in PLACES},
        "code": was["code"] if was and known else _code(run.source),
        "sources": sources,
        "data": files.digest(str(run.parameters["dataset"])) if "dataset" in run.parameters else "",
        "inputs": records | others,
    }


def made_from_the_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records are of results that would be the same, however the code is written."""
    return {**one, "sources": ""} == {**other, "sources": ""}


def may_differ(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether the numbers of two runs may differ: by their parameters, the data, or the code that decides numbers."""
    deciding = provenance.code([provenance.RUNS])
    differs = any(was["code"].get(module) != now["code"].get(module) for module in deciding)
    return differs or any(was[part] != now[part] for part in ("parameters", "data"))


def reasons(run: "Run") -> list[Reason]:
    """Why a run's result is out of date; none if it is up to date."""
    was = read_record(run.folder)
    if not run.notebook.is_file() or "format" not in _read(run.folder):
        return [Reason(Cause.NEVER_RUN, "never run")]
    if not was:
        return [Reason(Cause.VERSION, "made by another version")]
    now = record_of(run, was)
    changed = []
    if was["notebook"] != now["notebook"]:
        changed.append(Reason(Cause.NOTEBOOK, f"{run.source.name} changed"))
    for name, value in now["parameters"].items():
        if was["parameters"].get(name) != value:
            changed.append(Reason(Cause.PARAMETER, f"{name} was {was['parameters'].get(name)}, is {value}"))
    baseline = run.parameters.get("baseline")
    if baseline and baseline != parameters.read(run.folder / "parameters.yaml").get("baseline"):
        changed.append(Reason(Cause.PARAMETER, f"it is to be set beside {baseline}"))
    if modules := _changed(was["code"], now["code"]):
        changed.append(Reason(Cause.CODE, f"{', '.join(modules)} changed"))
    if was["data"] != now["data"]:
        changed.append(Reason(Cause.DATA, f"the data of {run.parameters['dataset']} changed"))
    for name in sorted(was["inputs"].keys() | now["inputs"].keys()):
        if was["inputs"].get(name) != now["inputs"].get(name):
            changed.append(Reason(Cause.INPUT, f"{name} was made anew"))
    return changed


def _changed(was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The modules that compute something else; one that only moved does not."""
    same = set(was.values()) & set(now.values())
    return sorted({name for name, known in [*was.items(), *now.items()] if known not in same})


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"


def code_of(notebook: Path) -> str:
    """A notebook's code."""
    cells: Sequence[Mapping[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _code(notebook: Path) -> dict[str, str]:
    """Module → what it is known by, for those of the package that a notebook imports, directly or through one another.

    One that asks what runs are made by depends on what makes them too.
    """
    found = provenance.code(provenance.imported(code_of(notebook)))
    return provenance.code([*found, provenance.RUNS]) if provenance.__name__ in found else found
