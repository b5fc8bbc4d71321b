"""Pandoc and Typst, the two engines inside Quarto, as programs that are called."""

import os
import subprocess
from pathlib import Path

import pypandoc
import typst

from normstudy.experiments.places import StudyError


class RenderError(StudyError):
    """The report cannot be made. The message is one line that names what is missing and where."""


def pandoc(text: str, *arguments: str | Path) -> str:
    """Run Pandoc on `text`; its warnings (a citation not found, a formula not understood) are errors."""
    command = [pypandoc.get_pandoc_path(), "--fail-if-warnings", *map(str, arguments)]
    run = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=False)
    if run.returncode:
        raise RenderError(run.stderr.strip().partition("\n")[0] or "Pandoc failed")
    return run.stdout


def typeset(source: Path, pdf: Path, root: Path) -> None:
    """Make a PDF of Typst's markup; its pictures lie in `root`.

    Raises:
        RenderError: Typst does not understand it.
    """
    date = os.environ.get("SOURCE_DATE_EPOCH", "")  # as reproducible builds have it
    try:
        typst.compile(source, output=pdf, root=root, timestamp=int(date) if date.isdecimal() else None)
    except typst.TypstError as error:
        raise RenderError(str(error).partition("\n")[0]) from error
