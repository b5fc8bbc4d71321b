"""Where a project's files lie, from wherever a command is given."""

from pathlib import Path

import pytest

from normstudy.experiments import places
from normstudy.experiments.places import StudyError
from normstudy.files import DATASETS


def make_project(root: Path) -> Path:
    (root / "report" / "notebooks").mkdir(parents=True)
    (root / "_quarto.yml").touch()
    return root


def test_the_project_is_the_nearest_folder_upwards_that_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    outer = make_project(tmp_path / "outer")
    inner = make_project(outer / "copies" / "inner")
    for start, root in ((inner / "report", inner), (inner, inner), (inner.parent, outer), (outer, outer)):
        assert places.find_root(start) == root
        monkeypatch.chdir(start)
        assert places.find_root() == root


@pytest.mark.parametrize("lacking", ["_quarto.yml", "report/notebooks"])
def test_a_folder_with_half_of_what_makes_a_project_is_none(tmp_path: Path, lacking: str):
    half = make_project(tmp_path / "half")
    (half / lacking).rename(half / "elsewhere")
    with pytest.raises(StudyError, match=f"^{half} is not in a normstudy project; change to the folder that holds"):
        places.find_root(half)
    make_project(tmp_path)
    assert places.find_root(half) == tmp_path


def test_a_folder_for_results_is_made_and_what_it_holds_stays(tmp_path: Path):
    folder = tmp_path / "a" / "b"
    places.make_folder(folder)
    (folder / "result").write_text("x")
    places.make_folder(folder)
    assert (folder / "result").read_text() == "x"


def test_a_file_in_its_place_or_in_the_place_of_a_folder_above_is_a_wrong_input(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below"):
        with pytest.raises(ValueError, match=f"^{folder} must be a folder that can be written: "):
            places.make_folder(folder)
    assert file.read_text() == "x"


def test_what_else_prevents_it_is_no_wrong_input(tmp_path: Path):
    folder = tmp_path / ("x" * 1000)
    with pytest.raises(StudyError, match=f"^{folder} cannot be written: File name too long$"):
        places.make_folder(folder)


def test_a_notebook_without_a_name_for_its_output_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert places.output("") is None
    assert list(tmp_path.iterdir()) == []
    assert places.output("a/b") == Path("a/b")
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("dataset", DATASETS)
def test_one_s_own_results_come_before_published_ones_and_another_dataset_s_last(dataset: str):
    report = Path("root/report")
    tables = [table.relative_to(report).as_posix() for table in places.sweep_tables(Path("root"), "depth", dataset)]
    assert tables[:2] == [f"executed/{dataset}/sweeps/depth.parquet", f"results/{dataset}/depth.parquet"]
    instead = ["executed/digits/sweeps/depth.parquet", "results/digits/depth.parquet"]
    assert tables[2:] == ([] if dataset == "digits" else instead)
