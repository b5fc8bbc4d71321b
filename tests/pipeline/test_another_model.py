"""Another network than the project's: which parameters it takes, what is out of date, whose results are whose."""

from pathlib import Path

import pytest

from normstudy import training
from normstudy.experiments import provenance, sweep_files, tables
from normstudy.machine.model_files import ModelError
from normstudy.model import Net
from normstudy.pipeline.plan import plan
from normstudy.pipeline.staleness import record_of
from tests.commands import ROOT

MODEL = """
from torch import nn

class Mine(nn.Sequential):
    def __init__(self, norm_arg, groups=2):
        super().__init__(nn.Flatten(), nn.Linear(784, 10))
        self.asked = norm_arg, groups
"""
PARAMETERS = {"norm_arg": "group", "groups": 4, "depth": 0, "initialization": "pytorch", "ghost_batch_size": 0}


@pytest.fixture
def model(tmp_path: Path) -> str:
    (tmp_path / "model.py").write_text(MODEL)
    return f"{tmp_path / 'model.py'}:Mine"


def test_the_network_is_made_by_the_file_from_the_parameters_that_it_takes(model: str):
    net = training.build({**PARAMETERS, "seed": 0, "model": model})
    assert net.asked == ("group", 4)
    assert isinstance(training.build({**PARAMETERS, "seed": 0, "model": ""}), Net)


def test_a_parameter_that_it_does_not_take_must_be_the_default(model: str):
    with pytest.raises(ModelError, match=r"takes no depth, which is 4; without it, it must be 0"):
        training.build({**PARAMETERS, "depth": 4, "seed": 0, "model": model})


def test_a_result_is_out_of_date_when_the_file_changes(model: str):
    run = plan(ROOT, {"model": model, "dataset": "digits"})[0]
    before = record_of(run)
    assert record_of(run) == before
    Path(model.rpartition(":")[0]).write_text(MODEL + "# another content\n")
    assert record_of(run)["inputs"] != before["inputs"]


def test_a_file_of_the_project_goes_by_its_place_in_it():
    run = plan(ROOT, {"model": str(ROOT / "tests" / "checking" / "models" / "plain.py"), "dataset": "digits"})[0]
    assert run.parameters["model"] == "tests/checking/models/plain.py:Net"


def test_what_is_no_model_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match=r"model is model.txt; it must be the file of a network"):
        plan(ROOT, {"model": "model.txt"})
    with pytest.raises(ValueError, match=r"nowhere/model.py is not a file"):
        plan(ROOT, {"model": "nowhere/model.py"})


def test_sweeps_keep_the_runs_of_different_models_apart(model: str, tmp_path: Path):
    file = ROOT / "params" / "factorial.yaml"
    own, others = (sweep_files.expand(ROOT, file, {"seed": 0, **more}) for more in ({}, {"model": model}))
    assert not own.keys() & others.keys()
    runs = own | others
    table = tmp_path / "factorial.parquet"
    tables.write(table, {key: [{**run, "epoch": 1}] for key, run in runs.items()}, "a command")
    assert tables.read(table, tuple(next(iter(own.values())))).keys() == runs.keys()
    assert tables.read(table, tuple(next(iter(others.values())))).keys() == runs.keys()


def test_what_a_run_was_made_by_follows_the_file(model: str):
    before = provenance.fingerprint(model)
    assert before.startswith(provenance.fingerprint())
    Path(model.rpartition(":")[0]).write_text(MODEL + "# another content\n")
    assert provenance.fingerprint(model) != before
