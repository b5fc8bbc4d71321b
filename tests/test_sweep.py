"""Sweeps: what a file asks for, what is there already, and that no ending of a sweep loses a finished run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from normstudy import experiments, study, sweep
from normstudy.study import StudyError
from normstudy.variants import ParameterError
from tests.conftest import ROOT

QUICK = {"epochs": 1, "batch_size": 128}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder with nothing in it but what a sweep needs."""
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "notebooks").symlink_to(ROOT / "report" / "notebooks")
    (tmp_path / "params").mkdir()
    (tmp_path / "_quarto.yml").touch()
    return tmp_path


def write(project: Path, text: str, name: str = "grid") -> Path:
    file = project / "params" / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def untimed(results: sweep.Results) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{column: value for column, value in row.items() if column != "seconds"} for row in rows]
        for name, rows in results.items()
    }


def stored(project: Path, file: Path) -> sweep.Results:
    runs = sweep.expand(project, file, {})
    return sweep.read(study.sweep_tables(project, file.stem, "digits")[0], tuple(next(iter(runs.values()))))


class TestGrid:
    def test_every_combination_is_asked_for_and_the_first_list_changes_slowest(self, project: Path):
        runs = sweep.expand(project, write(project, "seed: [0, 1]\nnorm_arg: [batch, none]\nepochs: 2"), {}).values()
        found = [(run["seed"], run["norm_arg"], run["epochs"]) for run in runs]
        assert found == [(0, "batch", 2), (0, "none", 2), (1, "batch", 2), (1, "none", 2)]

    def test_what_changes_together_is_not_crossed(self, project: Path):
        text = (
            "seed: [0, 1]\ntogether:\n  - {batch_size: 2, learning_rate: 0.1}\n  - {batch_size: 4, learning_rate: 0.2}"
        )
        runs = sweep.expand(project, write(project, text), {}).values()
        assert [(run["seed"], run["batch_size"], run["learning_rate"]) for run in runs] == [
            *((0, 2, 0.1), (0, 4, 0.2), (1, 2, 0.1), (1, 4, 0.2))
        ]

    def test_the_file_overrides_the_dataset_which_overrides_the_notebook(self, project: Path):
        write(project, "epochs: 3\nbatch_size: 32", "digits")
        (run,) = sweep.expand(project, write(project, "epochs: 4"), {}).values()
        assert (run["dataset"], run["epochs"], run["batch_size"], run["groups"]) == ("digits", 4, 32, 4)
        (run,) = sweep.expand(project, write(project, "epochs: 4"), {"dataset": "mnist", "l1": "1e-5"}).values()
        assert (run["dataset"], run["batch_size"], run["l1"]) == ("mnist", 128, 1e-5)

    def test_an_override_takes_the_place_of_a_list(self, project: Path):
        file = write(project, "seed: [0, 1]\nnorm_arg: [batch, none]")
        assert [run["seed"] for run in sweep.expand(project, file, {"seed": "7"}).values()] == [7, 7]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("norm_arg: [batch, groop]", "norm_arg is groop; it must be 'batch'"),
            ("norm_args: [batch]", "norm_args is not a parameter; did you mean norm_arg?"),
            ("seed: []", "seed is an empty list"),
            ("seed: [[0, 1]]", r"seed is \[0, 1\]; it must be a valid integer"),
            ("l1: [0, -1]", "l1 is -1; it must be greater than or equal to 0"),
            ("learning_rate: [.nan]", "learning_rate is nan"),
            ("together: {batch_size: 2}", "together must be a list of mappings"),
            ("together: [{batch_sise: 2}]", "batch_sise is not a parameter; did you mean batch_size?"),
            ("dataset: [digits, mnist]", "dataset must be one"),
            ("- seed", "holds a list"),
            ("output: here", "output is not a parameter"),
        ],
    )
    def test_a_wrong_file_is_named_with_what_is_wrong(self, text: str, message: str, project: Path):
        with pytest.raises(ParameterError, match=message) as error:
            sweep.expand(project, write(project, text), {})
        assert "grid.yaml" in str(error.value)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("file", sorted((ROOT / "params").glob("*.yaml")), ids=lambda path: path.stem)
    def test_every_file_in_params_can_be_expanded(self, file: Path):
        for run in sweep.expand(ROOT, file, {}).values():
            assert run["dataset"] == "digits"


