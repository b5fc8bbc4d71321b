"""Many runs: those that a sweep file asks for, those whose results are there already, and making the rest.

A sweep file is a file of parameters in which a value may be a list; it asks for every combination. `together` holds a
list of mappings, for parameters that change together:

    norm_arg: [batch, group]
    together:
      - {batch_size: 2, learning_rate: 0.001}
      - {batch_size: 4, learning_rate: 0.002}
    seed: [0, 1, 2]

The results are a Parquet table for each sweep and dataset, a row a run and epoch.
"""

import itertools
import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from normstudy import experiments, figures, files, study, variants, workers
from normstudy.machine import cores
from normstudy.model import Net
from normstudy.study import StudyError
from normstudy.training import choose_device
from normstudy.variants import ParameterError, Value

FORMAT = "1"  # of a table of results

Results = dict[str, list[dict[str, Any]]]
"""The rows of each run, by the `key` of its parameters."""


def expand(root: Path, file: Path, overrides: Mapping[str, object]) -> dict[str, dict[str, Value]]:
    """The parameters of every run that a sweep file asks for, checked, by their key; the first list changes slowest.

    Parameters that the file leaves out have the values of `params/<dataset>.yaml`, or else the defaults of a variant's
    notebook; the dataset is `digits` unless it is said. `overrides` replace single values and lists alike.

    Raises:
        ParameterError: the file cannot be read, a name is unknown, or a value is not one that its parameter may have.
    """
    defaults = {**variants.defaults(root / "report" / "notebooks" / "variant.ipynb"), "measure": False}
    del defaults["output"]
    names = tuple(defaults)
    overrides = variants.check(overrides, names)
    content = {"dataset": "digits", **variants.read_mapping(file)}
    together = content.pop("together", [{}])
    if not (isinstance(together, list) and together and all(isinstance(part, dict) for part in together)):
        raise ParameterError(f"{file}: together must be a list of mappings such as {{batch_size: 2}}")
    lists = {name: value if isinstance(value, list) else [value] for name, value in content.items()}
    try:
        axes = [[variants.check({name: value}, names) for value in values] for name, values in lists.items()]
        axes.append([variants.check(part, names) for part in together])
    except ParameterError as error:
        raise ParameterError(f"{file}: {error}") from error
    runs = {}
    for parts in itertools.product(*axes):
        asked = {name: value for part in parts for name, value in part.items()} | overrides
        of_dataset = root / "params" / f"{asked['dataset']}.yaml"
        common = variants.read(of_dataset) if of_dataset.is_file() else {}
        run = variants.check(defaults | common | asked, names)
        runs[key(run)] = run
    if not runs:
        empty = next(name for name, values in lists.items() if not values)
        raise ParameterError(f"{file}: {empty} is an empty list; it must hold at least one value")
    if len({run["dataset"] for run in runs.values()}) > 1:
        raise ParameterError(f"{file}: dataset must be one; -p dataset NAME sweeps over another")
    return runs


def key(parameters: Mapping[str, Any]) -> str:
    """What identifies a run: its parameters, as text."""
    return json.dumps(dict(parameters), sort_keys=True)


def read(file: Path, names: tuple[str, ...]) -> Results:
    """The results in a table, each run by the values of its parameters `names`; none where there is no file.

    Raises:
        StudyError: the file is damaged, or was written by another version.
    """
    if not file.is_file():
        return {}
    try:
        table = pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise StudyError(f"{file} is damaged; move it away, and 'normstudy sweep' makes it again") from error
    if command_of(file) is None:
        raise StudyError(f"{file} is of another version; move it away, and 'normstudy sweep' makes it again")
    results: Results = {}
    for row in table.to_pylist():
        results.setdefault(key({name: row.get(name) for name in names}), []).append(row)
    return results


def command_of(file: Path) -> str | None:
    """The command that made a table of results; None if the file is no such table of this version."""
    metadata = pq.read_metadata(file).metadata or {}
    return metadata[b"command"].decode() if metadata.get(b"format") == FORMAT.encode() else None


