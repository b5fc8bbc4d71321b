"""Running what is out of date and no other; a result is replaced by a complete one or not at all.

The project here is a toy: notebooks without torch, so that a run takes two seconds.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from filelock import FileLock, Timeout

from normstudy import cli
from normstudy.experiments import places, provenance
from normstudy.pipeline import attempts, execution, handover, staleness
from normstudy.pipeline.attempts import State
from normstudy.pipeline.plan import Run, plan
from normstudy.pipeline.staleness import reasons
from tests.toy import READER, VARIANT, run_all, spoil, write_toy
from tests.watching import contents


def phrases(run: Run) -> list[str]:
    return [reason.text for reason in reasons(run)]


def find(root: Path, name: str) -> Run:
    return next(run for run in plan(root, None) if run.name == name)


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project that was never run."""
    write_toy(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    write_toy(root)
    assert set(run_all(root).values()) == {"done"}
    return root


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Path:
    """A project in which everything is up to date."""
    return shutil.copytree(finished, tmp_path / "done")


def test_what_is_up_to_date_is_not_run_again(done: Path):
    before = contents(done / "report" / "executed" / "digits")
    assert run_all(done) == {}
    assert contents(done / "report" / "executed" / "digits") == before


def test_a_changed_parameter_runs_its_variant_and_what_reads_it(done: Path):
    (done / "params" / "layer.yaml").write_text("norm_arg: layer\nepochs: 3\n")
    assert phrases(find(done, "layer")) == ["epochs was 2, is 3"]
    read = {"comparison", "statistics", "interactive", "seeds", "factorial", "tuning"}  # what reads params/layer.yaml
    assert set(run_all(done)) == {"layer", *read}


def test_a_changed_notebook_is_run_again(done: Path):
    spoil(done, READER, "1 + 1", name="statistics")
    assert phrases(find(done, "statistics")) == ["statistics.ipynb changed"]
    assert run_all(done) == {"statistics": "done"}


def test_changed_published_results_are_noticed(done: Path):
    (done / "report" / "results" / "tuning.csv").write_text("seed\n1\n")
    assert phrases(find(done, "tuning")) == ["report/results/tuning.csv was made anew"]
    ended = run_all(done)
    assert ended["tuning"] == "done"
    assert not {"batch", "comparison"} & ended.keys()


def test_changed_data_are_noticed(done: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(staleness.files, "digest", lambda dataset: "other")
    assert phrases(find(done, "batch")) == ["the data of digits changed"]


def test_changed_code_is_noticed_where_it_is_used(toy: Path, monkeypatch: pytest.MonkeyPatch):
    spoil(toy, "from normstudy.analysis import mistakes", VARIANT)
    run_all(toy)
    code = provenance.code
    changed = {"normstudy.analysis.mistakes": "other"}
    monkeypatch.setattr(provenance, "sources", lambda: "other")
    monkeypatch.setattr(provenance, "code", lambda modules: code(modules) | (changed if modules else {}))
    assert phrases(find(toy, "batch")) == ["normstudy.analysis.mistakes changed"]
    assert phrases(find(toy, "comparison")) == []


def test_imports_are_followed_through_the_package():
    notebook = Path(__file__).parents[2] / "report" / "notebooks" / "variant.ipynb"
    found = {module.removeprefix("normstudy.") for module in staleness._code(notebook)}
    assert {"training", "data", "files", "model", "display.figures"} <= found
    assert not {"cli", "rendering.render", "pipeline.execution"} & found


def test_what_a_variant_was_run_with_is_kept_until_it_is_run_without(done: Path):
    run_all(done, overrides={"epochs": "5"})
    assert find(done, "batch").parameters["epochs"] == 5
    assert phrases(find(done, "batch")) == []
    plain = plan(done, {})
    assert phrases(plain[0]) == ["epochs was 5, is 2"]


def beside(root: Path, name: str) -> str:
    """The metrics of the earlier run that a variant was set beside; empty if it was beside none."""
    file = root / "report" / "executed" / "digits" / name / "beside.csv"
    return file.read_text() if file.is_file() else ""


def test_a_variant_that_is_run_again_is_set_beside_the_result_that_was_there(done: Path):
    assert beside(done, "batch") == ""
    before = (done / "report/executed/digits/batch/metrics.csv").read_text()
    run_all(done, overrides={"epochs": "5"})
    assert beside(done, "batch") == before
    assert phrases(find(done, "batch")) == []
    assert run_all(done, overrides={"epochs": "5"}) == {}


def test_a_variant_can_be_set_beside_another_and_is_not_run_again_without_it(done: Path, monkeypatch):
    monkeypatch.chdir(done)
    other = "report/executed/digits/layer"
    assert set(run_all(done, overrides={"baseline": other})) >= {"batch", "layer", "group"}
    assert beside(done, "batch") == (done / other / "metrics.csv").read_text()
    assert run_all(done, overrides={"baseline": other}) == {}
    assert run_all(done) == {}


def test_a_result_with_the_same_numbers_is_nothing_to_be_set_beside(done: Path):
    spoil(done, "'how it is shown'", VARIANT)
    assert run_all(done)["batch"] == "done"
    assert beside(done, "batch") == ""


def test_an_incomplete_result_is_nothing_to_be_set_beside(done: Path):
    (done / "report/executed/digits/batch/predictions.csv").unlink()
    assert run_all(done, overrides={"epochs": "5"})["batch"] == "done"
    assert beside(done, "batch") == ""


def test_a_failing_cell_leaves_the_earlier_result_and_the_other_variants_alone(done: Path):
    before = contents(done / "report" / "executed" / "digits" / "layer")
    spoil(done, "if norm_arg == 'layer':\n    raise ZeroDivisionError('here')", VARIANT)
    ended = run_all(done)
    assert ended["batch"] == ended["group"] == "done"
    assert ended["layer"] == "failed: ZeroDivisionError: here (see report/executed/digits/failed/layer/layer.ipynb)"
    assert "comparison" not in ended
    assert contents(done / "report" / "executed" / "digits" / "layer") == before
    kept = (done / "report" / "executed" / "digits" / "failed" / "layer" / "layer.ipynb").read_text()
    assert "ZeroDivisionError" in kept


def test_a_notebook_that_looks_complete_but_has_cells_that_never_ran_is_a_failure(done: Path):
    run = find(done, "batch")
    aside = run.folder.parent / ".batch.test"
    aside.mkdir()
    (aside / "batch.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "code", "source": "1", "execution_count": None}]})
    )
    ended = Mock(exit_code=lambda: 0)
    state, why = attempts.look(attempts.Attempt(run, ended, aside, 0), None)
    assert (state, why) == (State.FAILED, "stopped before its last cell: its kernel died")
    assert aside.is_dir(), "looking moves nothing"


def test_an_interrupted_exchange_gives_the_earlier_result_back(done: Path):
    run = find(done, "batch")
    before = contents(run.folder)
    run.folder.rename(run.folder.parent / "..batch")
    assert phrases(run) == ["never run"]
    assert run_all(done) == {}
    assert contents(run.folder) == before


def test_a_half_made_folder_is_never_taken_for_a_result(done: Path):
    folder = find(done, "batch").folder
    shutil.copytree(folder, folder.parent / ".batch.dead")
    shutil.rmtree(folder)
    assert phrases(find(done, "batch")) == ["never run"]
    assert "batch" in run_all(done)
    assert not (folder.parent / ".batch.dead").exists()


def test_a_result_of_another_format_is_made_again(done: Path):
    record = find(done, "batch").folder / "record.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"format": 0}))
    assert phrases(find(done, "batch")) == ["made by another version"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1'])
def test_a_broken_record_is_no_record(done: Path, content: str):
    (find(done, "batch").folder / "record.json").write_text(content)
    assert phrases(find(done, "batch")) == ["never run"]


@pytest.mark.slow
def test_a_command_killed_at_any_moment_loses_nothing_that_was_complete(done: Path):
    wanted = contents(done / "report" / "executed" / "digits" / "batch")
    (done / "params" / "batch.yaml").write_text("norm_arg: batch\nepochs: 9\n")
    for moment in (0.3, 0.6, 0.9, 1.2, 1.5):
        process = subprocess.Popen(
            [Path(sys.executable).with_name("normstudy"), "run"], cwd=done, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(moment)
        assert process.poll() is None, "it had ended before it was killed"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        folder = done / "report" / "executed" / "digits" / "batch"
        if not folder.exists():
            folder = folder.parent / "..batch"
        now = contents(folder)
        complete = b"9,0.9" in now["metrics.csv"] and "batch.ipynb" in now
        assert now == wanted or complete
    assert set(run_all(done).values()) <= {"done"}
    assert all(reasons(run) == [] for run in plan(done, None))


def test_two_commands_at_once_wait_for_each_other(done: Path):
    code = (
        "import sys, time; from pathlib import Path; from normstudy.pipeline import execution\n"
        "with execution.only_one(Path(sys.argv[1]), print):\n    print('in', flush=True); time.sleep(2)"
    )
    first = subprocess.Popen([sys.executable, "-c", code, str(done)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "in\n"
    said: list[str] = []
    started = time.monotonic()
    with execution.only_one(done, said.append):
        waited = time.monotonic() - started
    first.communicate()
    assert waited > 1
    assert said == [f"Waiting: process {first.pid} (-c) is working on report/executed."]


def test_a_folder_that_is_a_file_is_named(toy: Path):
    (toy / "report" / "executed").write_text("")
    with pytest.raises(ValueError, match="executed must be a folder"), execution.only_one(toy, print):
        pass


def test_publishing_copies_results_and_writes_only_what_changed(done: Path):
    runs = plan(done, None)
    handover.publish(done, runs)
    shown = done / "report" / "shown"
    assert (shown / "batch" / "metrics.csv").is_file()
    assert "norm_arg: batch" in (done / "_variables.yml").read_text()
    stale = shown / "batch" / "old.csv"
    stale.write_text("")
    times = {file: file.stat().st_mtime_ns for file in shown.rglob("*") if file.is_file()}
    handover.publish(done, runs)
    assert not stale.exists()
    assert {file: file.stat().st_mtime_ns for file in shown.rglob("*") if file.is_file()} == {
        file: when for file, when in times.items() if file != stale
    }


def test_claims_are_published_apart_from_numbers_with_the_wording_that_each_has(done: Path):
    left = {"numbers": {"lead": "0.2 {{< meta x >}}"}, "claims": {"sooner": True, "closing": None, "same-end": False}}
    runs = plan(done, None)
    (next(run for run in runs if run.name == "budget").folder / "variables.json").write_text(json.dumps(left))
    handover.publish(done, runs)
    assert yaml.safe_load((done / "report" / "_metadata.yml").read_text())["claims"]["budget"] == {
        "sooner": {"holds": True, "fails": False, "open": False},
        "closing": {"holds": False, "fails": False, "open": True},
        "same-end": {"holds": False, "fails": True, "open": False},
    }
    numbers = yaml.safe_load((done / "_variables.yml").read_text())["budget"]
    assert numbers == {"numbers": {"lead": r"0.2 \{\{\< meta x >}}"}}


def test_publishing_refuses_what_was_never_run(toy: Path):
    with pytest.raises(places.StudyError, match="batch has no result on digits; 'normstudy run batch' makes it"):
        handover.publish(toy, plan(toy, None))


def test_a_figures_text_alternative_becomes_a_cell_option(tmp_path: Path):
    output = {"output_type": "display_data", "data": {}, "metadata": {"image/png": {"alt": 'A "graph": 3 lines.'}}}
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": ["#| label: a\n"], "outputs": [output]}]})
    cell = json.loads(handover._shown(notebook))["cells"][0]
    assert cell["source"][0] == '#| fig-alt: "A \\"graph\\": 3 lines."\n'


def test_the_lines_of_a_text_are_published_one_by_one():
    text = "# A title\n\nA text\nof lines."
    for source in (text, text.splitlines(keepends=True)):
        notebook = json.dumps({"cells": [{"cell_type": "markdown", "source": source}]})
        cell = json.loads(handover._shown(notebook))["cells"][0]
        assert cell["source"] == [
            "# A title\n",
            "\n",
            "A text\n",
            "of lines.",
        ]  # Quarto runs the lines of a string together


def test_a_failed_variant_goes_on_from_its_last_epoch(tmp_path: Path):
    write_toy(tmp_path)
    cell = """
        import os
        from pathlib import Path
        checkpoint = Path(output, "checkpoint.safetensors")
        if not checkpoint.exists():
            checkpoint.write_text("the first epochs")
            os._exit(1)
        Path(output, "metrics.csv").write_text(checkpoint.read_text())
    """
    spoil(tmp_path, cell)
    run = find(tmp_path, "batch")
    (failed,) = execution.bring_up_to_date(tmp_path, [run])
    assert "died" in failed.why
    assert (tmp_path / "report/executed/digits/failed/batch/batch.ipynb").is_file()
    (done,) = execution.bring_up_to_date(tmp_path, [run])
    assert done.state is State.DONE
    assert (run.folder / "metrics.csv").read_text() == "the first epochs"


def test_no_other_command_changes_the_results_while_a_report_is_made_of_them(
    done: Path, monkeypatch: pytest.MonkeyPatch
):
    asked: list[Path] = []

    def render(root: Path, *_: object) -> list[Path]:
        with pytest.raises(Timeout):
            FileLock(root / "report" / "executed" / ".lock").acquire(timeout=0)
        asked.append(root)
        return []

    monkeypatch.chdir(done)
    monkeypatch.setattr(cli.rendering, "render", render)
    cli.main(["render", "--dataset", "digits"])
    assert asked == [done]