class TestResults:
    GRID = "seed: [0, 1]\nnorm_arg: [batch, none]\nepochs: 1\nbatch_size: 128"

    def test_each_run_gives_the_numbers_that_it_gives_alone_whatever_the_order(self, project: Path):
        file = write(project, self.GRID)
        seen: list[tuple[int, int]] = []
        table = sweep.sweep(project, file, {}, jobs=2, report=lambda *numbers: seen.append(numbers))
        assert table == project / "report" / "executed" / "digits" / "sweeps" / "grid.parquet"
        assert seen == [(number, 4) for number in range(5)]
        alone = {name: experiments.run(run) for name, run in reversed(sweep.expand(project, file, {}).items())}
        assert untimed(stored(project, file)) == untimed(alone)

    def test_what_is_there_is_not_made_again_and_what_is_new_is_added(self, project: Path, monkeypatch: Any):
        file = write(project, self.GRID)
        sweep.sweep(project, file, {"seed": 1})
        before = stored(project, file)
        write(project, self.GRID.replace("[0, 1]", "[0, 1, 2]"))
        seen: list[tuple[int, int]] = []
        sweep.sweep(project, file, {}, report=lambda *numbers: seen.append(numbers))
        assert seen[0] == (2, 6)
        after = stored(project, file)
        assert len(after) == 6
        assert all(after[name] == rows for name, rows in before.items())

    def test_runs_of_other_code_are_made_again(self, project: Path, monkeypatch: pytest.MonkeyPatch):
        file = write(project, self.GRID)
        results = {
            name: [{**run, "epoch": 1, "code": "older"}] for name, run in sweep.expand(project, file, {}).items()
        }
        table = study.sweep_tables(project, "grid", "digits")[0]
        table.parent.mkdir(parents=True)
        sweep.write(table, results, "normstudy sweep params/grid.yaml")
        sweep.sweep(project, file, {"seed": 0})
        codes = {rows[0]["seed"]: rows[0]["code"] for rows in stored(project, file).values()}
        assert codes == {0: experiments.code(), 1: "older"}

    def test_a_table_is_tidy_and_says_who_made_it(self, project: Path):
        file = write(project, self.GRID)
        table = sweep.sweep(project, file, {"seed": "1"})
        content = pq.read_table(table)
        assert {"norm_arg", "seed", "epoch", "test_accuracy", "wrong", "made_by", "code"} <= set(content.column_names)
        assert content.num_rows == 2
        assert sweep.command_of(table) == "normstudy sweep params/grid.yaml -p seed 1"

    def test_a_damaged_table_is_refused_and_left_as_it_is(self, project: Path):
        file = write(project, self.GRID)
        table = study.sweep_tables(project, "grid", "digits")[0]
        table.parent.mkdir(parents=True)
        table.write_bytes(b"PAR1 and no more")
        with pytest.raises(StudyError, match="is damaged; move it away"):
            sweep.sweep(project, file, {})
        assert table.read_bytes() == b"PAR1 and no more"

    def test_a_table_of_another_version_is_refused(self, project: Path, monkeypatch: pytest.MonkeyPatch):
        file = write(project, self.GRID)
        sweep.sweep(project, file, {"seed": 0, "norm_arg": "none"})
        monkeypatch.setattr(sweep, "FORMAT", "2")
        with pytest.raises(StudyError, match="is of another version; move it away"):
            stored(project, file)

    def test_a_run_that_fails_costs_no_other(self, project: Path):
        file = write(project, "batch_size: [128, 100000]\nepochs: 1")
        with pytest.raises(StudyError, match="1 of 2 runs failed, the first with ValueError: batch_size is 100000"):
            sweep.sweep(project, file, {}, jobs=1)
        assert [rows[0]["batch_size"] for rows in stored(project, file).values()] == [128]