def write(file: Path, results: Results, command: str) -> None:
    """Write results aside and move them into place: there is always a whole table."""
    rows = list(itertools.chain.from_iterable(results.values()))
    columns = dict.fromkeys(itertools.chain.from_iterable(rows))
    table = pa.Table.from_pylist([{column: row.get(column) for column in columns} for row in rows])
    aside = file.with_name(f".{file.name}.aside")
    pq.write_table(table.replace_schema_metadata({"format": FORMAT, "command": command}), aside, compression="zstd")
    aside.replace(file)


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
    runs = expand(root, file, overrides)
    any_run = next(iter(runs.values()))
    dataset = str(any_run["dataset"])
    files.fetch(dataset)
    files.check(dataset)
    for norm_arg, groups, device in {(run["norm_arg"], run["groups"], run["device"]) for run in runs.values()}:
        Net(str(norm_arg), int(groups))
        if scheduler is None:
            choose_device(str(device))

    given = "".join(f" -p {name} {value}" for name, value in overrides.items())
    command = f"normstudy sweep {Path(os.path.relpath(file, root)).as_posix()}{given}"
    table = study.sweep_tables(root, file.stem, dataset)[0]
    table.parent.mkdir(parents=True, exist_ok=True)
    try:
        lock = FileLock(table.with_name(f".{table.name}.lock")).acquire(timeout=0)
    except Timeout as error:
        raise StudyError(f"another sweep is at work on {table.relative_to(root)}") from error
    with lock:
        results = read(table, tuple(any_run))
        todo = {name: run for name, run in runs.items() if not _is_done(results.get(name))}
        report(len(runs) - len(todo), len(runs))
        if not todo:
            return table
        if scheduler:
            place = workers.dask(scheduler, dataset, tell)
        else:
            place = workers.processes(min(len(todo), jobs or max(1, cores() // int(any_run["threads"]))))
        failures: list[str] = []
        with place as submit:
            futures = {submit(run): name for name, run in todo.items()}
            for number, future in enumerate(as_completed(futures), len(runs) - len(todo) + 1):
                try:
                    rows = future.result()
                except BrokenProcessPool as error:
                    raise StudyError(
                        "a process was killed, perhaps for want of memory; the finished runs are kept, and the same "
                        "command goes on from there (with fewer --jobs it needs less memory)"
                    ) from error
                except (Exception, CancelledError) as error:
                    failures.append(f"{type(error).__name__}: {error}")
                else:
                    if not _is_done(rows):
                        raise StudyError("the workers have another version of normstudy; install this one there")
                    results[futures[future]] = rows
                    write(table, results, command)
                report(number - len(failures), len(runs))
    if failures:
        raise StudyError(
            f"{len(failures)} of {len(todo)} runs failed, the first with {' '.join(failures[0].split())}; the others "
            "are kept, and the same command tries these again"
        )
    return table


@dataclass(frozen=True)
class Shown:
    """The results of a sweep that a report shows.

    Attributes:
        rows: a row a run and epoch; the column `run` numbers the runs.
        dataset: what they were made on: the one that was asked for, or else `digits`.
        table: the Parquet file that they come from.
        origin: where they come from, a sentence each.
    """

    rows: pd.DataFrame
    dataset: str
    table: Path
    origin: list[str]


def results(root: Path, file: Path, dataset: str) -> Shown:
    """The results of all runs of a sweep file: one's own, or those published with the project, or else those on digits.

    If there are none at all, those on digits are made.
    """
    for choice in dict.fromkeys((dataset, "digits")):
        runs = expand(root, file, {"dataset": choice})
        for table in study.sweep_tables(root, file.stem, choice)[:2]:
            found = read(table, tuple(next(iter(runs.values()))))
            if found.keys() >= runs.keys():
                return _shown(root, file, dataset, choice, table, {name: found[name] for name in runs})
    sweep(root, file, {"dataset": "digits"})
    return results(root, file, dataset)


def _shown(root: Path, file: Path, asked: str, dataset: str, table: Path, found: Results) -> Shown:
    rows = [{"run": number, **row} for number, run in enumerate(found.values()) for row in run]
    frame = pd.DataFrame(rows)
    origin = []
    if dataset != asked:
        origin.append(
            f"These runs are on {dataset}, since there are none on {asked} yet: "
            f"`normstudy sweep params/{file.name} -p dataset {asked}` makes them."
        )
    makers = ", and ".join(figures.escape(maker) for maker in frame["made_by"].unique())
    published = "come with the project" if "results" in table.relative_to(root).parts else "were made here"
    origin.append(
        f"The results of these {len(found)} runs on {dataset} {published}. They were made by `{command_of(table)}` on: "
        f"{makers}."
    )
    older = frame.loc[frame["code"] != experiments.code(), "run"].nunique()
    if older:
        origin.append(
            f"{older} of the {len(found)} runs were made before the last change of the code that trains; "
            f"the same command makes them anew."
        )
    return Shown(frame, dataset, table, origin)


def _is_done(rows: list[dict[str, Any]] | None) -> bool:
    return bool(rows) and rows is not None and rows[-1].get("code") == experiments.code()
