"""Sweep files: which runs each asks for."""

from pathlib import Path

import pytest

from normstudy.experiments import sweep_files
from normstudy.experiments.parameters import ParameterError
from normstudy.normalizations import NORMALIZATIONS
from tests.commands import ROOT
from tests.grids import make_project, write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


def test_every_combination_is_asked_for_and_the_first_list_changes_slowest(project: Path):
    runs = sweep_files.expand(project, write(project, "seed: [0, 1]\nnorm_arg: [batch, none]\nepochs: 2"), {}).values()
    found = [(run["seed"], run["norm_arg"], run["epochs"]) for run in runs]
    assert found == [(0, "batch", 2), (0, "none", 2), (1, "batch", 2), (1, "none", 2)]


def test_what_changes_together_is_not_crossed(project: Path):
    text = "seed: [0, 1]\ntogether:\n  - {batch_size: 2, learning_rate: 0.1}\n  - {batch_size: 4, learning_rate: 0.2}"
    runs = sweep_files.expand(project, write(project, text), {}).values()
    assert [(run["seed"], run["batch_size"], run["learning_rate"]) for run in runs] == [
        *((0, 2, 0.1), (0, 4, 0.2), (1, 2, 0.1), (1, 4, 0.2))
    ]


def test_every_is_each_normalization_and_none(project: Path):
    runs = sweep_files.expand(project, write(project, "seed: [0, 1]\nnorm_arg: every"), {}).values()
    assert [run["norm_arg"] for run in runs] == [*NORMALIZATIONS, *NORMALIZATIONS]
    text = "together:\n  - {norm_arg: every}\n  - {norm_arg: none, initialization: he}"
    runs = sweep_files.expand(project, write(project, text), {}).values()
    found = [(run["norm_arg"], run["initialization"]) for run in runs]
    assert found == [*((name, "pytorch") for name in NORMALIZATIONS), ("none", "he")]


def test_the_file_overrides_the_dataset_which_overrides_the_notebook(project: Path):
    write(project, "epochs: 3\nbatch_size: 32", "digits")
    (run,) = sweep_files.expand(project, write(project, "epochs: 4"), {}).values()
    assert (run["dataset"], run["epochs"], run["batch_size"], run["groups"]) == ("digits", 4, 32, 4)
    (run,) = sweep_files.expand(project, write(project, "epochs: 4"), {"dataset": "mnist", "l1": "1e-5"}).values()
    assert (run["dataset"], run["batch_size"], run["l1"]) == ("mnist", 128, 1e-5)


def test_a_variant_stands_for_all_that_its_file_says(project: Path):
    write(project, "epochs: 3\nl1: 0.5", "digits")
    write(project, "norm_arg: batch\nl1: 0.1\nl2: 0.2", "batch")
    write(project, "norm_arg: group\nl2: 0.3", "group")
    runs = sweep_files.expand(project, write(project, "variant: [batch, group]\nseed: [0, 1]"), {}).values()
    assert [(run["norm_arg"], run["seed"], run["epochs"], run["l1"], run["l2"]) for run in runs] == [
        *(("batch", 0, 3, 0.1, 0.2), ("batch", 1, 3, 0.1, 0.2), ("group", 0, 3, 0.5, 0.3), ("group", 1, 3, 0.5, 0.3))
    ]
    assert not any("variant" in run for run in runs)
    file = write(project, "together: [{norm_arg: none}, {variant: batch}, {variant: batch, l1: 0.4}]")
    runs = sweep_files.expand(project, file, {"l2": "0"}).values()
    assert [(run["norm_arg"], run["l1"], run["l2"]) for run in runs] == [
        *(("none", 0.5, 0.0), ("batch", 0.1, 0.0), ("batch", 0.4, 0.0))
    ]


def test_a_dataset_may_change_what_the_file_says(project: Path):
    file = write(project, "seed: [0, 1, 2]\nepochs: 4\ndigits: {epochs: 20, seed: [5, 6]}")
    runs = sweep_files.expand(project, file, {}).values()
    assert [(run["epochs"], run["seed"]) for run in runs] == [(20, 5), (20, 6)]
    runs = sweep_files.expand(project, file, {"dataset": "mnist"}).values()
    assert [(run["epochs"], run["seed"]) for run in runs] == [(4, 0), (4, 1), (4, 2)]
    runs = sweep_files.expand(project, write(project, "dataset: mnist\nmnist: {epochs: 3}\ndigits: {epochs: 5}"), {})
    assert [(run["dataset"], run["epochs"]) for run in runs.values()] == [("mnist", 3)]


