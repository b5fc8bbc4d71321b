"""A variant whose training diverges: the report comes out, and shows it as diverged rather than as a number."""

import shutil
from pathlib import Path

import pytest

from tests import checks
from tests.commands import WITHOUT_QUARTO, command

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def diverged(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project whose layer variant has diverged, with its report, and what the command said of it."""
    copy = tmp_path_factory.mktemp("diverged") / "project"
    shutil.copytree(study, copy, ignore=shutil.ignore_patterns("shown", "_report"))
    notebook = copy / "report" / "notebooks" / "variant.ipynb"
    source = notebook.read_text(encoding="utf-8")
    changed = source.replace(
        "Settings.of(values)", "Settings.of(values | {'learning_rate': 1e30 if norm_arg == 'layer' else 0.01})"
    )
    assert changed != source
    notebook.write_text(changed, encoding="utf-8")
    ran = command(copy, "normstudy", "run", "-p", "dataset", "digits", "-p", "epochs", "2")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    made = command(copy, *WITHOUT_QUARTO, "render", "--dataset", "digits")
    assert made.returncode == 0, made.stdout + made.stderr
    return copy / "_report", " ".join(ran.stdout.split())


def test_the_command_says_so(diverged: tuple[Path, str]):
    assert "The layer variant diverged: the loss is not finite in epoch 1, batch" in diverged[1]
    assert "Too high is probably learning_rate (1×10³⁰)" in diverged[1]


def test_the_table_of_results_shows_no_number_for_it(diverged: tuple[Path, str]):
    rows = checks.article(diverged[0]).get_element_by_id("tbl-results").xpath(".//tbody/tr")
    cells = {row.xpath("string(./td[1])").strip(): [cell.text_content() for cell in row.xpath("./td")] for row in rows}
    assert set(cells["layer"][1:]) == {"diverged"}
    assert "diverged" not in cells["batch"]


def test_its_figures_say_why_they_are_empty(diverged: tuple[Path, str]):
    for figure in ("fig-layer-curves", "fig-layer-misclassified", "fig-layer-confusion"):
        (alternative,) = checks.article(diverged[0]).get_element_by_id(figure).xpath(".//img/@alt")
        assert alternative.startswith("The layer variant diverged"), figure


def test_the_findings_begin_with_it(diverged: tuple[Path, str]):
    assert "The layer variant diverged: the loss is not finite in epoch 1" in checks.body(diverged[0])


def test_the_report_is_whole_otherwise(diverged: tuple[Path, str]):
    checks.everything(diverged[0])
