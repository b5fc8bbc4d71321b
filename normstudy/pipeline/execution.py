"""Running the notebooks that are out of date, side by side, each in a process of its own."""

import csv
import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from normstudy import files
from normstudy.checking import process
from normstudy.experiments import parameters, provenance
from normstudy.experiments.parameters import VARIANTS
from normstudy.experiments.places import StudyError, make_folder
from normstudy.machine.processor import cores
from normstudy.pipeline import attempts, forkserver
from normstudy.pipeline.attempts import Attempt, State
from normstudy.pipeline.plan import Run
from normstudy.pipeline.staleness import code_of, read_record, reasons


@dataclass(frozen=True)
class Progress:
    """Where a run stands, and why it failed if it did; the epochs it has finished so far."""

    run: Run
    state: State
    why: str
    seconds: float
    epochs: list[dict[str, float]]


def check(runs: Sequence[Run]) -> None:
    """Refuse what could only fail later: groups that do not divide channels, a device or a folder that is not there.

    Raises:
        ValueError: one line that names the parameter or the file, what it was and what it may be.
    """
    own = [run.parameters for run in runs if run.parameters.get("model")]
    if own:
        process.tried(str(own[0]["model"]), own)
    for dataset in sorted({str(run.parameters["dataset"]) for run in runs if "dataset" in run.parameters}):
        files.fetch(dataset)
        files.check(dataset)
    for run in runs:
        make_folder(run.folder.parent)
        if run.folder.exists():
            make_folder(run.folder)
        values, defaults = run.parameters, parameters.defaults(run.source)
        if any(values.get(name) != defaults.get(name) for name in ("groups", "device")):
            from normstudy.machine.devices import choose_device
            from normstudy.model import Net  # only here, since importing torch takes longer than all else

            if "groups" in values and not values.get("model"):
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
        How each that was executed ended. What needs a failed or missing result is not executed.
    """
    for run in runs:
        attempts.restore(run)
    due = {run.name for run in runs if reasons(run)}
    if not due:
        return []
    check([run for run in runs if run.name in due])
    waiting = list(runs)
    going: list[Attempt] = []
    ended: dict[str, Progress] = {}
    with forkserver.start(root, _imports(runs, due)) as server:
        while waiting or going:
            for run in _ready(waiting, going):
                waiting.remove(run)
                failed = {name for name, progress in ended.items() if progress.state is State.FAILED}
                if reasons(run) and not lacks(run, failed):
                    try:
                        going.append(attempts.start(root, run, server))
                    except OSError as error:
                        ended[run.name] = Progress(run, State.FAILED, _not_written(run, error), 0, [])
            for attempt in list(going):
                if progress := _settle(root, attempt, time_limit):
                    ended[attempt.run.name] = progress
                    going.remove(attempt)
            still = [Progress(one.run, State.RUNNING, "", one.seconds, _epochs(one.aside)) for one in going]
            report([*ended.values(), *still])
            if going:
                time.sleep(0.1)
    return list(ended.values())


def _imports(runs: Sequence[Run], due: set[str]) -> list[str]:
    """The package's modules that notebooks import which are due, or will be when what they read has been made."""
    sources = {run.source for run in runs if due.intersection((run.name, *(folder.name for folder in run.results)))}
    return sorted({module for source in sources for module in provenance.imported(code_of(source))})


def _ready(waiting: Sequence[Run], going: Sequence[Attempt]) -> Iterator[Run]:
    """The runs that may begin now: as many as there is room for, of those that wait for no other."""
    unfinished = {run.name for run in waiting} | {attempt.run.name for attempt in going}
    ready = (run for run in waiting if not unfinished.intersection(folder.name for folder in run.results))
    yield from list(itertools.islice(ready, max(len(VARIANTS), cores()) - len(going)))


def lacks(run: Run, failed: set[str]) -> bool:
    """Whether a result that a notebook reads is not there, or has just failed to be made anew."""
    return any(folder.name in failed or not read_record(folder) for folder in run.results)


def _settle(root: Path, attempt: Attempt, time_limit: float | None) -> Progress | None:
    """How an attempt ended, whose result or failure is then where it belongs; None while it is running."""
    run, why = attempt.run, ""
    try:
        state, why = attempts.look(attempt, time_limit)
        if state is State.RUNNING:
            return None
        seconds, epochs = attempt.seconds, _epochs(attempt.aside)
        attempt.process.kill()
        if state is State.DONE:
            attempts.put_in_place(run, attempt.aside)
        else:
            why = f"{why} (see {attempts.keep_failed(root, run, attempt.aside)})"
    except OSError as error:
        return Progress(run, State.FAILED, _not_written(run, error), attempt.seconds, _epochs(attempt.aside))
    return Progress(run, state, why, seconds, epochs)


def _not_written(run: Run, error: OSError) -> str:
    return f"failed: {error.filename or run.folder} cannot be written: {error.strerror or error}"


def _epochs(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's metrics so far."""
    try:
        with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError):
        return []
