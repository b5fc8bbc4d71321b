"""The sources of the notebooks: no outputs, explained parameters, cells that the article can name."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml

from normstudy import training
from normstudy.experiments import parameters
from normstudy.pipeline.notebooks import NAMES
from normstudy.pipeline.notebooks import NOTEBOOKS as NOTEBOOK_TABLE
from tests.commands import ROOT

NOTEBOOKS = sorted((ROOT / "report" / "notebooks").glob("*.ipynb"))


def cells(notebook: Path) -> list[dict]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
class TestSource:
    def test_holds_no_outputs(self, notebook: Path):
        assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells(notebook))

    def test_explains_each_parameter(self, notebook: Path):
        source = next(
            "".join(cell["source"]) for cell in cells(notebook) if "parameters" in cell["metadata"].get("tags", [])
        )
        lines = [line for line in source.splitlines() if not line.startswith("#|")]
        assert lines
        for line in lines:
            assert re.fullmatch(r"\w+: (str|int|float) = [^=]+  # \S.*", line), line

    def test_has_a_check_for_each_parameter(self, notebook: Path):
        assert set(parameters.defaults(notebook)) <= set(parameters.Parameters.__annotations__)

    def test_labels_each_cell_once(self, notebook: Path):
        labels = [re.match(r"#\| label: (\S+)", "".join(cell["source"])) for cell in cells(notebook)]
        assert all(labels)
        assert len({label[1] for label in labels if label}) == len(labels)
        assert not any(re.match(r"(fig|tbl)-", label[1]) for label in labels if label), "the article owns the prefixes"


LESSONS = [path for path in NOTEBOOKS if path.stem in ("variant", "statistics", "interactive")]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
class TestLesson:
    """A notebook that is read from top to bottom."""

    def test_no_cell_is_longer_than_fifteen_lines(self, lesson: Path):
        for cell in cells(lesson):
            lines = [line for line in "".join(cell["source"]).splitlines() if not line.startswith("#|")]
            assert len(lines) <= 15 or "parameters" in cell["metadata"].get("tags", []), lines[0]

    def test_nothing_is_in_sight_of_how_results_are_written_or_described(self, lesson: Path):
        for cell in cells(lesson):
            found = re.search(r"json|csv|write_text|text alternative|Frames enclose", "".join(cell["source"]))
            assert not found, found

    def test_two_sentences_before_each_figure_say_what_to_look_for(self, lesson: Path):
        before = ""
        for cell in json.loads(lesson.read_text())["cells"]:
            source = "".join(cell["source"])
            if "figures.show(" in source:
                prose = re.sub("^#.*", "", before, flags=re.MULTILINE)
                assert len(re.findall(r"[.?!)](?:\s|$)", prose)) >= 2, source
                assert "Look " in prose, source
            before = source if cell["cell_type"] == "markdown" or "figures.show(" not in source else before


def test_the_variant_begins_with_the_network_as_anybody_would_build_it():
    """In a cell of its own, with the weights that the study trains."""
    (cell,) = (cell for cell in cells(ROOT / "report/notebooks/variant.ipynb") if "label: model" in cell["source"][0])
    names: dict = parameters.defaults(ROOT / "report/notebooks/variant.ipynb") | {"torch": torch}
    names["images"] = SimpleNamespace(device="cpu")
    exec("".join(cell["source"]), names)
    weights = training.build(names).state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in names["net"].state_dict().items())


@pytest.mark.parametrize("name", [each.sweep for each in NOTEBOOK_TABLE if each.sweep == each.name])
def test_an_experiment_has_one_name(name: str):
    """Its sweep file, notebook, section, chapter, test and published results on the small digits."""
    module = name.replace("-", "_")
    for file in (
        f"params/{name}.yaml",
        f"report/notebooks/{name}.ipynb",
        f"report/sections/_{name}.qmd",
        f"report/results/digits/{name}.parquet",
        f"normstudy/chapters/{module}.py",
        f"tests/chapters/test_{module}.py",
    ):
        assert (ROOT / file).is_file(), file


def test_every_notebook_is_in_the_table():
    assert {each.source for each in NOTEBOOK_TABLE} == {path.stem for path in NOTEBOOKS}


def test_the_menu_and_the_downloads_have_every_notebook():
    settings = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))
    (menu,) = (entry["menu"] for entry in settings["website"]["navbar"]["right"] if "menu" in entry)
    shown = {f"report/shown/{name}-preview.html": name.replace("-", " ") for name in NAMES}
    assert {entry["href"]: entry["text"] for entry in menu} == shown
    downloads = (ROOT / "report" / "sections" / "_rerun.qmd").read_text(encoding="utf-8")
    assert set(re.findall(r"\(shown/(\S+)\.ipynb\)", downloads)) == set(NAMES)


def test_there_are_notebooks():
    assert {"variant", "comparison", "statistics"} <= {path.stem for path in NOTEBOOKS}


def test_executed_ones_have_nothing_to_warn_of(study: Path):
    executed = sorted((study / "report" / "executed").rglob("*.ipynb"))
    assert len(executed) >= len(NOTEBOOKS)
    said = {
        notebook.name: "".join(output["text"])
        for notebook in executed
        for cell in cells(notebook)
        for output in cell["outputs"]
        if output.get("name") == "stderr"
    }
    assert said == {}
