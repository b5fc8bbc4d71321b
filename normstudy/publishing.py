"""Handing the results of one dataset to the renderers: copies in `report/shown/`, and `_variables.yml` for the text."""

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from normstudy.study import Run, StudyError


def publish(root: Path, runs: Sequence[Run]) -> None:
    """Bring `report/shown/` and `_variables.yml` in line with the results.

    A file is written only when its bytes change, since a preview starts again whenever one is written; and aside, so
    that there is always a whole one.

    Raises:
        StudyError: a result is missing, or a file cannot be written.
    """
    shown = root / "report" / "shown"
    wanted: dict[Path, bytes] = {}
    values: dict[str, Any] = {"dataset": str(runs[0].parameters["dataset"])}
    for run in runs:
        if not run.notebook.is_file():
            raise StudyError(f"{run.name} has no result on {values['dataset']}; 'normstudy run {run.name}' makes it")
        wanted[shown / run.notebook.name] = _with_alternatives(run.notebook.read_text(encoding="utf-8"))
        values[run.name] = variables(run)
        for file in run.folder.iterdir():
            if file.name not in (run.notebook.name, "record.json", "variables.json"):
                wanted[shown / run.name / file.name] = file.read_bytes()
    wanted[root / "_variables.yml"] = yaml.safe_dump(values, sort_keys=True, allow_unicode=True).encode()
    for file, content in wanted.items():
        if not file.is_file() or file.read_bytes() != content:
            aside = file.with_name(f".{file.name}.aside")
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                aside.write_bytes(content)
                aside.replace(file)
            except OSError as error:
                with suppress(OSError):
                    aside.unlink()
                raise StudyError(f"{file} cannot be written: {error.strerror or error}") from error
    for file in [file for file in shown.rglob("*") if file.is_file() and file not in wanted]:
        file.unlink()


def variables(run: Run) -> dict[str, Any]:
    """The values that a run has left for the text."""
    file = run.folder / "variables.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else {}


def _with_alternatives(notebook: str) -> bytes:
    """The notebook with each figure's text alternative as a cell option, where Quarto looks for it."""
    content = json.loads(notebook)
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:
                cell["source"] = [f"#| fig-alt: {json.dumps(alt, ensure_ascii=False)}\n", *cell["source"]]
    return json.dumps(content, ensure_ascii=False).encode()
