"""One run that is being made: in a folder aside, which takes the result's place when it is complete.

Whatever ends a run, the result that was there stays.
"""

import json
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from normstudy.experiments.parameters import Value, comparable
from normstudy.pipeline.forkserver import Forkserver, Process
from normstudy.pipeline.plan import Run
from normstudy.pipeline.staleness import made_from_the_same, may_differ, read_record, record_of


class State(Enum):
    """Where a run stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Attempt:
    """A run that is being made: its process, the folder aside that it writes to, and when it began."""

    run: Run
    process: Process
    aside: Path
    began: float

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.began


def start(root: Path, run: Run, forkserver: Forkserver) -> Attempt:
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
        if made_from_the_same(read_record(leftover), record) and checkpoint.is_file():
            checkpoint.replace(aside / checkpoint.name)
        if leftover != _failed(run):
            shutil.rmtree(leftover, ignore_errors=True)
    _write_parameters(
        aside, run.parameters | _beside(root, run, record) | {"output": aside.relative_to(root).as_posix()}
    )
    log = aside / "log.txt"
    log.write_text(
        f"{run.source.name} with {run.name}'s parameters\n", encoding="utf-8"
    )  # room on a full disk for more
    files = (run.source, aside / run.notebook.name, aside / "parameters.yaml", log)
    process = forkserver.execute(*(file.relative_to(root) for file in files))
    return Attempt(run, process, aside, time.monotonic())


def _beside(root: Path, run: Run, record: Mapping[str, Any]) -> dict[str, Value]:
    """The result that is there until the new one takes its place: a variant is set beside it unless it is told.

    Not where the two have the same numbers, because nothing but how they are shown has changed.
    """
    was = read_record(run.folder)
    wanted = run.parameters.get("baseline") == "" and comparable(run.folder) and was and may_differ(was, record)
    return {"baseline": run.folder.relative_to(root).as_posix()} if wanted else {}


def _write_parameters(folder: Path, values: Mapping[str, Value]) -> None:
    (folder / "parameters.yaml").write_text(yaml.safe_dump(dict(values), sort_keys=False), encoding="utf-8")


def look(attempt: Attempt, time_limit: float | None) -> tuple[State, str]:
    """Where an attempt stands, and if it has failed, why. Nothing is changed."""
    code = attempt.process.exit_code()
    if code is None:
        late = time_limit is not None and attempt.seconds > time_limit
        return (State.FAILED, f"was given up after {time_limit:g} s") if late else (State.RUNNING, "")
    if code != 0:
        _, *said = (attempt.aside / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return State.FAILED, f"failed: {said[-1] if said else f'exit code {code}'}"
    cells = json.loads((attempt.aside / attempt.run.notebook.name).read_text(encoding="utf-8"))["cells"]
    # A kernel that dies leaves a notebook whose metadata say that every cell has completed.
    if any(cell["cell_type"] == "code" and cell["source"] and not cell["execution_count"] for cell in cells):
        return State.FAILED, "stopped before its last cell: its kernel died"
    return State.DONE, ""


def put_in_place(run: Run, aside: Path) -> None:
    """Let a complete result take its place."""
    notebook = aside / run.notebook.name
    _write_parameters(aside, run.parameters)
    text = notebook.read_text(encoding="utf-8").replace(aside.name, run.folder.name)  # it shows where its files are
    notebook.write_text(text, encoding="utf-8")
    for scaffold in ("log.txt", "checkpoint.safetensors"):  # last, since a full disk may have stopped us before
        (aside / scaffold).unlink(missing_ok=True)
    if run.folder.exists():
        run.folder.replace(_previous(run))
    aside.replace(run.folder)
    restore(run)
    shutil.rmtree(_failed(run), ignore_errors=True)


def keep_failed(root: Path, run: Run, aside: Path) -> str:
    """Keep a failed notebook, its log and what it wrote in `failed/`, and return the file to look at."""
    failed = _failed(run)
    shutil.rmtree(failed, ignore_errors=True)
    failed.parent.mkdir(exist_ok=True)
    aside.chmod(0o755)  # a folder that nobody may write to cannot be moved
    aside.replace(failed)
    place = failed / (run.notebook.name if (failed / run.notebook.name).is_file() else "log.txt")
    return place.relative_to(root).as_posix()


def restore(run: Run) -> None:
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


def _aside(run: Run) -> Path:
    return run.folder.parent / f".{run.name}.{uuid.uuid4().hex[:8]}"


def _previous(run: Run) -> Path:
    return run.folder.parent / f"..{run.name}"


def _failed(run: Run) -> Path:
    return run.folder.parent / "failed" / run.name
