"""A notebook's page is made again where what it is made of has changed, and only there."""

from pathlib import Path

import pytest

from normstudy.rendering import previews

MADE_OF = ("_quarto.yml", "_quarto-digits.yml", "report/index.qmd", "report/links.lua", "report/shown/batch.ipynb")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the page of a notebook in its report."""
    monkeypatch.setenv("QUARTO_PROFILE", "digits")
    monkeypatch.setenv("QUARTO_SHARE_PATH", str(tmp_path))
    shown = tmp_path / "_report" / "report" / "shown"
    (shown / "batch_files").mkdir(parents=True)
    for name in ("batch-preview.html", "batch.out.ipynb", "batch_files/a.svg"):
        (shown / name).write_text("<html><head></head></html>")
    (tmp_path / "report" / "shown").mkdir(parents=True)
    for name in (*MADE_OF, "version", "report/report.css"):
        (tmp_path / name).write_text("as it was")
    previews.mark(tmp_path, tmp_path / "_report")
    return tmp_path


def restored(root: Path) -> set[str]:
    previews.restore(root, root / "output")
    return {file.name for file in (root / "output").rglob("*") if file.is_file()}


@pytest.mark.parametrize("other", [None, "report/report.css"])
def test_a_page_that_would_come_out_the_same_is_used_again_with_its_pictures(root: Path, other: str | None):
    if other:  # to which a page only leads
        (root / other).write_text("changed")
    assert restored(root) == {"batch-preview.html", "batch.out.ipynb", "a.svg"}


@pytest.mark.parametrize("changed", [*MADE_OF, "version"])
def test_another_is_made_again(root: Path, changed: str):
    (root / changed).write_text("changed")
    assert restored(root) == set()


def test_what_a_page_is_made_of_is_said_once(root: Path):
    page = root / "_report" / "report" / "shown" / "batch-preview.html"
    before = page.read_text()
    previews.mark(root, root / "_report")
    assert page.read_text() == before
    assert before.count("made-of") == 1
