"""What the renderers are handed: results, numbers and claims, written only where they changed."""

import json
from pathlib import Path

import pytest
import yaml

from normstudy.experiments import places
from normstudy.pipeline import handover
from normstudy.pipeline.plan import plan


def test_publishing_copies_results_and_writes_only_what_changed(done: Path):
    runs = plan(done, None)
    handover.publish(done, runs)
    shown = done / "report" / "shown"
    assert (shown / "batch" / "metrics.csv").is_file()
    assert "norm_arg: batch" in (done / "_variables.yml").read_text()
    stale = shown / "batch" / "old.csv"
    stale.write_text("")
    times = {file: file.stat().st_mtime_ns for file in shown.rglob("*") if file.is_file()}
    handover.publish(done, runs)
    assert not stale.exists()
    assert {file: file.stat().st_mtime_ns for file in shown.rglob("*") if file.is_file()} == {
        file: when for file, when in times.items() if file != stale
    }


def test_claims_are_published_apart_from_numbers_with_the_wording_that_each_has(done: Path):
    left = {"numbers": {"lead": "0.2 {{< meta x >}}"}, "claims": {"sooner": True, "closing": None, "same-end": False}}
    runs = plan(done, None)
    (next(run for run in runs if run.name == "budget").folder / "variables.json").write_text(json.dumps(left))
    handover.publish(done, runs)
    assert yaml.safe_load((done / "report" / "_metadata.yml").read_text())["claims"]["budget"] == {
        "sooner": {"holds": True, "fails": False, "open": False},
        "closing": {"holds": False, "fails": False, "open": True},
        "same-end": {"holds": False, "fails": True, "open": False},
    }
    numbers = yaml.safe_load((done / "_variables.yml").read_text())["budget"]
    assert numbers == {"numbers": {"lead": r"0.2 \{\{\< meta x >}}"}}


@pytest.mark.parametrize(("dataset", "elsewhere"), [("mnist", "holds"), ("digits", "fails")])
def test_a_chapter_with_results_of_another_dataset_is_marked(done: Path, dataset: str, elsewhere: str):
    runs = plan(done, None)  # of digits
    left = {"numbers": {}, "dataset": dataset}
    (next(run for run in runs if run.name == "budget").folder / "variables.json").write_text(json.dumps(left))
    handover.publish(done, runs)
    claims = yaml.safe_load((done / "report" / "_metadata.yml").read_text())["claims"]
    assert [wording for wording, shown in claims["budget"]["elsewhere"].items() if shown] == [elsewhere]
    assert "elsewhere" not in claims.get("batch", {})


def test_publishing_refuses_what_was_never_run(toy: Path):
    with pytest.raises(places.StudyError, match="batch has no result on digits; 'normstudy run batch' makes it"):
        handover.publish(toy, plan(toy, None))


def test_a_figures_text_alternative_becomes_a_cell_option(tmp_path: Path):
    output = {"output_type": "display_data", "data": {}, "metadata": {"image/svg+xml": {"alt": 'A "graph": 3 lines.'}}}
    notebook = json.dumps({"cells": [{"cell_type": "code", "source": ["#| label: a\n"], "outputs": [output]}]})
    cell = json.loads(handover._shown(notebook))["cells"][0]
    assert cell["source"][0] == '#| fig-alt: "A \\"graph\\": 3 lines."\n'


def test_the_lines_of_a_text_are_published_one_by_one():
    text = "# A title\n\nA text\nof lines."
    for source in (text, text.splitlines(keepends=True)):
        notebook = json.dumps({"cells": [{"cell_type": "markdown", "source": source}]})
        cell = json.loads(handover._shown(notebook))["cells"][0]
        assert cell["source"] == [
            "# A title\n",
            "\n",
            "A text\n",
            "of lines.",
        ]  # Quarto runs the lines of a string together
