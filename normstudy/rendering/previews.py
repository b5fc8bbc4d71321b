"""Quarto's pages of notebooks: those of the last report are used again where nothing has changed that they are made of.

Ten of them take Quarto as long as all else. It makes none that is in its output folder and younger than its notebook.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

REPORT = "_report"
MARK = '<meta name="made-of" content="{}">'


def restore(root: Path, output: Path) -> None:
    """Before Quarto renders: put the pages of the last report that would come out the same into its output folder."""
    for notebook, page in _pages(root, root / REPORT):
        if _mark(root, notebook) in page.read_text(encoding="utf-8"):
            place = output / page.parent.relative_to(root / REPORT)
            place.mkdir(parents=True, exist_ok=True)
            for file in (page, page.with_name(f"{notebook.stem}.out.ipynb")):
                shutil.copyfile(file, place / file.name)
            if (pictures := page.with_name(f"{notebook.stem}_files")).is_dir():
                shutil.copytree(pictures, place / pictures.name, dirs_exist_ok=True)


def mark(root: Path, output: Path) -> None:
    """After Quarto has rendered: say in each page what it is made of."""
    for notebook, page in _pages(root, output):
        text = page.read_text(encoding="utf-8")
        if (said := _mark(root, notebook)) not in text:
            page.write_text(text.replace("<head>", f"<head>{said}", 1), encoding="utf-8")


def _pages(root: Path, report: Path) -> Iterator[tuple[Path, Path]]:
    """The notebooks of the report that have a page, and that page."""
    for notebook in sorted((root / "report" / "shown").glob("*.ipynb")):
        page = report / notebook.relative_to(root).with_name(f"{notebook.stem}-preview.html")
        if page.is_file():
            yield notebook, page


def _mark(root: Path, notebook: Path) -> str:
    """What a page of a notebook is made of, as it stands in the page: all settings, and Quarto's version."""
    profiles = [root / f"_quarto-{name}.yml" for name in os.environ.get("QUARTO_PROFILE", "").split(",")]
    version = Path(os.environ.get("QUARTO_SHARE_PATH", "")) / "version"
    sources = [notebook, root / "_quarto.yml", *profiles, version]
    sources += [*(root / "report").glob("*.qmd"), *(root / "report").glob("*.lua")]
    made_of = hashlib.sha256()
    for source in sorted(sources):
        made_of.update(source.read_bytes() if source.is_file() else b"")
        made_of.update(b"\0")
    return MARK.format(made_of.hexdigest())
