"""What Quarto leaves beside the article when its render is aborted."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from normstudy.rendering import leftovers
from tests.watching import becomes_true

ARTICLE = Path("report", "index.qmd")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in the midst of a render."""
    for name in ("index.qmd", "index.html", "index.pdf", "index.typ", "index_files/figure-html/a.svg", "finish.py"):
        (tmp_path / "report" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "report" / name).touch()
    return tmp_path


def left(root: Path) -> set[str]:
    return {path.name for path in (root / "report").iterdir()}


@pytest.fixture
def quarto() -> subprocess.Popen[bytes]:
    """A process that stands for Quarto's."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def begin(quarto: subprocess.Popen[bytes], root: Path) -> None:
    """What a script does that Quarto calls before it renders."""
    call = f"remove_if_aborted({quarto.pid}, Path({str(root)!r}), Path('{ARTICLE}'))"
    program = f"from normstudy.rendering.leftovers import *; {call}"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_all_of_it_is_removed_when_quarto_ends_before_its_time(root: Path, quarto: subprocess.Popen[bytes]):
    begin(quarto, root)
    time.sleep(1)
    assert "index.html" in left(root), "Quarto needs it"
    quarto.kill()
    quarto.wait()
    assert becomes_true(lambda: left(root) == {"index.qmd", "finish.py"})
    assert becomes_true(lambda: not list((root / ".quarto").iterdir()))


def test_the_typst_that_was_asked_for_stays_with_its_pictures(root: Path, quarto: subprocess.Popen[bytes]):
    begin(quarto, root)
    time.sleep(1.3)
    leftovers.rendered(root, ARTICLE)
    quarto.kill()
    quarto.wait()
    time.sleep(1)
    assert {"index.typ", "index_files"} <= left(root)


def test_without_it_the_pictures_go_that_quarto_forgets(root: Path):
    (root / "report" / "index.typ").unlink()
    leftovers.rendered(root, ARTICLE)
    assert left(root) == {"index.qmd", "finish.py"}
