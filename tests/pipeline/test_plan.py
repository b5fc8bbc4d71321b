"""The plan: which notebooks run, in which order, with which parameters, and where their results go."""

import json
from pathlib import Path

import pytest

from normstudy.experiments import parameters
from normstudy.experiments.parameters import VARIANTS, ParameterError
from normstudy.pipeline.notebooks import NAMES
from normstudy.pipeline.plan import plan
from normstudy.pipeline.staleness import FORMAT
from tests.commands import ROOT
from tests.toy import READERS, find


def last_run_with(root: Path, name: str, **overrides: object) -> None:
    """Leave the record of a run on the digits, which is all that a plan reads of a result."""
    folder = root / "report" / "executed" / "digits" / name
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps({"format": FORMAT, "overrides": overrides}))


def test_every_notebook_has_a_run_behind_those_whose_results_it_reads():
    runs = plan(ROOT, {})
    assert [run.name for run in runs] == list(NAMES)
    for number, run in enumerate(runs):
        assert set(run.results) <= {earlier.folder for earlier in runs[:number]}, run.name
    assert any(run.results for run in runs)


def test_a_result_goes_to_the_folder_of_its_dataset_and_name(toy: Path):
    for run in plan(toy, {"dataset": "kmnist"}):
        assert run.notebook == toy / "report" / "executed" / "kmnist" / run.name / f"{run.name}.ipynb"


def test_what_is_asked_for_comes_before_the_default_of_the_command_and_that_before_the_notebook_s(toy: Path):
    asked = [
        plan(toy, {"dataset": "mnist"}, "kmnist"),
        plan(toy, {}, "kmnist"),
        plan(toy, None, "kmnist"),
        plan(toy, {}),
    ]
    datasets = ["mnist", "kmnist", "kmnist", "digits"]
    for runs, dataset in zip(asked, datasets, strict=True):
        assert {run.parameters["dataset"] for run in runs if "dataset" in run.parameters} == {dataset}
        assert {run.folder.parent.name for run in runs} == {dataset}


def test_a_notebook_is_given_the_values_whose_names_it_has(toy: Path):
    runs = {run.name: run for run in plan(toy, {"epochs": "5", "dataset": "digits"})}
    assert runs["batch"].overrides == {"epochs": 5, "dataset": "digits"}
    assert runs["batch"].parameters["epochs"] == 5
    assert runs["comparison"].overrides == {"dataset": "digits"}
    assert "epochs" not in runs["comparison"].parameters
    assert runs["seeds"].overrides == {}


@pytest.mark.parametrize("name", ["runs", "results", "output", "sweep"])
def test_what_would_not_suit_all_notebooks_cannot_be_given_to_all(name: str):
    assert any(name in parameters.defaults(file) for file in (ROOT / "report" / "notebooks").glob("*.ipynb"))
    with pytest.raises(ParameterError, match=f"{name} is not a parameter"):
        plan(ROOT, {name: "x"})


def test_a_variant_has_its_notebook_s_values_then_its_dataset_s_then_its_own_then_those_asked_for(toy: Path):
    (toy / "params" / "digits.yaml").write_text("epochs: 3\ngroups: 3\nbaseline: ''\n")
    (toy / "params" / "layer.yaml").write_text("norm_arg: layer\ngroups: 2\n")
    variants = {run.name: run.parameters for run in plan(toy, {}) if run.name in VARIANTS}
    assert {name: (values["norm_arg"], values["epochs"], values["groups"]) for name, values in variants.items()} == {
        "batch": ("batch", 3, 3),
        "layer": ("layer", 3, 2),
        "group": ("group", 3, 3),
    }
    (asked,) = (run.parameters for run in plan(toy, {"groups": 1, "epochs": 7}) if run.name == "layer")
    assert (asked["epochs"], asked["groups"]) == (7, 1)
    (elsewhere,) = (run.parameters for run in plan(toy, {"dataset": "mnist"}) if run.name == "layer")
    assert elsewhere["epochs"] == 2, "the digits' values are theirs alone"


def test_all_variants_cannot_have_one_normalization(toy: Path):
    with pytest.raises(ParameterError, match=r"norm_arg is layer; the study's runs take it from params/\*\.yaml"):
        plan(toy, {"norm_arg": "layer"})


def test_a_reader_of_variants_is_told_where_they_lie(toy: Path):
    folder = toy / "report" / "executed" / "digits"
    runs = {run.name: run for run in plan(toy, {})}
    assert READERS
    for name in READERS:
        assert runs[name].parameters["runs"] == "report/executed/digits"
        assert runs[name].results == tuple(folder / variant for variant in VARIANTS)
    assert runs["batch"].results == runs["tuning"].results == ()
    assert "runs" not in runs["batch"].parameters


def test_a_run_keeps_what_it_was_last_run_with_where_nothing_is_asked_for(toy: Path):
    last_run_with(toy, "batch", epochs=5)
    assert find(toy, "batch").overrides == {"epochs": 5, "dataset": "digits"}
    assert find(toy, "batch").parameters["epochs"] == 5
    assert find(toy, "layer").parameters["epochs"] == 2, "the others are as they were"
    for asked in ({}, {"groups": 2}):
        assert plan(toy, asked)[0].parameters["epochs"] == 2, "to ask for nothing of it is to ask for the default"


def test_a_name_that_its_notebook_has_lost_is_not_kept(toy: Path):
    last_run_with(toy, "batch", momentum=0.5, epochs=5)
    assert find(toy, "batch").overrides == {"epochs": 5, "dataset": "digits"}


def test_files_that_are_read_are_those_of_the_dataset():
    runs = {run.name: run for run in plan(ROOT, {"dataset": "kmnist"})}
    assert runs["depth"].files[0] == ROOT / "params" / "depth.yaml"
    assert {ROOT / "params" / "kmnist.yaml", ROOT / "report" / "notebooks" / "variant.ipynb"} < {*runs["depth"].files}
    tables = [file for file in runs["depth"].files if file.suffix == ".parquet"]
    assert tables[0] == ROOT / "report" / "executed" / "kmnist" / "sweeps" / "depth.parquet"
    assert runs["batch"].files == ()
