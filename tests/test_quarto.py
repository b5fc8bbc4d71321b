"""Quarto and this project: what it finds here, and what it leaves."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from normstudy.rendering.render import find_quarto
from tests.commands import ROOT, command, stand_in
from tests.toy import VARIANT, spoil, write_toy
from tests.watching import becomes_true, contents

pytestmark = pytest.mark.slow

SOURCES = [ROOT / "report" / "index.qmd", *sorted((ROOT / "report" / "sections").glob("*.qmd"))]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_source_makes_quarto_write_typst_that_asks_for_a_package(source):
    # Without a network there would be no PDF. Quarto 1.7 imports one for every callout and for every theorem.
    theorems = "thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg"
    assert not re.findall(rf"\.callout-\w+|#(?:{theorems})-\w+|@preview", source.read_text(encoding="utf-8"))


MAKES_A_REPORT = """
case $1 in
  --version) echo 1.9.1 ;;
  render) mkdir -p $3/report && echo page >$3/report/index.html && echo pages >$3/report/index.pdf ;;
esac
"""


def test_quarto_that_lies_in_the_environment_alone_makes_the_report_and_is_named_first(tmp_path: Path):
    environment, project = tmp_path / "environment", tmp_path / "project"
    quarto = stand_in(environment / "bin" / "quarto", MAKES_A_REPORT)
    for name in ("bin/python", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    project.mkdir()
    write_toy(project)
    (project / "_quarto.yml").write_text("project: {type: website, render: [report/index.qmd]}\n")
    (project / "report" / "index.qmd").write_text("---\ntitle: A\n---\n")
    program = "from normstudy import cli; cli._prepare = lambda *_: None; cli.main()"  # no notebook is needed for that
    said = command(project, str(environment / "bin" / "python"), "-c", program, "render", "--dataset", "digits")
    assert said.returncode == 0, said.stderr
    first, *_, page, pdf = said.stdout.splitlines()
    assert first == f"Renderer: Quarto 1.9.1 ({quarto})"
    assert Path(page).read_text() == "page\n"
    assert Path(pdf).read_text() == "pages\n"


@pytest.mark.parametrize("script", ["report/prepare.py", "report/finish.py"])
def test_without_the_environment_one_line_says_how_to_activate_it(script: str):
    said = subprocess.run([sys.executable, "-I", "-S", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert said.stdout == ""
    (line,) = said.stderr.splitlines()
    assert "'source .venv/bin/activate'" in line
    assert sys.executable in line


@pytest.fixture(scope="module")
def rendered(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short article in a project with these settings and scripts, rendered by Quarto."""
    if find_quarto() is None:
        pytest.skip("Quarto is not installed")
    root = shutil.copytree(finished, tmp_path_factory.mktemp("short") / "project")
    others = shutil.ignore_patterns("executed", "shown", "notebooks", "sections", "results", "index*", "__pycache__")
    shutil.copytree(ROOT / "report", root / "report", ignore=others, dirs_exist_ok=True)
    for settings in ROOT.glob("_quarto*.yml"):
        shutil.copy(settings, root)
    (root / "report" / "index.qmd").write_text("---\ntitle: A\n---\n\n{{< include sections/_more.qmd >}}\n")
    (root / "report" / "sections").mkdir()
    (root / "report" / "sections" / "_more.qmd").write_text("Its first wording.\n")
    made = command(root, "quarto", "render", "--profile", "digits")
    assert made.returncode == 0, made.stdout + made.stderr
    said = made.stdout.splitlines()  # to which Quarto itself does not write
    assert said[-2:] == [str(root / "_report" / "report" / name) for name in ("index.html", "index.pdf")]
    assert unexpected(root) == set()
    return root


@pytest.fixture
def short(rendered: Path, tmp_path: Path) -> Path:
    """A copy of it, with another wording."""
    copy = shutil.copytree(rendered, tmp_path / "project")
    (copy / "report" / "sections" / "_more.qmd").write_text("Its second wording.\n")
    return copy


def unexpected(root: Path) -> set[str]:
    """What is in the sources' folder, and would not be without Quarto."""
    expected = {path.name for path in (ROOT / "report").iterdir()} | {"executed", "shown", "_metadata.yml"}
    return {path.name for path in (root / "report").iterdir()} - expected


