"""Tables of results: a Parquet file for each sweep and dataset, a row a run and epoch."""

import errno
import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from normstudy.experiments import places, sweep_files
from normstudy.experiments.parameters import VARIANTS
from normstudy.experiments.places import StudyError
from normstudy.machine import whole
from normstudy.normalizations import ordered

FORMAT = "1"

NEEDED = {*VARIANTS, "none"}
"""What results must have, where a sweep file asks for it, to be shown without another normalization."""

Results = dict[str, list[dict[str, Any]]]
"""The rows of each run, by the `key` of its parameters."""


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
        model = {"model": row["model"]} if row.get("model") else {}
        run = {name: row.get(name) for name in names if name != "model"} | model
        results.setdefault(sweep_files.key(run), []).append(row)
    return results


def command_of(file: Path) -> str | None:
    """The command that made a table of results; None if the file is no such table of this version."""
    metadata = pq.read_metadata(file).metadata or {}
    return metadata[b"command"].decode() if metadata.get(b"format") == FORMAT.encode() else None


def write(file: Path, results: Results, command: str) -> None:
    """Write results aside and move them into place: there is always a whole table.

    Raises:
        StudyError: the table cannot be written.
    """
    rows = list(itertools.chain.from_iterable(results.values()))
    columns = dict.fromkeys(itertools.chain.from_iterable(rows))
    table = pa.Table.from_pylist([{column: row.get(column) for column in columns} for row in rows])
    content = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"format": FORMAT, "command": command}), content, compression="zstd")
    try:
        whole.write(file, content.getvalue().to_pybytes())
    except OSError as error:
        raise StudyError(f"{file} cannot be written: {os.strerror(error.errno or errno.EIO)}") from error


@dataclass(frozen=True)
class Shown:
    """The results of a sweep that a report shows.

    Attributes:
        rows: a row a run and epoch; the column `run` numbers the runs, which are in the order of the normalizations.
        asked: the dataset that was asked for.
        dataset: what they were made on: the same, or else `digits`.
        sweep: the sweep file.
        table: the Parquet file that they come from.
        lacking: the normalizations that the sweep file asks for and that the table has no run of.
    """

    rows: pd.DataFrame
    asked: str
    dataset: str
    sweep: Path
    table: Path
    lacking: list[str]


def results(root: Path, file: Path, dataset: str) -> Shown:
    """The results of all runs of a sweep file: one's own, or those published with the project, or else those on digits.

    Results that were made before a normalization was added are shown without it, if they have those of `NEEDED`.

    Raises:
        StudyError: there are none, or a table is damaged.
    """
    for choice in dict.fromkeys((dataset, "digits")):
        runs = sweep_files.expand(root, file, {"dataset": choice})
        for table in places.sweep_tables(root, file.stem, choice)[:2]:
            found = read(table, tuple(next(iter(runs.values()))))
            there = {run["norm_arg"] for name, run in runs.items() if name in found}
            lacking = ordered({str(run["norm_arg"]) for run in runs.values()} - there)
            wanted = [name for name, run in runs.items() if run["norm_arg"] in there]
            if wanted and found.keys() >= set(wanted) and not NEEDED & set(lacking):
                return Shown(_frame([found[name] for name in wanted]), dataset, choice, file, table, lacking)
    raise StudyError(f"not all runs of params/{file.name} are there; 'normstudy sweep params/{file.name}' makes them")


def _frame(runs: list[list[dict[str, Any]]]) -> pd.DataFrame:
    names = ordered(run[0]["norm_arg"] for run in runs)
    runs = sorted(runs, key=lambda run: names.index(run[0]["norm_arg"]))
    return pd.DataFrame([{"run": number, **row} for number, run in enumerate(runs) for row in run])
