"""What makes a result out of date: its parameters, notebook, data, code, and what it reads; and what does not."""

import json
from pathlib import Path
from typing import Any

import pytest

from normstudy.experiments import provenance
from normstudy.pipeline import staleness
from normstudy.pipeline.plan import plan
from normstudy.pipeline.staleness import Cause, made_from_the_same, may_differ, read_record, reasons, record_of
from tests.commands import ROOT
from tests.toy import VARIANT, find, phrases, spoil


def settle(root: Path) -> None:
    """Leave what a run of everything leaves, without results."""
    for run in plan(root, {}):
        run.folder.mkdir(parents=True, exist_ok=True)
        run.notebook.touch()
        (run.folder / "record.json").write_text(json.dumps(record_of(run)))
        (run.folder / "parameters.yaml").write_text("baseline: ''\n")


@pytest.fixture
def settled(toy: Path) -> Path:
    settle(toy)
    return toy


def rewrite(root: Path, name: str, **changes: Any) -> None:
    """Change the record of a result."""
    file = find(root, name).folder / "record.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def causes(root: Path, name: str) -> list[Cause]:
    return [reason.cause for reason in reasons(find(root, name))]


def test_nothing_is_out_of_date_that_was_made_from_what_is_there(settled: Path):
    assert {run.name: phrases(run) for run in plan(settled, None) if reasons(run)} == {}


def test_a_changed_parameter_is_named_with_both_values(settled: Path):
    (settled / "params" / "layer.yaml").write_text("norm_arg: layer\nepochs: 3\n")
    assert phrases(find(settled, "layer")) == ["epochs was 2, is 3"]
    assert causes(settled, "layer") == [Cause.PARAMETER]
    assert phrases(find(settled, "batch")) == []


def test_parameters_that_say_where_things_lie_count_for_nothing(settled: Path):
    now = record_of(find(settled, "comparison"))
    assert now["parameters"] == {"dataset": "digits"}
    run = find(settled, "batch")
    run.overrides["baseline"] = "elsewhere"
    assert "baseline" in run.parameters
    assert "baseline" not in record_of(run)["parameters"] | record_of(run)["overrides"]


def test_a_changed_notebook_is_named(settled: Path):
    spoil(settled, "1 + 1", name="statistics")
    assert phrases(find(settled, "statistics")) == ["statistics.ipynb changed"]
    assert causes(settled, "statistics") == [Cause.NOTEBOOK]
    assert phrases(find(settled, "comparison")) == []


def test_a_result_that_was_made_anew_is_named_where_it_is_read(settled: Path):
    rewrite(settled, "layer", overrides={"dataset": "digits", "another": 1})
    assert phrases(find(settled, "comparison")) == ["layer was made anew"]
    assert causes(settled, "comparison") == [Cause.INPUT]
    assert phrases(find(settled, "glance")) == []


@pytest.mark.parametrize("known_by", ["", "~"], ids=["before", "behind"])
def test_another_digest_is_another_wherever_it_comes_in_the_alphabet(settled: Path, known_by: str):
    rewrite(settled, "comparison", notebook=known_by, data=known_by)
    assert causes(settled, "comparison") == [Cause.NOTEBOOK, Cause.DATA]
    rewrite(settled, "tuning", inputs={"report/results/tuning.csv": known_by})
    assert phrases(find(settled, "tuning"))[-1] == "report/results/tuning.csv was made anew"


def test_what_is_read_is_recorded_and_nothing_else(settled: Path):
    assert record_of(find(settled, "comparison"))["inputs"].keys() == {"batch", "layer", "group"}
    assert record_of(find(settled, "batch"))["inputs"] == {}


def test_a_file_that_came_changed_or_went_is_named(settled: Path):
    file = settled / "report" / "results" / "tuning.csv"
    file.write_text("seed\n1\n")
    assert phrases(find(settled, "tuning")) == ["report/results/tuning.csv was made anew"]
    settle(settled)
    file.unlink()
    assert phrases(find(settled, "tuning")) == ["report/results/tuning.csv was made anew"]


