"""Running what is out of date and no other; a result is replaced by a complete one or not at all.

The project here is a toy: notebooks without torch, so that a run takes two seconds.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from normstudy import cli
from normstudy.pipeline import execution
from normstudy.pipeline.attempts import State
from normstudy.pipeline.plan import plan
from normstudy.pipeline.staleness import reasons
from tests.toy import READER, VARIANT, find, phrases, run_all, spoil, write_toy
from tests.watching import contents


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


def test_what_a_variant_was_run_with_is_kept_until_it_is_run_without(done: Path):
    run_all(done, "batch", overrides={"epochs": "5"})
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
    run_all(done, "batch", overrides={"epochs": "5"})
    assert beside(done, "batch") == before
    assert phrases(find(done, "batch")) == []
    assert run_all(done, "batch", overrides={"epochs": "5"}) == {}


def test_a_variant_can_be_set_beside_another_and_is_not_run_again_without_it(done: Path, monkeypatch):
    monkeypatch.chdir(done)
    other = "report/executed/digits/layer"
    assert set(run_all(done, "batch", overrides={"baseline": other})) == {"batch"}
    assert beside(done, "batch") == (done / other / "metrics.csv").read_text()
    assert run_all(done, "batch", overrides={"baseline": other}) == {}
    assert run_all(done, "batch") == {}


def test_a_result_with_the_same_numbers_is_nothing_to_be_set_beside(done: Path):
    spoil(done, "'how it is shown'", VARIANT)
    assert run_all(done, "batch") == {"batch": "done"}
    assert beside(done, "batch") == ""


def test_an_incomplete_result_is_nothing_to_be_set_beside(done: Path):
    (done / "report/executed/digits/batch/predictions.csv").unlink()
    assert run_all(done, "batch", overrides={"epochs": "5"}) == {"batch": "done"}
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
    assert set(run_all(done, "batch")) == {"batch"}
    assert not (folder.parent / ".batch.dead").exists()


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
    monkeypatch.setattr("normstudy.rendering.render.render", render)
    cli.main(["render", "--dataset", "digits"])
    assert asked == [done]
