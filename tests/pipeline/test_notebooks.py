"""The table of notebooks says what each of them is made from and reads.

That it is complete is tested in `tests.test_notebooks`; that a change of what is read is noticed, and that a reader
comes after what it reads, in `test_staleness` and `test_plan`.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from normstudy.experiments import parameters
from normstudy.experiments.parameters import VARIANTS
from normstudy.pipeline.notebooks import NAMES, NOTEBOOKS, OF_VARIANTS, Notebook
from tests.commands import ROOT

ids = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=NAMES)


def asked(notebook: Notebook) -> dict[str, object]:
    """The parameters of a notebook's source, with their defaults."""
    return dict(parameters.defaults(ROOT / "report" / "notebooks" / f"{notebook.source}.ipynb"))


def test_a_result_has_a_folder_of_its_own():
    assert len(set(NAMES)) == len(NAMES)
    assert tuple(notebook.name for notebook in NOTEBOOKS) == NAMES


def test_each_variant_is_trained_by_the_one_notebook_of_variants():
    assert [notebook.name for notebook in NOTEBOOKS if notebook.source == "variant"] == list(VARIANTS)


def test_variants_are_trained_as_that_notebook_and_a_file_of_each_say():
    variants = [Path(name) for name in OF_VARIANTS]
    assert variants[0] == Path("report/notebooks/variant.ipynb")
    assert sorted(file.stem for file in variants[1:]) == sorted(VARIANTS)
    for file in variants[1:]:
        assert parameters.read(ROOT / file)["norm_arg"] == file.stem


@ids
def test_who_reads_results_of_variants_is_asked_where_they_lie(notebook: Notebook):
    assert notebook.variants == ("runs" in asked(notebook))


@ids
def test_who_reads_a_sweep_is_asked_for_its_file(notebook: Notebook):
    assert asked(notebook).get("sweep") == (f"params/{notebook.sweep}.yaml" if notebook.sweep else None)


@ids
def test_who_reads_published_results_is_asked_for_their_folder(notebook: Notebook):
    folders = {Path(name).parent.as_posix() for name in notebook.files if name.endswith(".csv")}
    assert folders == ({asked(notebook)["results"]} if "results" in asked(notebook) else set())


@ids
def test_every_file_is_there_and_named_once(notebook: Notebook):
    tables, others = [], []
    for file in notebook.reads(ROOT, "digits"):
        (tables if file.suffix == ".parquet" else others).append(file)
    assert all(file.is_file() for file in others)
    assert any(file.is_file() for file in tables) == bool(notebook.sweep)
    assert len({*tables, *others}) == len(tables) + len(others)


def test_a_sweep_s_file_comes_first_then_what_else_its_runs_are_made_by_then_other_files_then_its_tables():
    notebook = Notebook("name", "source", sweep="rates", files=("b.csv", "a.csv"))
    read = [file.relative_to("root").as_posix() for file in notebook.reads(Path("root"), "kmnist")]
    runs = ["params/rates.yaml", "params/kmnist.yaml", "params/digits.yaml", "report/notebooks/variant.ipynb"]
    assert read == [*runs, "b.csv", "a.csv"] + [
        f"report/{place}/rates.parquet"
        for place in ("executed/kmnist/sweeps", "results/kmnist", "executed/digits/sweeps", "results/digits")
    ]


def test_without_a_sweep_only_its_other_files_are_read():
    notebook = Notebook("name", "source", variants=True, files=("a.csv",))
    assert notebook.reads(Path("root"), "digits") == [Path("root/a.csv")]
    assert replace(notebook, files=()).reads(Path("root"), "digits") == []
