"""Sweeps over Dask, with a real scheduler and real workers: the same numbers, no shared disk, no run lost."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from normstudy import data, files
from normstudy.experiments import places, single, sweep, sweep_files, tables
from normstudy.experiments.places import StudyError
from tests.commands import ROOT, stand_in
from tests.data_files import idx
from tests.grids import make_project, stored, untimed, write

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.slow

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return make_project(folder)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a part of Dask in an empty folder of its own, where it knows of no data, and ends it with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def begin(part: str, *words: object, **variables: str) -> subprocess.Popen[bytes]:
        elsewhere = tmp_path / f"elsewhere-{len(processes)}"
        elsewhere.mkdir()
        environment = {name: value for name, value in os.environ.items() if name != "NORMSTUDY_DATA"} | variables
        command = [sys.executable, "-m", f"distributed.cli.{part}", *map(str, words), "--no-dashboard"]
        with (elsewhere / "log").open("wb") as log:
            processes.append(subprocess.Popen(command, cwd=elsewhere, env=environment, stdout=log, stderr=log))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def scheduler(start: Start, tmp_path: Path) -> str:
    """The address of a scheduler."""
    file = tmp_path / "scheduler.json"
    start("dask_scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", file)
    while not (file.is_file() and file.read_text()):
        time.sleep(0.1)
    return str(json.loads(file.read_text())["address"])


def start_workers(start: Start, scheduler: str, number: int, **variables: str) -> list[subprocess.Popen[bytes]]:
    """Workers of one thread each, which nobody starts again when they die."""
    words = (scheduler, "--nthreads", 1, "--no-nanny", "--host", "127.0.0.1")
    workers = [start("dask_worker", *words, **variables) for _ in range(number)]
    with distributed.Client(scheduler, timeout=60) as client:
        client.wait_for_workers(number, timeout=60)
    return workers


def sweep_over(scheduler: str, project: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    program = Path(sys.executable).with_name("normstudy")
    return subprocess.Popen(
        [program, "sweep", "params/grid.yaml", "--scheduler", scheduler, *words],
        cwd=project, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def made_here(project: Path, file: Path) -> tables.Results:
    return {name: single.run(run) for name, run in sweep_files.expand(project, file, {}).items()}


@pytest.fixture
def mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files in the place of MNIST, which this process and the sweeping one know of, and no worker."""
    raw = tmp_path / "data" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for images, labels, number in ((*files.FILES[:2], 640), (*files.FILES[2:], 20)):
        (raw / images).write_bytes(idx((number, 28, 28), bytes(i % 251 for i in range(number * 28 * 28))))
        (raw / labels).write_bytes(idx((number,), bytes(i % 10 for i in range(number))))
    monkeypatch.setenv("NORMSTUDY_DATA", str(tmp_path / "data"))


@pytest.mark.usefixtures("mnist")
def test_a_killed_worker_costs_only_its_own_runs_and_the_data_which_travel_with_them_outlive_it(
    project: Path, start: Start, scheduler: str
):
    file = write(project, "dataset: mnist\nseed: [0, 1]\nnorm_arg: [batch, none]\nepochs: 4\nbatch_size: 64")
    (victim,) = start_workers(start, scheduler, 1)
    sweeping = sweep_over(scheduler, project)
    table = places.sweep_tables(project, "grid", "mnist")[0]
    runs = sweep_files.expand(project, file, {})
    names = tuple(next(iter(runs.values())))
    while not table.is_file():
        assert sweeping.poll() is None, sweeping.communicate()
        time.sleep(0.02)
    victim.kill()  # the only one that has the data
    victim.wait()
    finished = tables.read(table, names)
    assert 0 < len(finished) < 4
    start_workers(start, scheduler, 1)
    out, error = sweeping.communicate()
    assert sweeping.returncode == 0, out + error
    results = tables.read(table, names)
    assert all(results[name] == rows for name, rows in finished.items())
    images = data.load("mnist")
    assert untimed(results) == untimed({name: single.run(run, images) for name, run in runs.items()})


def test_a_worker_with_other_code_is_refused(project: Path, start: Start, scheduler: str, tmp_path: Path):
    write(project, "norm_arg: batch\nepochs: 1\nbatch_size: 128")
    shutil.copytree(ROOT / "normstudy", tmp_path / "older" / "normstudy")
    with (tmp_path / "older" / "normstudy" / "model.py").open("a") as model:
        model.write("ANOTHER = 1\n")
    start_workers(start, scheduler, 1, PYTHONPATH=str(tmp_path / "older"))
    out, error = (process := sweep_over(scheduler, project)).communicate()
    assert process.returncode == 1
    assert "the workers have another version of normstudy" in error
    assert "Traceback" not in out + error


def test_an_address_where_nobody_answers_is_named(project: Path):
    file = write(project, "norm_arg: batch\nepochs: 1")
    with pytest.raises(StudyError, match=r"^no Dask scheduler answers at tcp://127\.0\.0\.1:9$"):
        sweep.sweep(project, file, {}, scheduler="tcp://127.0.0.1:9")


def test_the_lines_for_slurm_in_readme_make_a_sweep_and_end_their_jobs(project: Path, tmp_path: Path):
    file = write(project, "seed: [0, 1]\nnorm_arg: batch\nepochs: 1\nbatch_size: 128")
    (lines,) = re.findall(r"```python\n(.*?SLURMCluster.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    smaller = {"cores=8": "cores=2", "processes=8": "processes=2", "jobs=5": "jobs=1", "factorial": "grid"}
    for whole, part in (smaller | {'"mnist"': '"digits"'}).items():
        assert whole in lines
        lines = lines.replace(whole, part)
    submitted, cancelled = tmp_path / "job.sh", tmp_path / "cancelled"
    begin = f"cp $1 {submitted}; setsid bash {submitted} >{tmp_path}/log 2>&1 & echo Submitted batch job $!"
    stand_in(tmp_path / "slurm" / "sbatch", begin)
    stand_in(tmp_path / "slurm" / "scancel", f"kill -- -$1; echo $1 >>{cancelled}")
    programs = os.pathsep.join([str(tmp_path / "slurm"), str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [sys.executable, "-c", lines]
    done = subprocess.run(command, cwd=project, env=os.environ | {"PATH": programs}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert untimed(stored(project, file)) == untimed(made_here(project, file))
    asked = submitted.read_text()
    for option in ("-p QUEUE", "--cpus-per-task=2", "-t 04:00:00"):
        assert f"#SBATCH {option}\n" in asked
    assert len(cancelled.read_text().split()) == 1
