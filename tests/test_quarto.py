"""Quarto and this project: what it finds here, and what it leaves."""

import re

import pytest

from tests.conftest import ROOT

SOURCES = [ROOT / "report" / "index.qmd", *sorted((ROOT / "report" / "sections").glob("*.qmd"))]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_no_source_makes_quarto_write_typst_that_asks_for_a_package(source):
    # Without a network there would be no PDF. Quarto 1.7 imports one for every callout and for every theorem.
    theorems = "thm|lem|cor|prp|cnj|def|exm|exr|sol|rem|alg"
    assert not re.findall(rf"\.callout-\w+|#(?:{theorems})-\w+|@preview", source.read_text(encoding="utf-8"))