@pytest.mark.parametrize(("target", "changes", "stays"), [("html", ".html", ".pdf"), ("typst", ".pdf", ".html")])
def test_a_render_of_one_format_leaves_the_other(short: Path, target: str, changes: str, stays: str):
    before = contents(short / "_report" / "report")
    made = command(short, "quarto", "render", "--profile", "digits", "--to", target)
    assert made.returncode == 0, made.stdout + made.stderr
    after = contents(short / "_report" / "report")
    assert after.keys() == before.keys()
    assert after[f"index{stays}"] == before[f"index{stays}"]
    assert after[f"index{changes}"] != before[f"index{changes}"]
    assert unexpected(short) == set()


def test_a_notebooks_page_is_made_only_where_the_notebook_has_changed(short: Path):
    (short / "report" / "index.qmd").write_text("---\ntitle: A\n---\n\n{{< embed shown/batch.ipynb >}}\n")
    render = ("quarto", "render", "--profile", "digits")
    assert "batch.ipynb" in command(short, *render).stderr
    before = contents(short / "_report")
    again = command(short, *render)
    assert again.returncode == 0, again.stderr
    assert "batch.ipynb" not in again.stderr
    assert lasting(contents(short / "_report")) == lasting(before)
    spoil(short, "'changed'", VARIANT)
    assert "batch.ipynb" in command(short, *render).stderr
    assert "changed" in (short / "_report" / "report" / "shown" / "batch-preview.html").read_text()


def lasting(files: dict[str, bytes]) -> dict[str, bytes]:
    """Files without those that bear the time at which they were made."""
    return {name: content for name, content in files.items() if not name.endswith((".pdf", "sitemap.xml"))}


def test_a_failed_render_leaves_the_report_as_it_was_and_nothing_beside_the_sources(short: Path):
    before = contents(short / "_report")
    with (short / "report" / "index.qmd").open("a") as article:
        article.write('\n```{=typst}\n#panic("after the page was made")\n```\n')
    failed = command(short, "quarto", "render", "--profile", "digits")
    assert "panicked" in failed.stdout + failed.stderr
    assert contents(short / "_report") == before
    assert becomes_true(lambda: unexpected(short) == set())


def test_the_pdf_asks_for_no_package(study: Path, tmp_path: Path):
    if find_quarto() is None:
        pytest.skip("Quarto is not installed")
    copy = shutil.copytree(study, tmp_path / "project", ignore=shutil.ignore_patterns("_report", ".quarto"))
    made = command(copy, "quarto", "render", "--profile", "digits", "--to", "typst", "-M", "keep-typ:true")
    assert made.stdout.splitlines()[-1:] == [str(copy / "_report" / "report" / "index.pdf")], made.stdout + made.stderr
    assert "@preview" not in (copy / "report" / "index.typ").read_text(encoding="utf-8")


def start(project: Path, *words: str) -> subprocess.Popen[bytes]:
    """Quarto, in a process group of its own."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        ["quarto", *words, "--profile", "digits"], cwd=project, env=environment, stdout=quiet, stderr=quiet,
        start_new_session=True,
    )  # fmt: skip


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_killed_render_leaves_the_report_as_it_was_and_nothing_beside_the_sources(short: Path):
    before = contents(short / "_report")
    quarto = start(short, "render")
    assert becomes_true(lambda: unexpected(short) != set() or quarto.poll() is not None, seconds=300)
    assert quarto.poll() is None
    kill(quarto)
    assert contents(short / "_report") == before
    assert becomes_true(lambda: unexpected(short) == set())


@pytest.fixture
def previewed(short: Path) -> Iterator[str]:
    """The address of the article's page in a preview."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quarto = start(short, "preview", "--no-browser", "--host", "127.0.0.1", "--port", str(port))
    yield f"http://127.0.0.1:{port}/report/index.html"
    kill(quarto)


def served(address: str) -> str:
    """A page as a browser would get it; nothing where nobody answers."""
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=120) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def test_a_preview_follows_the_sections_and_does_not_publish_their_sources(short: Path, previewed: str):
    assert becomes_true(lambda: "second wording" in served(previewed), seconds=200)
    (short / "report" / "sections" / "_more.qmd").write_text("Its third wording.\n")
    assert becomes_true(lambda: "third wording" in served(previewed), seconds=100)
    assert not list((short / "_report").rglob("*.qmd"))
    assert (short / "_report" / "report" / "index.pdf").exists()
