"""From sources and executed notebooks to the report: by Quarto where it is installed, otherwise by Pandoc and Typst."""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psutil
import pypandoc
import yaml

from normstudy.rendering import leftovers, pages, writers
from normstudy.rendering.engines import RenderError
from normstudy.rendering.settings import article_of, read
from normstudy.rendering.sources import Article

__all__ = ["RenderError", "find_quarto", "finish", "render", "renderer"]

REPORT = "_report"
CALLER = "NORMSTUDY_RENDER"  # tells the project's scripts that Quarto is called from here, and they have nothing to do
UNRESOLVED = re.compile(r"Unable to resolve crossref (\S+)|[Cc]itation (\S+) not found")
REDIRECT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="refresh" content="0; url={page}"><link rel="canonical" href="{page}">
</head><body><p><a href="{page}">{title}</a></p></body></html>
"""


def find_quarto() -> str | None:
    """Quarto's program: beside this Python, as where its environment is activated, or else on the PATH."""
    return shutil.which("quarto", path=str(Path(sys.executable).parent)) or shutil.which("quarto")


def renderer(quarto: str | None) -> str:
    """What makes the report, with its version: Quarto's program, or else Pandoc and Typst.

    Raises:
        RenderError: the program does not run.
    """
    if quarto is None:
        engines = f"Pandoc {pypandoc.get_pandoc_version()} and Typst {version('typst')}"
        return f"{engines}, for a plainer report: Quarto is neither beside this Python nor on the PATH"
    try:
        run = subprocess.run([quarto, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise RenderError(f"{quarto} --version: {error.strerror or error}") from error
    if run.returncode:
        said = run.stderr.strip().splitlines() or [f"exit code {run.returncode}"]
        raise RenderError(f"{quarto} --version: {said[-1]}")
    return f"Quarto {run.stdout.strip()} ({quarto})"


def render(root: Path, profile: str | None = None, quarto: str | None = None) -> list[Path]:
    """Make the report from the article that `_quarto.yml` names, and return its page and its PDF.

    Without Quarto, the environment's SOURCE_DATE_EPOCH, in seconds since 1970, is the date that the PDF bears.

    Args:
        root: the project's folder, with `_quarto.yml` and what a run has made for the report.
        profile: the profile whose `_quarto-<profile>.yml`, where there is one, is added to the settings.
        quarto: Quarto's program; without it, Pandoc and Typst make a plainer report.

    Raises:
        RenderError: something that the article names is missing, a label is given twice, or a file cannot be written.
            An earlier report stays.
        ValueError: there is a file where the report's folder has to be.
    """
    root = root.resolve()
    try:
        article = article_of(root)
        with in_place_of_earlier(root) as made:
            if quarto:
                files = with_quarto(quarto, root, article, made, profile)
                complete(made, print)
            else:
                files = with_pandoc(root, article, made, profile)
    except OSError as error:
        raise RenderError(f"{error.filename2 or error.filename or root}: {error.strerror or error}") from error
    return [root / REPORT / file.relative_to(made) for file in files]


@contextmanager
def in_place_of_earlier(root: Path) -> Iterator[Path]:
    """A folder yet to be made, which becomes the report in the end: the earlier one stays until then.

    What a killed command left behind is put right first.

    Raises:
        ValueError: there is a file where the report's folder has to be.
    """
    output = root / REPORT
    if output.exists() and not output.is_dir():
        raise ValueError(f"{output} is a file; the report's folder takes its place")
    scratch = root / ".quarto"  # Quarto's own folder for what it makes on the way
    scratch.mkdir(exist_ok=True)
    for leftover in scratch.glob("report-*-*"):
        if not psutil.pid_exists(int(leftover.name.split("-")[1])):  # its command was killed
            if (leftover / "earlier").is_dir() and not output.exists():
                (leftover / "earlier").rename(output)
            shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"report-{os.getpid()}-") as aside:
        made = Path(aside) / "report"
        yield made
        if output.exists():
            output.rename(Path(aside) / "earlier")
        made.rename(output)


def with_quarto(quarto: str, root: Path, article: Path, output: Path, profile: str | None) -> list[Path]:
    """Render all formats in one call of Quarto, and read its log: what does not resolve is only a warning to it."""
    known = ["--profile", profile] if profile and (root / f"_quarto-{profile}.yml").is_file() else []
    try:
        run = subprocess.run(
            [quarto, "render", "--output-dir", output.relative_to(root), *known],
            cwd=root,
            env=os.environ | {"QUARTO_PYTHON": sys.executable, CALLER: "yes", "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            check=False,
        )
    finally:
        leftovers.remove(root / article)
    missing = sorted({first or second for first, second in UNRESOLVED.findall(run.stdout)})
    if missing:
        raise RenderError(f"{article}: not resolved: {', '.join(missing)}")
    lines = [line for line in run.stdout.splitlines() if line.strip()]
    files = [output / article.with_suffix(suffix) for suffix in (".html", ".pdf")]
    if run.returncode or not all(file.exists() for file in files):  # quarto-cli of the package index exits with 0
        why = (line for line in lines if re.search("ERROR|error:", line))
        raise RenderError(next(why, lines[-1] if lines else "Quarto failed"))
    return files


def complete(made: Path, say: Callable[[str], None]) -> None:
    """Make the pages that Quarto made whole, and take the sources out that are there for `quarto preview` to watch."""
    for line in pages.make_whole(made):
        say(line)
    for source in list(made.rglob("*.qmd")):
        source.unlink()
        if not any(source.parent.iterdir()):
            source.parent.rmdir()


def finish(root: Path, made: Path, say: Callable[[str], None] = print) -> None:
    """Put what `quarto render` has made in the place of the earlier report, and say where that is.

    A format that was not rendered this time stays as it was.

    Raises:
        RenderError: a file cannot be written. An earlier report stays.
    """
    article = article_of(root)
    leftovers.rendered(root, article)
    page, pdf = (article.with_suffix(suffix) for suffix in (".html", ".pdf"))
    try:
        complete(made, say)
        with in_place_of_earlier(root) as report:
            if not ((made / page).exists() and (made / pdf).exists()) and (root / REPORT).exists():
                shutil.copytree(root / REPORT, report)
            shutil.copytree(made, report, dirs_exist_ok=True)
            if not (report / page).exists():
                (report / "index.html").unlink(missing_ok=True)  # which would lead there
    except (OSError, ValueError) as error:
        raise RenderError(f"the report stays in {made}: {error}") from error
    for file in (page, pdf):
        if (root / REPORT / file).exists():
            say(f"{root / REPORT / file}{'' if (made / file).exists() else ' (as it was)'}")


def with_pandoc(root: Path, article: Path, output: Path, profile: str | None) -> list[Path]:
    """Make the article's page and PDF, the pages of the notebooks it embeds, and the page at the root."""
    settings, values = read(root, article, profile), root / "_variables.yml"
    variables = yaml.safe_load(values.read_text(encoding="utf-8")) if values.is_file() else {}
    patterns = [*settings["project"].get("resources", []), *settings.get("resources", [])]
    for pattern in patterns + settings.get("format", {}).get("html", {}).get("resources", []):
        for file in root.glob(pattern[1:] + "/*" if pattern.endswith("**") else pattern[1:]):
            if file.is_file() and file.suffix != ".qmd":  # which are there for quarto preview to watch
                copied = output / file.relative_to(root)
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copied)
    folder = (output / article).parent
    folder.mkdir(parents=True, exist_ok=True)
    page, pdf = writers.make(Article(root, root / article, folder, settings, variables or {}))
    if page.parent != output:
        title = html.escape(str(settings.get("title", page.stem)))
        text = REDIRECT.format(title=title, page=page.relative_to(output).as_posix())
        (output / "index.html").write_text(text, encoding="utf-8")
    return [page, pdf]
