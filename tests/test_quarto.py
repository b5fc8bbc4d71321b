"""Quarto and this project: what it finds here, and what it leaves."""

import re
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, command
from tests.test_execution import write_toy
from tests.test_render import stand_in

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
