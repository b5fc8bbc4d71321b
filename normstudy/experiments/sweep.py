"""Sweeps: making the runs that a sweep file asks for and that have no result yet."""

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from normstudy import files
from normstudy.checking import process
from normstudy.experiments import places, provenance, sweep_files, tables, workers
from normstudy.experiments.parameters import Value
from normstudy.experiments.places import StudyError
from normstudy.machine.devices import choose_device
from normstudy.machine.processor import cores
from normstudy.model import Net


def sweep(
    root: Path,
    file: Path,
    overrides: Mapping[str, object],
    jobs: int | None = None,
    scheduler: str | None = None,
    report: Callable[[int, int], None] = lambda finished, asked: None,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Make the runs of a sweep file that have no result of the present code yet; return the table of results.

    Each finished run is in the table at once: whatever ends the sweep, the next one goes on from there. A run that was
    made by other code is made again, and takes the place of the old one; no other run in the table is touched.

    Args:
        root: the project's folder.
        file: the sweep file.
        overrides: values that replace those of the sweep file.
        jobs: processes on this machine; None is as many as there are cores for.
        scheduler: the address of a Dask scheduler whose workers make the runs instead.
        report: called with the numbers of finished and of all runs, at the beginning and whenever one has finished.
        tell: called with a line whenever there is something to say.

    Raises:
        ValueError: an input is wrong; the message is one line that names it.
        StudyError: runs failed, another sweep is at work, or the table cannot be written. What is finished is kept.
    """
    runs = sweep_files.expand(root, file, overrides)
    _check(list(runs.values()), here=scheduler is None)
    any_run = next(iter(runs.values()))
    dataset = str(any_run["dataset"])
    given = "".join(f" -p {name} {value}" for name, value in overrides.items())
    command = f"normstudy sweep {Path(os.path.relpath(file, root)).as_posix()}{given}"
    table = places.sweep_tables(root, file.stem, dataset)[0]
    places.make_folder(table.parent)
    try:
        lock = FileLock(table.with_name(f".{table.name}.lock")).acquire(timeout=0)
    except Timeout as error:
        raise StudyError(f"another sweep is at work on {table.relative_to(root)}") from error
    with lock:
        results = tables.read(table, tuple(any_run))
        todo = {name: run for name, run in runs.items() if not _is_done(results.get(name))}
        kept = len(runs) - len(todo)
        report(kept, len(runs))
        if todo:
            at_once = min(len(todo), jobs or max(1, cores() // int(any_run["threads"])))
            place = workers.dask(scheduler, dataset, tell) if scheduler else workers.processes(at_once)
            with place as submit:
                futures = {submit(run): name for name, run in todo.items()}
                for number, more in enumerate(_finished(futures), kept + 1):
                    results |= more
                    tables.write(table, results, command)
                    report(number, len(runs))
    return table


def _check(runs: list[dict[str, Value]], here: bool) -> None:
    """See before any run that there are the data, the networks, and, if they are made `here`, the devices."""
    dataset, model = str(runs[0]["dataset"]), str(runs[0].get("model", ""))
    files.fetch(dataset)
    files.check(dataset)
    if model:
        process.tried(model, runs)
    for norm_arg, groups, device in {(run["norm_arg"], run["groups"], run["device"]) for run in runs}:
        if not model:
            Net(str(norm_arg), int(groups))
        if here:
            choose_device(str(device))


def _finished(futures: Mapping[Future[list[dict[str, Any]]], str]) -> Iterator[tables.Results]:
    """The results of each run as soon as it has finished. Those that fail come to light at the end."""
    failures: list[str] = []
    for future in as_completed(futures):
        try:
            rows = future.result()
        except BrokenProcessPool as error:
            raise StudyError(
                "a process was killed, perhaps for want of memory; the finished runs are kept, and the same command "
                "goes on from there (with fewer --jobs it needs less memory)"
            ) from error
        except Exception as error:
            failures.append(f"{type(error).__name__}: {error}")
        else:
            if not _is_done(rows):
                raise StudyError("the workers have another version of normstudy; install this one there")
            yield {futures[future]: rows}
    if failures:
        raise StudyError(
            f"{len(failures)} of {len(futures)} runs failed, the first with {' '.join(failures[0].split())}; the "
            "others are kept, and the same command tries these again"
        )


def _is_done(rows: list[dict[str, Any]] | None) -> bool:
    return bool(rows and provenance.is_present(rows[-1].get("code"), rows[-1].get("model") or ""))
