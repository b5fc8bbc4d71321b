"""A project with nothing in it but what sweeps need, and reading back what they left."""

from pathlib import Path
from typing import Any

from normstudy.experiments import places, provenance, sweep_files, tables
from tests.commands import ROOT


def make_project(folder: Path) -> Path:
    """A project's folder with nothing in it but what a sweep needs."""
    (folder / "report").mkdir()
    (folder / "report" / "notebooks").symlink_to(ROOT / "report" / "notebooks")
    (folder / "params").mkdir()
    (folder / "_quarto.yml").touch()
    return folder


def write(project: Path, text: str, name: str = "grid") -> Path:
    """Write a sweep file."""
    file = project / "params" / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def untimed(results: tables.Results) -> tables.Results:
    """Results without the seconds that they took."""
    return {
        name: [{column: value for column, value in row.items() if column != "seconds"} for row in rows]
        for name, rows in results.items()
    }


def stored(project: Path, file: Path) -> tables.Results:
    """What the project's own table holds of a sweep file's results."""
    runs = sweep_files.expand(project, file, {})
    return tables.read(places.sweep_tables(project, file.stem, "digits")[0], tuple(next(iter(runs.values()))))


def invented(project: Path, file: Path, **changes: Any) -> tables.Results:
    """Results of a sweep file that nobody made: two epochs a run."""
    row = {"code": provenance.fingerprint(), "made_by": "a machine", "test_accuracy": 0.5} | changes
    return {
        name: [{**run, "epoch": epoch, **row} for epoch in (1, 2)]
        for name, run in sweep_files.expand(project, file, {}).items()
    }