def test_changed_data_are_noticed(settled: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(staleness.files, "digest", lambda dataset: f"other {dataset}")
    assert phrases(find(settled, "batch")) == ["the data of digits changed"]
    assert causes(settled, "batch") == [Cause.DATA]
    assert phrases(find(settled, "tuning")) == [], "it reads no data"


def test_changed_code_is_noticed_where_it_is_used(toy: Path, monkeypatch: pytest.MonkeyPatch):
    spoil(toy, "from normstudy.analysis import mistakes", VARIANT)
    settle(toy)
    code = provenance.code
    changed = {"normstudy.analysis.mistakes": "other"}
    monkeypatch.setattr(provenance, "sources", lambda: "other")
    assert phrases(find(toy, "batch")) == []
    monkeypatch.setattr(provenance, "code", lambda modules: code(modules) | (changed if modules else {}))
    assert phrases(find(toy, "batch")) == ["normstudy.analysis.mistakes changed"]
    assert causes(toy, "batch") == [Cause.CODE]
    assert phrases(find(toy, "comparison")) == []


def test_modules_that_changed_are_named_in_order_and_one_that_moved_is_not(settled: Path):
    rewrite(settled, "batch", code={"b": "1", "moved": "2", "a": "3"}, sources="other")
    now = {"b": "4", "elsewhere": "2", "a": "5", "new": "6"}
    assert staleness._changed(read_record(find(settled, "batch").folder)["code"], now) == ["a", "b", "new"]


def test_where_no_file_changed_the_code_need_not_be_looked_at(settled: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(staleness, "_code", lambda notebook: {"looked": "at"})
    rewrite(settled, "batch", code={"as": "it was"})
    assert record_of(find(settled, "batch"))["code"] == {"looked": "at"}
    assert record_of(find(settled, "batch"), read_record(find(settled, "batch").folder))["code"] == {"as": "it was"}
    for other in ("", "~"):
        monkeypatch.setattr(provenance, "sources", lambda other=other: other)
        assert record_of(find(settled, "batch"), read_record(find(settled, "batch").folder))["code"] == {"looked": "at"}


def test_imports_are_followed_through_the_package():
    found = {module.removeprefix("normstudy.") for module in staleness._code(notebook("variant"))}
    assert {"training", "data", "files", "model", "display.figures"} <= found
    assert not {"cli", "rendering.render", "pipeline.execution"} & found


def test_who_asks_what_makes_runs_depends_on_what_makes_them():
    assert provenance.RUNS in staleness._code(notebook("depth"))
    assert provenance.RUNS not in staleness._code(notebook("statistics"))


def notebook(name: str) -> Path:
    return ROOT / "report" / "notebooks" / f"{name}.ipynb"


def test_another_earlier_run_to_be_set_beside_is_asked_for(settled: Path):
    run = plan(settled, {})[0]
    run.parameters["baseline"] = "report/executed/digits/layer"
    assert phrases(run) == ["it is to be set beside report/executed/digits/layer"]
    (run.folder / "parameters.yaml").write_text("baseline: report/executed/digits/layer\n")
    assert phrases(run) == []


def test_a_result_of_another_format_is_made_again(settled: Path):
    rewrite(settled, "batch", format=0)
    assert phrases(find(settled, "batch")) == ["made by another version"]
    assert causes(settled, "batch") == [Cause.VERSION]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1'])
def test_a_broken_record_is_no_record(settled: Path, content: str):
    (find(settled, "batch").folder / "record.json").write_text(content)
    assert phrases(find(settled, "batch")) == ["never run"]
    assert causes(settled, "batch") == [Cause.NEVER_RUN]


def test_a_record_without_its_notebook_is_no_result(settled: Path):
    find(settled, "batch").notebook.unlink()
    assert phrases(find(settled, "batch")) == ["never run"]


def test_results_are_the_same_however_the_code_is_written(settled: Path):
    record = record_of(find(settled, "batch"))
    assert made_from_the_same(record, record | {"sources": "other"})
    assert not made_from_the_same(record, record | {"notebook": "other"})


def test_numbers_may_differ_by_parameters_data_and_the_code_that_decides_them(settled: Path):
    record = record_of(find(settled, "batch")) | {"code": provenance.code([provenance.RUNS])}
    assert not may_differ(record, record | {"notebook": "other"})
    assert not may_differ(record, record | {"code": record["code"] | {"normstudy.display.figures": "other"}})
    assert may_differ(record, record | {"code": record["code"] | {"normstudy.data": "other"}})
    assert may_differ(record, record | {"parameters": {"epochs": 3}})
    assert may_differ(record, record | {"data": "other"})
