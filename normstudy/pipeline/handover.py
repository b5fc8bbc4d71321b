"""Handing the results of one dataset to the renderers: copies in `report/shown/`, numbers and claims for the text.

Numbers go to `_variables.yml`. Claims go to `report/_metadata.yml`: Quarto reads its project's own settings before the
step that makes them, but those of an article's folder after it. A chapter that shows published results of another
dataset, since this one's are not there, has the claim `elsewhere`.
"""

import importlib.metadata
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from normstudy.experiments.places import StudyError
from normstudy.machine import whole
from normstudy.pipeline.plan import Run

OUTPUTS = ("text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain")
"""The kinds of output that a report shows. HTML and JavaScript would run in it."""

ADDRESSES = {"site": "site-url", "repository": "repo-url"}
"""The text's names for settings of the website."""


def publish(root: Path, runs: Sequence[Run]) -> None:
    """Bring `report/shown/`, `_variables.yml` and `report/_metadata.yml` in line with the results.

    A file is written only when its bytes change, since a preview starts again whenever one is written; and aside, so
    that there is always a whole one.

    Raises:
        StudyError: a result is missing, or a file cannot be written.
    """
    shown = root / "report" / "shown"
    wanted: dict[Path, bytes] = {}
    claims: dict[str, dict[str, bool | None]] = {}
    values: dict[str, Any] = {"dataset": str(runs[0].parameters["dataset"]), **about(root)}
    for run in runs:
        if not run.notebook.is_file():
            raise StudyError(f"{run.name} has no result on {values['dataset']}; 'normstudy run {run.name}' makes it")
        wanted[shown / run.notebook.name] = _shown(run.notebook.read_text(encoding="utf-8"))
        values[run.name] = variables(run)
        claims[run.name] = values[run.name].pop("claims", {})
        if "dataset" in values[run.name]:
            claims[run.name]["elsewhere"] = values[run.name]["dataset"] != values["dataset"]
        for file in run.folder.iterdir():
            if file.name not in (run.notebook.name, "record.json", "variables.json"):
                wanted[shown / run.name / file.name] = file.read_bytes()
    wanted[root / "_variables.yml"] = yaml.safe_dump(values, sort_keys=True, allow_unicode=True).encode()
    wanted[root / "report" / "_metadata.yml"] = yaml.safe_dump({"claims": worded(claims)}).encode()
    for file, content in wanted.items():
        if not file.is_file() or file.read_bytes() != content:
            try:
                whole.write(file, content)
            except OSError as error:
                raise StudyError(f"{file} cannot be written: {error.strerror or error}") from error
    for file in [file for file in shown.rglob("*") if file.is_file() and file not in wanted]:
        file.unlink()


def about(root: Path) -> dict[str, str]:
    """The version of the project, and the addresses of its site and its repository, empty until it has them.

    `source` is what a link to the repository is called, empty where it would lead nowhere.
    """
    website = yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8")).get("website", {})
    addresses = {name: website.get(key, "").rstrip("/") for name, key in ADDRESSES.items()}
    source = "Source" if addresses["repository"] else ""
    return {"version": importlib.metadata.version("normstudy"), "source": source, **addresses}


def variables(run: Run) -> dict[str, Any]:
    """The values that a run has left for the text; what is text among them is `harmless`."""
    file = run.folder / "variables.json"
    return dict(_harmless(json.loads(file.read_text(encoding="utf-8")))) if file.is_file() else {}


def _harmless(value: Any) -> Any:
    """A value whose text, and that of what it holds, is `harmless`."""
    if isinstance(value, dict):
        return {name: _harmless(part) for name, part in value.items()}
    return harmless(value) if isinstance(value, str) else value


def worded(claims: Mapping[str, Mapping[str, bool | None]]) -> dict[str, dict[str, dict[str, bool]]]:
    """Claims by chapter and name, which of three wordings each has: it holds, it fails, or it is left open (None)."""
    wordings = {"holds": True, "fails": False, "open": None}
    return {
        chapter: {
            name: {wording: value is wanted for wording, wanted in wordings.items()} for name, value in named.items()
        }
        for chapter, named in claims.items()
    }


def harmless(markdown: str) -> str:
    """Markdown without what could run something when the report is opened: markup, attributes, shortcodes, metadata.

    Their signs are escaped, so that they read as they stand. The notebooks of this project use none of them.
    What is a link is decided where the document has been parsed: `report/links.lua`.
    """
    escaped = re.sub(r"(?<!\\)((?:\\\\)*)([<{])", r"\1\\\2", markdown)
    return re.sub(r"^(\s*)(---+|\.\.\.)(\s*)$", r"\1\\\2\3", escaped, flags=re.MULTILINE)


def _literal(lines: str | list[str]) -> str:
    """Text of a block of code in which no line ends the block, or begins what Quarto takes for metadata even there."""
    return re.sub(r"^ {0,3}(?=```|---[ \t]*$)", "    ", "".join(lines), flags=re.MULTILINE)


def _shown(notebook: str) -> bytes:
    """A notebook as the renderers get it: harmless wherever it comes from, its figures' text alternatives as options.

    A cell option is where Quarto looks for them.
    """
    content = json.loads(notebook)
    content["cells"] = [cell for cell in content["cells"] if cell["cell_type"] != "raw"]
    for cell in content["cells"]:
        cell["metadata"] = {
            name: value for name, value in cell.get("metadata", {}).items() if name in ("tags", "papermill")
        }
        if cell["cell_type"] == "markdown":
            cell["source"] = harmless("".join(cell["source"])).splitlines(keepends=True)
            continue
        lines = _literal(cell["source"]).splitlines(keepends=True)
        lines = [line for line in lines if not line.lstrip().startswith("#|") or line.startswith("#| label: ")]
        for output in cell["outputs"]:
            data = {mime: value for mime, value in output.get("data", {}).items() if mime in OUTPUTS}
            if "text/markdown" in data:
                data["text/markdown"] = harmless("".join(data["text/markdown"]))
            if "text/plain" in data:
                data["text/plain"] = _literal(data["text/plain"])
            if "data" in output:
                output["data"] = data
            if "text" in output:
                output["text"] = _literal(output["text"])
            if alt := output.get("metadata", {}).get("image/svg+xml", {}).get("alt"):
                lines.insert(0, f"#| fig-alt: {json.dumps(alt, ensure_ascii=False)}\n")
        cell["source"] = lines
    return json.dumps(content, ensure_ascii=False).encode()
