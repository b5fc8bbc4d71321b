"""Sweeps: what a file asks for, what is there already, and that no ending of a sweep loses a finished run."""

import contextlib
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

from normstudy.cli import main
from normstudy.experiments import places, provenance, single, sweep, sweep_files, tables
from normstudy.experiments.places import StudyError
from tests.grids import make_project, stored, untimed, write


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


class TestResults:
    GRID = "seed: [0, 1]\nnorm_arg: [batch, none]\nepochs: 1\nbatch_size: 128"

    def test_each_run_gives_the_numbers_that_it_gives_alone_whatever_the_order(self, project: Path):
        file = write(project, self.GRID)
        seen: list[tuple[int, int]] = []
        table = sweep.sweep(project, file, {}, jobs=2, report=lambda *numbers: seen.append(numbers))
        assert table == project / "report" / "executed" / "digits" / "sweeps" / "grid.parquet"
        assert seen == [(number, 4) for number in range(5)]
        alone = {name: single.run(run) for name, run in reversed(sweep_files.expand(project, file, {}).items())}
        assert untimed(stored(project, file)) == untimed(alone)

    @pytest.mark.slow
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

    @pytest.mark.slow
    def test_runs_of_other_code_are_made_again(self, project: Path, monkeypatch: pytest.MonkeyPatch):
        file = write(project, self.GRID)
        results = {
            name: [{**run, "epoch": 1, "code": "older"}] for name, run in sweep_files.expand(project, file, {}).items()
        }
        table = places.sweep_tables(project, "grid", "digits")[0]
        table.parent.mkdir(parents=True)
        tables.write(table, results, "normstudy sweep params/grid.yaml")
        sweep.sweep(project, file, {"seed": 0})
        codes = {rows[0]["seed"]: rows[0]["code"] for rows in stored(project, file).values()}
        assert codes == {0: provenance.fingerprint(), 1: "older"}

    def test_a_table_is_tidy_and_says_who_made_it(self, project: Path):
        file = write(project, self.GRID)
        table = sweep.sweep(project, file, {"seed": "1"})
        content = pq.read_table(table)
        assert {"norm_arg", "seed", "epoch", "test_accuracy", "wrong", "made_by", "code"} <= set(content.column_names)
        assert content.num_rows == 2
        assert tables.command_of(table) == "normstudy sweep params/grid.yaml -p seed 1"

    def test_a_run_that_fails_costs_no_other(self, project: Path):
        file = write(project, "batch_size: [128, 100000]\nepochs: 1")
        with pytest.raises(StudyError, match="1 of 2 runs failed, the first with ValueError: batch_size is 100000"):
            sweep.sweep(project, file, {}, jobs=1)
        assert [rows[0]["batch_size"] for rows in stored(project, file).values()] == [128]


@pytest.mark.slow
class TestEndings:
    GRID = "seed: [0, 1, 2, 3, 4]\nnorm_arg: batch\nepochs: 3\nbatch_size: 64"

    def start(self, project: Path) -> subprocess.Popen[str]:
        """The command, at work on a grid, with at least one run finished and others in flight."""
        file = write(project, self.GRID)
        command = [str(Path(sys.executable).parent / "normstudy"), "sweep", str(file), "--jobs", "2"]
        process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        table = places.sweep_tables(project, "grid", "digits")[0]
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
        assert 0 < len(finished) < 5
        seen: list[tuple[int, int]] = []
        sweep.sweep(project, file, {}, jobs=2, report=lambda *numbers: seen.append(numbers))
        assert seen[0] == (len(finished), 5)
        after = stored(project, file)
        assert len(after) == 5
        assert all(after[name] == rows for name, rows in finished.items())

    def test_a_ctrl_c_that_is_lost_in_another_library_ends_it_after_the_next_run(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ):
        finished: list[int] = []

        def losing(*arguments: Any) -> Path:
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            for number in (1, 2):
                arguments[5](number, 2)
                finished.append(number)
            return project

        monkeypatch.chdir(project)
        monkeypatch.setattr(sweep, "sweep", losing)
        before = signal.getsignal(signal.SIGINT)
        with pytest.raises(SystemExit) as end:
            main(["sweep", "params/grid.yaml"])
        assert end.value.code == 130
        assert not finished
        assert signal.getsignal(signal.SIGINT) == before

    def test_no_other_begins_beside_it_and_a_killed_process_of_it_ends_it_in_a_line(self, project: Path):
        process = self.start(project)
        with pytest.raises(StudyError, match="another sweep is at work on report/executed"):
            sweep.sweep(project, project / "params" / "grid.yaml", {})
        family = psutil.Process(process.pid).children(recursive=True)
        worker = next(member for member in family if member.ppid() != process.pid)
        assert worker.parent().num_threads() == 1, "a process that has threads should not be forked"
        worker.kill()
        _, error = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "a process was killed, perhaps for want of memory; the finished runs are kept" in error
        assert stored(project, project / "params" / "grid.yaml")
