"""A notebook that fails, whatever way: the others go on, what was there stays, and it is kept to be looked at.

On disks that are full and in folders that may not be written to, nothing that was complete is harmed.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from normstudy.experiments import sweep
from normstudy.pipeline import staleness
from normstudy.pipeline.plan import plan
from tests import small_disk
from tests.commands import UNPRIVILEGED, WITHOUT_QUARTO, command
from tests.grids import make_project, stored, write
from tests.toy import VARIANT, spoil
from tests.watching import contents

pytestmark = pytest.mark.slow

BOUNDLESS = 10**9
"""More bytes than a small disk has."""

FAILURES = {
    "an exception": ("raise ZeroDivisionError('here')", "failed: ZeroDivisionError: here"),
    "the end of its kernel": ("os._exit(3)", "failed: .*Kernel died"),
    "a kill of its kernel": ("os.kill(os.getpid(), 9)", "failed: .*Kernel died"),
    "too little memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)); bytes(2**32)",
        "failed: MemoryError",
    ),
    "a full disk": (
        f"os.posix_fallocate(os.open(f'{{output}}/new', os.O_CREAT | os.O_RDWR), 0, {BOUNDLESS})",
        r"failed: OSError: \[Errno 28\] No space left on device",
    ),
    "a folder that may not be written to": (
        "os.chmod(output, 0o500); open(f'{output}/new', 'w')",
        "failed: PermissionError: .*Permission denied",
    ),
    "no end": ("import time; time.sleep(600)", "was given up after 15 s"),
}


@pytest.fixture(scope="module")
def done(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project in which everything is up to date, with a report."""
    root = shutil.copytree(finished, tmp_path_factory.mktemp("failures") / "done")
    (root / "_report").mkdir()
    (root / "_report" / "index.html").write_text("earlier")
    return root


@pytest.fixture
def due(done: Path, tmp_path: Path) -> Path:
    """The same with the variants out of date."""
    copy = shutil.copytree(done, tmp_path / "due")
    spoil(copy, VARIANT, "'changed'")
    return copy


def on_a_small_disk(project: Path, free: int, *words: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """Run a command in a copy of a project on a disk that has so many bytes left; what it said, what it left."""
    disk, after = project.with_name("disk"), project.with_name(f"after-{free}")
    disk.mkdir(exist_ok=True)
    own = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own, "mount", "-t", "tmpfs", "none", disk], capture_output=True, check=False).returncode:
        pytest.skip("a disk of one's own cannot be mounted here")
    arguments = [sys.executable, small_disk.__file__, project, disk, free, after]
    return command(project, *own, *map(str, arguments), *words), after


@pytest.mark.parametrize(("cell", "why"), FAILURES.values(), ids=FAILURES)
def test_the_others_go_on_and_the_earlier_report_stays(done: Path, due: Path, cell: str, why: str):
    spoil(due, f"import os\nif norm_arg == 'layer':\n    {cell}", VARIANT)
    words = (*WITHOUT_QUARTO, "render", "--dataset", "digits", "--time-limit", "15")
    if str(BOUNDLESS) in cell:
        said, due = on_a_small_disk(due, 10**7, *words)
    else:
        said = command(due, *UNPRIVILEGED, *words)
    assert said.returncode == 1
    assert said.stderr == "normstudy: layer failed; the earlier results stay as they were\n"
    (line,) = [line for line in said.stdout.splitlines() if re.match("layer .* s$", line)]
    assert re.search(why, line)
    kept = due / re.search(r"\(see (.*)\)", line)[1]
    assert kept == due / "report" / "executed" / "digits" / "failed" / "layer" / "layer.ipynb"
    cells = json.loads(kept.read_text(encoding="utf-8"))["cells"]
    traceback = "".join(str(output.get("traceback")) for cell in cells for output in cell.get("outputs", []))
    assert ("Traceback" in traceback) == ("Error" in why)
    for name in ("batch", "group"):
        assert staleness.reasons(next(run for run in plan(due, None) if run.name == name)) == []
    for place in ("_report", "report/executed/digits/layer", "report/executed/digits/comparison"):
        assert contents(due / place) == contents(done / place)
    assert not [process for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(due)]


def test_what_failed_is_forgotten_when_it_succeeds(due: Path):
    spoil(due, "1 / 0", VARIANT)
    assert command(due, "normstudy", "run", "batch").returncode == 1
    failed = due / "report" / "executed" / "digits" / "failed" / "batch"
    assert failed.is_dir()
    spoil(due, VARIANT)
    assert command(due, "normstudy", "run", "batch").returncode == 0
    assert not failed.exists()


@pytest.mark.parametrize("free", [0, 4_096, 32_768])
def test_on_a_nearly_full_disk_nothing_that_was_complete_is_harmed(done: Path, due: Path, free: int):
    said, after = on_a_small_disk(due, free, "normstudy", "run")
    assert said.returncode == 1
    assert "Traceback" not in said.stderr + said.stdout
    if free:
        for name in ("batch", "layer", "group"):
            assert re.search(f"^{name} .*failed: .*{name}.*No space left on device", said.stdout, re.MULTILINE)
    else:
        assert said.stderr.endswith("report/executed cannot be written: No space left on device\n")
    for name in ("batch", "layer", "group", "comparison"):
        folder = f"report/executed/digits/{name}"
        assert contents(after / folder) == contents(done / folder)
    assert command(after, "normstudy", "run").returncode == 0, "there is room now"
    assert "'changed'" in (after / "report" / "executed" / "digits" / "batch" / "batch.ipynb").read_text()


def test_a_sweep_on_a_full_disk_keeps_its_table(tmp_path: Path):
    (tmp_path / "project").mkdir()
    project = make_project(tmp_path / "project")
    grid = "norm_arg: batch\nepochs: 1\nthreads: 1\nbatch_size: 64\nseed: "
    first = write(project, f"{grid}0\n")
    sweep.sweep(project, first, {})
    before = stored(project, first)
    write(project, f"{grid}[0, 1]\n")
    said, after = on_a_small_disk(project, 0, "normstudy", "sweep", "params/grid.yaml")
    assert said.returncode == 1
    assert re.fullmatch(r"normstudy: .*grid\.parquet cannot be written: No space left on device\n", said.stderr)
    write(after, f"{grid}0\n")
    assert stored(after, first) == before
    both = write(after, f"{grid}[0, 1]\n")
    sweep.sweep(after, both, {})
    assert len(stored(after, both)) == 2


@pytest.mark.parametrize("step", ["prepare", "render"])
def test_a_render_on_a_full_disk_leaves_the_earlier_report(study: Path, tmp_path: Path, step: str):
    copy = shutil.copytree(study, tmp_path / "copy")
    (copy / "_report").mkdir(exist_ok=True)
    (copy / "_report" / "index.html").write_text("earlier")
    if step == "prepare":
        shutil.rmtree(copy / "report" / "shown", ignore_errors=True)
    else:
        assert command(copy, "normstudy", "prepare", "--dataset", "digits").returncode == 0
    said, after = on_a_small_disk(copy, 200_000, *WITHOUT_QUARTO, "render", "--dataset", "digits")
    assert said.returncode == 1
    (line,) = said.stderr.splitlines()
    assert "No space left on device" in line
    assert ("report/shown" if step == "prepare" else ".quarto") in line
    assert contents(after / "_report") == contents(copy / "_report")
