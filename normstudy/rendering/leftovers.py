"""What Quarto makes beside the article on its way, removed where a render is aborted.

Quarto tells nobody of that: `python -m normstudy.rendering.leftovers PROCESS ROOT ARTICLE`
waits until Quarto's process is over.
"""

import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil


def remove(article: Path) -> None:
    """Remove what Quarto makes beside an article: its page, its PDF, their pictures, and the PDF's Typst."""
    for suffix in (".html", ".pdf", ".typ"):
        article.with_suffix(suffix).unlink(missing_ok=True)
    shutil.rmtree(article.with_name(f"{article.stem}_files"), ignore_errors=True)


def remove_if_aborted(process: int, root: Path, article: Path) -> None:
    """See to it that nothing is left beside the article if Quarto's process ends before `rendered` is called."""
    _mark(root).parent.mkdir(exist_ok=True)
    _mark(root).touch()
    subprocess.Popen(
        [sys.executable, "-m", "normstudy.rendering.leftovers", str(process), root, article],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what ends Quarto, such as Ctrl-C, is not to end this
    )


def rendered(root: Path, article: Path) -> None:
    """Say that a render has got to its end: what is left then is the Typst that `keep-typ` asks for, or nobody's."""
    _mark(root).unlink(missing_ok=True)
    if not (root / article).with_suffix(".typ").exists():
        remove(root / article)


def _mark(root: Path) -> Path:
    return root / ".quarto" / "rendering"


def _wait(process: int, root: Path, article: Path) -> None:
    with suppress(psutil.NoSuchProcess):
        quarto = psutil.Process(process)
        while _mark(root).exists() and quarto.is_running():
            with suppress(psutil.TimeoutExpired):
                quarto.wait(timeout=0.5)
    if _mark(root).exists():
        remove(root / article)
        _mark(root).unlink(missing_ok=True)


if __name__ == "__main__":
    _wait(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