def test_what_a_dataset_changes_is_a_mapping_of_known_names(project: Path):
    for text, said in (("digits: 20", "digits must hold a mapping"), ("digits: {epoch: 2}", "did you mean epochs")):
        with pytest.raises(ParameterError, match=said):
            sweep_files.expand(project, write(project, text), {})


def test_an_override_takes_the_place_of_a_list(project: Path):
    file = write(project, "seed: [0, 1]\nnorm_arg: [batch, none]")
    assert [run["seed"] for run in sweep_files.expand(project, file, {"seed": "7"}).values()] == [7, 7]


def test_an_override_takes_the_place_of_what_changes_together(project: Path):
    file = write(project, "seed: [0, 1]\ntogether: [{batch_size: 2, l1: 0.1}, {batch_size: 4, l1: 0.2}]")
    runs = sweep_files.expand(project, file, {"batch_size": "8"}).values()
    assert [(run["seed"], run["batch_size"], run["l1"]) for run in runs] == [
        *((0, 8, 0.1), (0, 8, 0.2), (1, 8, 0.1), (1, 8, 0.2))
    ]
    assert len(sweep_files.expand(project, file, {"batch_size": "8", "l1": "0"})) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("norm_arg: [batch, groop]", "norm_arg is groop; it must be 'batch'"),
        ("norm_args: [batch]", "norm_args is not a parameter; did you mean norm_arg?"),
        ("seed: []", "seed is an empty list"),
        ("seed: [[0, 1]]", "seed is a list; it must be a valid integer"),
        ("seed: [0, 1, 0]", "seed: 0 is there twice"),
        ("seed: [1, 1.0]", "seed: 1 is there twice"),
        ("l1: [0.1, 0.10]", "l1: 0.1 is there twice"),
        ("norm_arg: [batch, batch]", "norm_arg: batch is there twice"),
        ("norm_arg: [every, batch]", "norm_arg: batch is there twice"),
        ("epochs: [5, 010]", "epochs is 010; it must be a plain decimal number"),
        ("norm_arg: [batch, no]", "norm_arg is no; it must be 'batch'"),
        ("seed: [0]\nepochs: 1\nseed: [1]", "seed is there again in line 3"),
        ("together: [{l1: 0, l1: 1}]", "l1 is there again in line 1"),
        (
            "together:\n  - {batch_size: 2, l1: 0}\n  - {l1: 0.0, batch_size: 2}",
            "l1: 0.0, batch_size: 2 is there twice",
        ),
        ("together: [{l1: 0.1}, {}, {l1: 0.0}]", "together asks for the same run twice"),
        ("seed: [0, 1]\ntogether: [{seed: 2}, {seed: 3}]", "seed is in together and beside it"),
        ("l1: [0, -1]", "l1 is -1; it must be greater than or equal to 0"),
        ("learning_rate: [.nan]", r"learning_rate is \.nan; it must be a plain decimal"),
        ("together: {batch_size: 2}", "together must be a list of mappings"),
        ("together: [{batch_sise: 2}]", "batch_sise is not a parameter; did you mean batch_size?"),
        ("dataset: [digits, mnist]", "dataset must be one"),
        ("- seed", "holds a list"),
        ("variant: [batch, none]", "variant is none; it must be 'batch', 'layer' or 'group'"),
        ("variant: batch", r"batch\.yaml cannot be read: No such file"),
        ("variant: [batch, batch]", "variant: batch is there twice"),
        ("output: here", "output is not a parameter"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(text: str, message: str, project: Path):
    with pytest.raises(ParameterError, match=message) as error:
        sweep_files.expand(project, write(project, text), {})
    assert "grid.yaml" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", sorted((ROOT / "params").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_file_in_params_can_be_expanded(file: Path):
    for run in sweep_files.expand(ROOT, file, {}).values():
        assert run["dataset"] == "digits"
