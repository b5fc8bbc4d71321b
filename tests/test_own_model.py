"""The whole way with somebody's own network, in a file outside the project: the report says whose network is meant."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests import checks
from tests.commands import ROOT, WITHOUT_QUARTO, command

pytestmark = pytest.mark.slow
MODELS = ROOT / "tests" / "checking" / "models"


@pytest.fixture(scope="module")
def own(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose variants are those of a network with layers written by hand, and dropout, with its report."""
    folder = tmp_path_factory.mktemp("own")
    beside = folder / "my course"
    beside.mkdir()
    shutil.copy(MODELS / "plain.py", beside)
    text = (MODELS / "right_by_hand.py").read_text(encoding="utf-8")
    dropping = "nn.Sequential(Network(lambda channels, height: layers[norm_arg](channels)), nn.Dropout(0.1))"
    (beside / "my model.py").write_text(re.sub(r"return Network\(.*", f"return {dropping}", text), encoding="utf-8")
    copy = folder / "project"
    shutil.copytree(study, copy, ignore=shutil.ignore_patterns("shown", "_report"))
    settings = ("-p", "dataset", "digits", "-p", "epochs", "1", "-p", "model", str(beside / "my model.py"))
    ran = command(copy, "normstudy", "run", *settings)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    made = command(copy, *WITHOUT_QUARTO, "render", "--dataset", "digits")
    assert made.returncode == 0, made.stdout + made.stderr
    return copy / "_report"


def test_the_report_is_whole(own: Path):
    checks.everything(own)


def test_the_text_says_whose_network_is_meant(own: Path):
    text = re.sub(r"\s+", " ", checks.article(own).text_content())
    assert "The three variants of this report are those of my model.py:Net." in text
    assert "They say nothing of my model.py:Net." in text
    assert "GroupNorm(1, C): the sets of layer normalization" not in text
    assert "It stands in my model.py:Net." in text
    whose = "What they do to training, found with the project’s network on the dataset digits"
    assert f"{whose}, with 95 % intervals in brackets:" in text
    assert "takes the two apart, for the project’s network." in text
    assert "which are the project’s, differ in seed" in text
    assert "The three variants of the project’s network." in text


def test_what_the_page_cannot_run_is_left_out_and_said(own: Path):
    drawing = checks.article(own).get_element_by_id("fig-drawing").text_content()
    assert "Nothing can be drawn here" in drawing
    assert "runs chains of layers, and what follows" in drawing
    assert not (own / "report" / "shown" / "interactive" / "drawing-data.js").exists()


def test_dropout_changes_no_finding(own: Path):
    text = re.sub(r"\s+", " ", checks.body(own))
    assert "The layer and the group variant do not depend on the other images, but for rounding" in text


def test_one_variant_alone_refuses_a_network_that_normalizes_nothing_before_it_trains(tmp_path: Path):
    template = ROOT / "normstudy" / "checking" / "templates" / "model.py"
    notebook = ROOT / "report" / "notebooks" / "variant.ipynb"
    words = ("papermill", str(notebook), "out.ipynb", "--no-progress-bar", "-p", "dataset", "digits")
    run = command(tmp_path, *words, "-p", "model", str(template))
    assert run.returncode == 1
    said = run.stderr.strip().splitlines()[-1]
    assert said.endswith(
        f"{template} with norm_arg batch normalizes nothing behind a layer with weights; "
        "'normstudy check' measures what layers compute"
    )
    cells = json.loads((tmp_path / "out.ipynb").read_text(encoding="utf-8"))["cells"]
    (training,) = [cell for cell in cells if "training.fit(" in "".join(cell["source"])]
    assert training["execution_count"] is None
