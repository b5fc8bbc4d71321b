"""Whether this code gives the numbers of that of another commit, to the bit: `python -m tests.same_numbers COMMIT`.

Results take hours, and a change of the code that makes them need not change them. Of every published table, or of those
that are named (`mnist/depth`), a few runs of each normalization are made by both, on every tenth image of MNIST and on
all of the digits. Where nothing differs, `provenance.SAME` may say so.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from normstudy.experiments import sweep_files
from normstudy.experiments.parameters import Value
from tests.commands import ROOT, environment

OF_EACH = 2  # runs of each table and normalization
UNLIKE = ("code", "seconds")  # the columns that may differ
PROGRAM = """
import json, sys
from dataclasses import replace
from normstudy import data
from normstudy.experiments import provenance, single

found = []
for run in json.load(sys.stdin):
    dataset = data.load(run["dataset"])
    if run["dataset"] != "digits":
        names = ("train_images", "train_labels", "test_images", "test_labels")
        dataset = replace(dataset, **{name: getattr(dataset, name)[::10].clone() for name in names})
    found.append(single.run(run, dataset))
print(json.dumps([str(provenance.PACKAGE.parent), provenance.fingerprint(), found]))
"""


class Made(NamedTuple):
    """What some code makes of some runs."""

    code: str  # its fingerprint
    runs: list[list[dict[str, Any]]]  # the rows of each


def published() -> list[str]:
    """The published tables, as `mnist/depth`."""
    return [f"{table.parent.name}/{table.stem}" for table in sorted((ROOT / "report/results").glob("*/*.parquet"))]


def sample(table: str) -> list[dict[str, Value]]:
    """The parameters of a few runs of each normalization in a table, the same each time."""
    dataset, name = table.split("/")
    runs = sweep_files.expand(ROOT, ROOT / "params" / f"{name}.yaml", {"dataset": dataset}).values()
    chance = random.Random(table)
    return [
        run
        for norm_arg in sorted({str(run["norm_arg"]) for run in runs})
        for run in chance.sample([run for run in runs if run["norm_arg"] == norm_arg], OF_EACH)
    ]


def made_in(folder: Path, runs: Sequence[dict[str, Value]]) -> Made:
    """What the package in this folder makes of these runs."""
    command = [sys.executable, "-P", "-c", PROGRAM]
    asked = json.dumps(runs)
    done = subprocess.run(command, env=environment(folder), input=asked, stdout=subprocess.PIPE, text=True, check=True)
    imported, code, rows = json.loads(done.stdout)
    if imported != str(folder):
        raise RuntimeError(f"the package was imported from {imported}, and not from {folder}")
    return Made(code, rows)


def differences(ours: Made, theirs: Made) -> list[str]:
    """A line for each run whose rows differ: which columns do."""
    lines = []
    for here, there in zip(ours.runs, theirs.runs, strict=True):
        names = sorted({name for row in (*here, *there) for name in row if name not in UNLIKE})
        columns = [name for name in names if _as_text(here, name) != _as_text(there, name)]
        if columns or len(here) != len(there):
            about = {name: here[0].get(name) for name in ("dataset", "norm_arg", "seed", "epochs")}
            lines.append(f"{about}: {len(here)} rows here, {len(there)} there; {', '.join(columns)} differ")
    return lines


def _as_text(rows: list[dict[str, Any]], name: str) -> str:
    return repr([row.get(name) for row in rows])  # in which a NaN is like another


def compare(commit: str, runs: Sequence[dict[str, Value]]) -> tuple[Made, Made]:
    """What this code and that of a commit make of these runs, side by side."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        archive = subprocess.run(["git", "archive", commit, "normstudy"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        ours, theirs = pool.map(made_in, (ROOT, Path(folder).resolve()), (runs, runs))
    return ours, theirs


def main() -> None:
    """Say which of the sampled runs differ; fail if any does."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("commit")
    parser.add_argument("table", nargs="*", default=published(), help="such as mnist/depth; all, if none is named")
    asked = parser.parse_args()
    runs = [run for table in asked.table for run in sample(table)]
    ours, theirs = compare(asked.commit, runs)
    different = differences(ours, theirs)
    print(*different, sep="\n", end="\n" if different else "")
    print(f"{len(different)} of {len(runs)} runs differ between {ours.code} (here) and {theirs.code} ({asked.commit})")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
