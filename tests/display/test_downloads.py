"""What a notebook shows can be downloaded, and what it found can stand in the text."""

import json
from pathlib import Path

import pandas as pd
import pytest
from IPython.utils.capture import capture_output

from normstudy.display.downloads import Downloads

TABLE = pd.DataFrame({"value": [0.123456]})


def test_a_table_is_shown_rounded_and_kept_in_full(tmp_path: Path):
    with capture_output():
        Downloads(str(tmp_path / "new")).show("a", TABLE, digits=2)
    assert (tmp_path / "new" / "a.csv").read_text() == "value\n0.123456\n"


def test_numbers_and_claims_are_left_for_the_text(tmp_path: Path):
    Downloads(str(tmp_path)).values({"mean": "−0.05"}, {"holds": True, "open": None}, runs=3)
    assert json.loads((tmp_path / "variables.json").read_text()) == {
        "numbers": {"mean": "−0.05"},
        "claims": {"holds": True, "open": None},
        "runs": 3,
    }


def test_a_file_is_kept_as_it_is(tmp_path: Path):
    (tmp_path / "table").write_text("1")
    Downloads(str(tmp_path / "new")).copy(tmp_path / "table")
    assert (tmp_path / "new" / "table").read_text() == "1"


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    folder = Downloads("")
    folder.keep("a", TABLE)
    folder.copy(tmp_path)
    folder.values({}, {})
    assert folder.path is None
    assert not list(tmp_path.iterdir())
