"""Running the notebooks that are out of date, side by side, each in a process of its own.

A result is made in a folder aside and takes its place when it is complete: whatever ends a run, what was there stays.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from filelock import FileLock, Timeout

from normstudy import files, variants
from normstudy.machine import cores
from normstudy.places import StudyError, make_folder
from normstudy.study import Run, read_record, reasons, record_of
from normstudy.variants import VARIANTS, Value


@dataclass(frozen=True)
class Progress:
    """Where a run stands: the epochs it has finished so far, and its state."""

    run: Run
    state: str  # "running", "done" or the line that says why it failed
    seconds: float
    epochs: list[dict[str, float]]


def check(runs: Sequence[Run]) -> None:
    """Refuse what could only fail later: groups that do not divide channels, a device or a folder that is not there.

    Raises:
        ValueError: one line that names the parameter or the file, what it was and what it may be.
    """
    for run in runs:
        make_folder(run.folder.parent)
        if run.folder.exists():
            make_folder(run.folder)
        values, defaults = run.parameters, variants.defaults(run.source)
        if "dataset" in values:
            files.fetch(str(values["dataset"]))
            files.check(str(values["dataset"]))
        if any(values.get(name) != defaults.get(name) for name in ("groups", "device")):
            from normstudy.model import Net  # only here, since importing torch takes longer than all else
            from normstudy.training import choose_device

            if "groups" in values:
                Net(str(values["norm_arg"]), int(values["groups"]))
            if "device" in values:
                choose_device(str(values["device"]))


@contextmanager
def only_one(root: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other command works on this project's results, telling whom we wait for.

    Raises:
        ValueError: the folder of results is a file, or may not be written to.
        StudyError: it cannot be written for another reason, such as a full disk.
    """
    executed = root / "report" / "executed"
    make_folder(executed)
    try:
        lock, owner = FileLock(executed / ".lock"), executed / ".owner"
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = owner.read_text(encoding="utf-8") if owner.is_file() else "another process"
            tell(f"Waiting: {who} is working on {executed.relative_to(root)}.")
            lock.acquire()
        owner.write_text(f"process {os.getpid()} ({Path(sys.argv[0]).name})", encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{executed} cannot be written: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


@dataclass(frozen=True)
class Attempt:
    """A run that is being made: its process, the folder aside that it writes to, and when it began."""

    run: Run
    process: subprocess.Popen[bytes]
    aside: Path
    began: float


def bring_up_to_date(
    root: Path,
    runs: Sequence[Run],
    report: Callable[[list[Progress]], None] = lambda _: None,
    time_limit: float | None = None,
) -> list[Progress]:
    """Execute the runs that are out of date and no others, each as soon as all that it reads is complete.

    They go side by side, each in a process of its own, as many as there are cores (but all variants at once, so that
    the slowest does not begin last). A failing one does not disturb the others.

    Args:
        root: the project's folder.
        runs: the runs; none before another whose result it reads.
        report: called several times a second with where every run stands that has begun.
        time_limit: seconds after which a notebook is given up.

    Returns:
        How each that was executed ended; `state` is "done" or the line that says why it failed. What needs a failed or
        missing result is not executed.
    """
    for run in runs:
        _restore(run)
    if due := [run for run in runs if reasons(run)]:
        check(due)
    side_by_side = max(len(VARIANTS), cores())
    waiting = list(runs)
    going: dict[str, Attempt] = {}
    ended: dict[str, Progress] = {}
    try:
        while waiting or going:
            for run in list(waiting):
                unfinished = {other.name for other in waiting} | going.keys()
                if len(going) == side_by_side or unfinished.intersection(path.name for path in run.inputs):
                    continue
                waiting.remove(run)
                failed = {name for name, progress in ended.items() if progress.state != "done"}
                if not reasons(run) or any(lacks(path, failed) for path in run.inputs):
                    continue
                try:
                    going[run.name] = _start(root, run)
                except OSError as error:
                    ended[run.name] = Progress(run, f"failed: {_not_written(run, error)}", 0, [])
            for attempt in list(going.values()):
                progress = _look(root, attempt, time_limit)
                if progress.state != "running":
                    ended[attempt.run.name] = progress
                    del going[attempt.run.name]
            now = time.monotonic()
            still = [Progress(one.run, "running", now - one.began, _epochs(one.aside)) for one in going.values()]
            report([*ended.values(), *still])
            if going:
                time.sleep(0.1)
    finally:
        for attempt in going.values():
            _kill(attempt.process)
    return list(ended.values())


def lacks(path: Path, failed: set[str]) -> bool:
    """Whether a result that a notebook reads is not there, or has just failed to be made anew."""
    return path.name in failed or not (path.is_file() or read_record(path))


def _look(root: Path, attempt: Attempt, time_limit: float | None) -> Progress:
    """Where an attempt stands; one that has ended, or has to end, is put where it belongs."""
    run, process, aside = attempt.run, attempt.process, attempt.aside
    seconds = time.monotonic() - attempt.began
    if process.poll() is None and (time_limit is None or seconds <= time_limit):
        return Progress(run, "running", seconds, [])
    epochs = _epochs(aside)
    try:
        if process.poll() is None:
            _kill(process)
            state = _fail(root, run, aside, f"was given up after {time_limit:g} s")
        else:
            state = _finish(root, run, aside, process.returncode)
    except OSError as error:
        state = f"failed: {_not_written(run, error)}"
    return Progress(run, state, seconds, epochs)


def _not_written(run: Run, error: OSError) -> str:
    return f"{error.filename or run.folder} cannot be written: {error.strerror or error}"


def _start(root: Path, run: Run) -> Attempt:
    """Start a run in a fresh folder aside, which takes over the checkpoint of an earlier attempt at the same."""
    record = record_of(run)
    run.folder.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(run)
    aside.mkdir()
    # First of all: with it, the checkpoint is found again even if this attempt ends before its process begins.
    (aside / "record.json").write_text(json.dumps(record, indent=1), encoding="utf-8")
    for leftover in (_failed(run), *run.folder.parent.glob(f".{run.name}.*")):
        if leftover == aside:
            continue
        checkpoint = leftover / "checkpoint.safetensors"
        if read_record(leftover) | {"sources": record["sources"]} == record and checkpoint.is_file():
            checkpoint.replace(aside / checkpoint.name)
        if leftover != _failed(run):
            shutil.rmtree(leftover, ignore_errors=True)
    _write_parameters(aside, run.parameters | {"output": aside.relative_to(root).as_posix()})
    source, target = run.source.relative_to(root), (aside / run.notebook.name).relative_to(root)
    with (aside / "log.txt").open("wb") as log:
        log.write(f"{source} with {run.name}'s parameters\n".encode())  # so that a full disk has room for a last line
        log.flush()
        process = subprocess.Popen(
            [sys.executable, "-m", "normstudy.kernel", source, target, (aside / "parameters.yaml").relative_to(root)],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={"OPENBLAS_NUM_THREADS": "1"}  # others only wait in circles for what notebooks have to multiply
            | os.environ
            | {"JUPYTER_PREFER_ENV_PATH": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        )
    return Attempt(run, process, aside, time.monotonic())


def _write_parameters(folder: Path, values: Mapping[str, Value]) -> None:
    (folder / "parameters.yaml").write_text(yaml.safe_dump(dict(values), sort_keys=False), encoding="utf-8")


def _finish(root: Path, run: Run, aside: Path, code: int) -> str:
    """Put a complete result in its place; keep an incomplete one as a failure."""
    if code != 0:
        _, *said = (aside / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return _fail(root, run, aside, f"failed: {said[-1] if said else f'exit code {code}'}")
    notebook = aside / run.notebook.name
    text = notebook.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    # A kernel that dies leaves a notebook whose metadata say that every cell has completed.
    if any(cell["cell_type"] == "code" and cell["source"] and not cell["execution_count"] for cell in cells):
        return _fail(root, run, aside, "stopped before its last cell: its kernel died")
    _write_parameters(aside, run.parameters)
    notebook.write_text(text.replace(aside.name, run.folder.name), encoding="utf-8")  # it shows where its files are
    for scaffold in ("log.txt", "checkpoint.safetensors"):  # last, since a full disk may have stopped us before
        (aside / scaffold).unlink(missing_ok=True)
    if run.folder.exists():
        run.folder.replace(_previous(run))
    aside.replace(run.folder)
    _restore(run)
    shutil.rmtree(_failed(run), ignore_errors=True)
    return "done"


def _aside(run: Run) -> Path:
    return run.folder.parent / f".{run.name}.{uuid.uuid4().hex[:8]}"


def _previous(run: Run) -> Path:
    return run.folder.parent / f"..{run.name}"


def _failed(run: Run) -> Path:
    return run.folder.parent / "failed" / run.name


def _restore(run: Run) -> None:
    """Put the earlier result back unless a new one has taken its place, whatever moment a command was killed at."""
    previous = _previous(run)
    if not previous.is_dir():
        return
    if not run.folder.exists():
        previous.replace(run.folder)
    else:
        waste = _aside(run)  # under a name that is never taken for a result, since removing it can be interrupted too
        previous.replace(waste)
        shutil.rmtree(waste, ignore_errors=True)


def _fail(root: Path, run: Run, aside: Path, why: str) -> str:
    """Keep a failed notebook, its log and what it wrote in `failed/`; the earlier result stays where it is."""
    failed = _failed(run)
    shutil.rmtree(failed, ignore_errors=True)
    failed.parent.mkdir(exist_ok=True)
    aside.chmod(0o755)  # a folder that nobody may write to cannot be moved
    aside.replace(failed)
    place = failed / (run.notebook.name if (failed / run.notebook.name).is_file() else "log.txt")
    return f"{why} (see {place.relative_to(root).as_posix()})"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and its kernel, which has a session of its own."""
    if process.poll() is None:
        family = psutil.Process(process.pid)
        for member in (*family.children(recursive=True), family):
            with suppress(psutil.NoSuchProcess):
                member.kill()
        process.wait()


def _epochs(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's metrics so far."""
    try:
        with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError):
        return []
