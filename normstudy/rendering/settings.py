"""The settings of a report: Quarto's files, and what stands above the article's text."""

import re
from pathlib import Path
from typing import Any

import yaml

from normstudy.rendering.engines import RenderError

PATHS = ("bibliography", "css", "filters", "include-in-header", "resources")
"""Settings that name files, relative to the file they stand in; or hold text, as `{text: …}`."""


def article_of(root: Path) -> Path:
    """The article that `_quarto.yml` names, relative to the project's root.

    Raises:
        RenderError: there is no `_quarto.yml`.
    """
    if not (root / "_quarto.yml").is_file():
        raise RenderError(f"{root}: there is no _quarto.yml")
    settings = yaml.safe_load((root / "_quarto.yml").read_text(encoding="utf-8"))
    return next(Path(name) for name in settings["project"]["render"] if name.endswith(".qmd"))


def read(root: Path, article: Path, profile: str | None) -> dict[str, Any]:
    """All settings that hold for an article; paths in them begin with the project's /."""
    found: dict[str, Any] = {}
    for file in (root / "_quarto.yml", root / f"_quarto-{profile}.yml"):
        if file.is_file():
            found = merged(found, rooted(yaml.safe_load(file.read_text(encoding="utf-8")) or {}, Path("/")))
    header, _ = split_header((root / article).read_text(encoding="utf-8"))
    beside = root / article.parent / "_metadata.yml"
    made = (yaml.safe_load(beside.read_text(encoding="utf-8")) if beside.is_file() else None) or {}
    return dict(merged(merged(found, rooted(made, "/" / article.parent)), rooted(header, "/" / article.parent)))


def split_header(text: str) -> tuple[dict[str, Any], str]:
    """The YAML header of a source file, and the text below it."""
    match = re.match(r"---\n(.*?\n)(?:---|\.\.\.)\n", text, re.DOTALL)
    return (yaml.safe_load(match[1]) or {}, text[match.end() :]) if match else ({}, text)


def rooted(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Settings with their paths, which are relative to `folder`, made relative to the project's root, with a /."""

    def at(path: str | dict[str, str]) -> str | dict[str, str]:
        if isinstance(path, dict) and "path" not in path:
            return path
        return (folder / (path["path"] if isinstance(path, dict) else path)).as_posix()

    changed = {key: [at(path) for path in listed(settings[key])] for key in PATHS if key in settings}
    inner = {key: rooted(value, folder) for key, value in settings.items() if isinstance(value, dict)}
    return settings | changed | inner


def merged(first: Any, second: Any) -> Any:
    """Two settings as Quarto merges them: maps key by key, lists one after the other, else the second, if any."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {key: merged(first.get(key), value) for key, value in second.items()}
    if isinstance(first, list) and isinstance(second, list):
        return first + second
    return first if second is None else second


def listed(value: Any) -> list[Any]:
    """A setting that may be absent, one value or a list, as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]