class TestShown:
    GRID = TestResults.GRID

    def publish(self, project: Path, file: Path) -> Path:
        made = sweep.sweep(project, file, {})
        table = project / "report" / "results" / "digits" / made.name
        table.parent.mkdir(parents=True)
        made.replace(table)
        return table

    def test_published_results_are_shown_where_there_are_no_own(self, project: Path):
        file = write(project, self.GRID)
        table = self.publish(project, file)
        shown = sweep.results(project, file, "digits")
        assert shown.table == table
        assert "come with the project" in shown.origin[0]
        sweep.sweep(project, file, {"seed": 0})  # half of them
        assert sweep.results(project, file, "digits").table == table
        sweep.sweep(project, file, {})
        assert "were made here" in sweep.results(project, file, "digits").origin[0]

    def test_another_dataset_is_never_shown_without_a_word(self, project: Path):
        file = write(project, self.GRID)
        self.publish(project, file)
        shown = sweep.results(project, file, "mnist")
        assert shown.dataset == "digits"
        assert "on digits, since there are none on mnist" in shown.origin[0]

    def test_where_there_are_none_those_on_digits_are_made(self, project: Path):
        shown = sweep.results(project, write(project, self.GRID), "digits")
        assert shown.rows.groupby("run")["epoch"].max().tolist() == [1] * 4

    def test_results_of_other_code_are_shown_as_such(self, project: Path, monkeypatch: pytest.MonkeyPatch):
        file = write(project, self.GRID)
        self.publish(project, file)
        monkeypatch.setattr(experiments, "code", lambda: "newer")
        assert "4 of the 4 runs were made before the last change" in sweep.results(project, file, "digits").origin[1]


class TestEndings:
    GRID = "seed: [0, 1, 2, 3, 4, 5, 6, 7]\nnorm_arg: batch\nepochs: 20\nbatch_size: 64"

    def start(self, project: Path) -> subprocess.Popen[str]:
        """The command, at work on a grid, with at least one run finished and others in flight."""
        file = write(project, self.GRID)
        command = [str(Path(sys.executable).parent / "normstudy"), "sweep", str(file), "--jobs", "2"]
        process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        table = study.sweep_tables(project, "grid", "digits")[0]
        while not table.is_file():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        return process

    @pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL], ids=lambda ending: ending.name)
    def test_ends_its_processes_and_keeps_what_is_finished(self, ending: signal.Signals, project: Path):
        process = self.start(project)
        family = psutil.Process(process.pid).children(recursive=True)
        assert family
        os.kill(process.pid, ending)
        out, error = process.communicate(timeout=60)
        assert process.returncode == (130 if ending == signal.SIGINT else -ending)
        assert "Traceback" not in out + error
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not [member for member in alive if member.status() != psutil.STATUS_ZOMBIE]

        file = project / "params" / "grid.yaml"
        finished = stored(project, file)
        assert 0 < len(finished) < 8
        seen: list[tuple[int, int]] = []
        sweep.sweep(project, file, {}, jobs=2, report=lambda *numbers: seen.append(numbers))
        assert seen[0] == (len(finished), 8)
        after = stored(project, file)
        assert len(after) == 8
        assert all(after[name] == rows for name, rows in finished.items())

    def test_a_killed_process_of_the_sweep_ends_it_in_a_line(self, project: Path):
        process = self.start(project)
        workers = [member for member in psutil.Process(process.pid).children() if "spawn_main" in str(member.cmdline())]
        workers[0].kill()
        _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "a process was killed, perhaps for want of memory; the finished runs are kept" in error
        assert stored(project, project / "params" / "grid.yaml")

    def test_two_sweeps_at_once_do_not_disturb_each_other(self, project: Path):
        process = self.start(project)
        with pytest.raises(StudyError, match="another sweep is at work on report/executed"):
            sweep.sweep(project, project / "params" / "grid.yaml", {})
        process.kill()
        process.communicate()
