"""The study: its notebooks, what each result is made from, and which are out of date.

A result is a folder `report/executed/<dataset>/<name>/` with the executed notebook, what it wrote, and `record.json`,
which says what it was made from.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from normstudy import files, places, provenance, variants
from normstudy.variants import VARIANTS, Value

FORMAT = 1  # of a result's folder; a result of another format is made again
NAMES = (
    *VARIANTS,
    *("statistics", "comparison"),  # read the variants' results
    *("factorial", "batch-size", "learning-rate", "why"),  # read the tables of sweeps
    "accuracy",
)
PLACES = ("runs", "results", "output")  # parameters that say where, not what


@dataclass(frozen=True)
class Run:
    """One notebook to be executed with its parameters, and where its result goes."""

    name: str
    source: Path
    parameters: dict[str, Value]
    overrides: dict[str, Value]
    folder: Path
    inputs: tuple[Path, ...]  # results that the notebook reads: folders of runs, or published files

    @property
    def notebook(self) -> Path:
        """The executed notebook in the result's folder."""
        return self.folder / f"{self.name}.ipynb"


def plan(root: Path, overrides: Mapping[str, object] | None, dataset: str | None = None) -> list[Run]:
    """Every run of the study on one dataset, in the order in which they need one another.

    Args:
        root: the project's folder.
        overrides: values for all notebooks that have such a parameter. None: each run keeps those it was last run with.
        dataset: the dataset if `overrides` name none; otherwise the notebook's default.

    Raises:
        variants.ParameterError: a name that no notebook has, or a value that its parameter cannot have.
    """
    sources = {
        name: root / "report" / "notebooks" / f"{'variant' if name in VARIANTS else name}.ipynb" for name in NAMES
    }
    given = dict(overrides or {})
    names = {source: tuple(variants.defaults(source)) for source in set(sources.values())}
    one_of_each = (*PLACES, "sweep")  # a notebook's own, which no value would suit all of
    everyone = tuple(
        dict.fromkeys(name for source in sources.values() for name in names[source] if name not in one_of_each)
    )
    given = dict(variants.check(given, everyone))
    given.setdefault("dataset", dataset or variants.defaults(sources["batch"])["dataset"])
    store = root / "report" / "executed" / str(given["dataset"])

    runs = []
    for name, source in sources.items():
        folder = store / name
        last = {} if overrides is not None else read_record(folder).get("overrides", {})
        own = {key: value for key, value in (last | given).items() if key in names[source]}
        if name in VARIANTS and own.get("norm_arg", name) != name:
            raise variants.ParameterError(
                f"norm_arg is {own['norm_arg']}; the study's runs take it from params/*.yaml "
                f"(a single one with another value: papermill report/notebooks/variant.ipynb out.ipynb)"
            )
        from_files = [root / "params" / f"{of}.yaml" for of in (given["dataset"], name) if name in VARIANTS]
        values = variants.parameters(source, [file for file in from_files if file.is_file()], own)
        if name in VARIANTS and values.get("norm_arg", name) != name:
            file = root / "params" / f"{name}.yaml"
            found = f"says norm_arg: {values['norm_arg']}" if file.is_file() else "is missing"
            raise variants.ParameterError(f"{file} {found}; the study's {name} variant needs norm_arg: {name} there")
        if "runs" in values:
            values["runs"] = store.relative_to(root).as_posix()
        inputs: list[Path] = []
        if "runs" in values:
            inputs += [store / variant for variant in VARIANTS]
        if "sweep" in values:
            sweep = root / str(values["sweep"])
            tables = places.sweep_tables(root, sweep.stem, str(values["dataset"]))
            inputs += [file for file in (sweep, *reversed(tables)) if file.is_file()]
        if "results" in values:
            inputs += sorted((root / str(values["results"])).glob("*.csv"))
        if name == "accuracy":  # it says which of its runs were made with the variants' parameters
            inputs += [sources["batch"], *(root / "params" / f"{variant}.yaml" for variant in VARIANTS)]
        runs.append(Run(name, source, values, own, folder, tuple(inputs)))
    return runs


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


def record_of(run: Run, was: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a result of this run would be made from: notebook, parameters, package code, data and other results.

    `was` is the record of the result that is there, from which the answer is quicker.
    """
    notebook, sources = _digest(run.source), provenance.sources()
    known = was and (was["notebook"], was.get("sources")) == (notebook, sources)
    return {
        "format": FORMAT,
        "notebook": notebook,
        "parameters": {name: value for name, value in run.parameters.items() if name not in PLACES},
        "overrides": {name: value for name, value in run.overrides.items() if name not in PLACES},
        "code": was["code"] if was and known else _code(run.source),
        "sources": sources,
        "data": files.digest(str(run.parameters["dataset"])) if "dataset" in run.parameters else "",
        "inputs": {path.name: _digest(path / "record.json" if path.is_dir() else path) for path in run.inputs},
    }


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"


def _code(notebook: Path) -> dict[str, str]:
    """Module → what it is known by, for those of the package that a notebook imports, directly or through one another.

    One that asks what runs are made by depends on what makes them too.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    found = provenance.code(provenance.imported(_python(cells)))
    return provenance.code([*found, provenance.RUNS]) if provenance.__name__ in found else found


def _python(cells: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def reasons(run: Run) -> list[str]:
    """Why a run's result is out of date, a phrase each; ["never run"] if there is none, [] if it is up to date."""
    was = read_record(run.folder)
    now = record_of(run, was)
    if not run.notebook.is_file() or "format" not in _read(run.folder):
        return ["never run"]
    if not was:
        return ["made by another version"]
    changed = []
    if was["notebook"] != now["notebook"]:
        changed.append(f"{run.source.name} changed")
    for name, value in now["parameters"].items():
        if was["parameters"].get(name) != value:
            changed.append(f"{name} was {was['parameters'].get(name)}, is {value}")
    moved = set(was["code"].values()) & set(now["code"].values())
    if modules := sorted({name for name, known in [*was["code"].items(), *now["code"].items()] if known not in moved}):
        changed.append(f"{', '.join(modules)} changed")
    if was["data"] != now["data"]:
        changed.append(f"the data of {run.parameters['dataset']} changed")
    changed += [f"{name} was made anew" for name in now["inputs"] if was["inputs"].get(name) != now["inputs"][name]]
    return changed
