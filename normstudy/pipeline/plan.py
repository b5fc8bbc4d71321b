"""The plan of a study: every notebook with its parameters, in the order in which they need one another."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from normstudy.experiments import parameters
from normstudy.experiments.parameters import VARIANTS, ParameterError, Value
from normstudy.machine import model_files
from normstudy.pipeline.notebooks import NOTEBOOKS
from normstudy.pipeline.staleness import read_record


@dataclass(frozen=True)
class Run:
    """One notebook to be executed with its parameters, and where its result goes."""

    name: str
    source: Path
    parameters: dict[str, Value]
    overrides: dict[str, Value]
    folder: Path
    results: tuple[Path, ...]  # folders of other runs, whose results it reads
    files: tuple[Path, ...]  # other files that it reads, where they are there

    @property
    def notebook(self) -> Path:
        """The executed notebook in the result's folder."""
        return self.folder / f"{self.name}.ipynb"


def plan(root: Path, overrides: Mapping[str, object] | None, dataset: str | None = None) -> list[Run]:
    """Every run of the study on one dataset, in the order in which they need one another.

    Args:
        root: the project's folder.
        overrides: values for all notebooks that have such a parameter. None: each run keeps those it was last run with.
        dataset: the dataset if `overrides` name none; otherwise the variants' default.

    Raises:
        ParameterError: a name that no notebook has, or a value that its parameter cannot have.
    """
    sources = {each.source: root / "report" / "notebooks" / f"{each.source}.ipynb" for each in NOTEBOOKS}
    names = {source: tuple(parameters.defaults(file)) for source, file in sources.items()}
    one_of_each = ("runs", "results", "output", "sweep")  # a notebook's own, which no value would suit all of
    common = dict.fromkeys(name for of in names.values() for name in of if name not in one_of_each)
    given = parameters.check(overrides or {}, tuple(common))
    if model := given.get("model"):
        given["model"] = model_files.within(root, str(model))
    given.setdefault("dataset", dataset or parameters.defaults(sources["variant"])["dataset"])
    store = root / "report" / "executed" / str(given["dataset"])

    runs = []
    for each in NOTEBOOKS:
        source = sources[each.source]
        last = {} if overrides is not None else read_record(store / each.name).get("overrides", {})
        own = {name: value for name, value in (last | given).items() if name in names[each.source]}
        if each.source == "variant":
            values = variant_parameters(root, each.name, own, str(given["dataset"]))
        else:
            values = parameters.parameters(source, [], own)
        if each.variants:
            values["runs"] = store.relative_to(root).as_posix()
        results = tuple(store / name for name in VARIANTS) if each.variants else ()
        files = tuple(each.reads(root, str(given["dataset"])))
        runs.append(Run(each.name, source, values, own, store / each.name, results, files))
    return runs


def variant_parameters(root: Path, name: str, overrides: Mapping[str, Value], dataset: str) -> dict[str, Value]:
    """The parameters of a variant on a dataset: its notebook's, those of `params/`, and the overrides.

    Raises:
        ParameterError: a value is wrong, or another normalization than the variant's is asked for.
    """
    if overrides.get("norm_arg", name) != name:
        raise ParameterError(
            f"norm_arg is {overrides['norm_arg']}; the study's runs take it from params/*.yaml "
            f"(a single one with another value: papermill report/notebooks/variant.ipynb out.ipynb)"
        )
    own = root / "params" / f"{name}.yaml"
    files = [file for file in (root / "params" / f"{dataset}.yaml", own) if file.is_file()]
    values = parameters.parameters(root / "report" / "notebooks" / "variant.ipynb", files, overrides)
    if values["norm_arg"] != name:
        found = f"says norm_arg: {values['norm_arg']}" if own.is_file() else "is missing"
        raise ParameterError(f"{own} {found}; the study's {name} variant needs norm_arg: {name} there")
    return values
