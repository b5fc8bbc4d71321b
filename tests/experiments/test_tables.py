"""Tables of results: what is read back, what is refused, and what a report shows and says of it."""

from pathlib import Path

import pytest

from normstudy.chapters import origin
from normstudy.experiments import places, tables
from normstudy.experiments.places import StudyError
from normstudy.normalizations import NORMALIZATIONS
from tests.grids import invented, make_project, stored, write

GRID = "seed: [0, 1]\nnorm_arg: [batch, none]"
OWN, PUBLISHED = 0, 1


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def file(project: Path) -> Path:
    return write(project, GRID)


def put(project: Path, file: Path, place: int, results: tables.Results | None = None) -> Path:
    """Write results, all of them unless others are given, as one's own or as published with the project."""
    table = places.sweep_tables(project, "grid", "digits")[place]
    table.parent.mkdir(parents=True, exist_ok=True)
    tables.write(table, results or invented(project, file), "normstudy sweep params/grid.yaml")
    return table


def test_what_is_written_is_read_back(project: Path, file: Path):
    results = invented(project, file, wrong=[1, 2], test_loss=None)
    put(project, file, OWN, results)
    assert stored(project, file) == results


def test_what_was_never_made_is_empty(project: Path, file: Path):
    assert stored(project, file) == {}


def test_a_damaged_table_is_refused(project: Path, file: Path):
    table = put(project, file, OWN)
    table.write_bytes(table.read_bytes()[:-100])
    with pytest.raises(StudyError, match=r"grid.parquet is damaged; move it away"):
        stored(project, file)


def test_a_table_of_another_version_is_refused(project: Path, file: Path, monkeypatch: pytest.MonkeyPatch):
    put(project, file, OWN)
    monkeypatch.setattr(tables, "FORMAT", "2")
    with pytest.raises(StudyError, match=r"grid.parquet is of another version; move it away"):
        stored(project, file)


def test_published_results_are_shown_until_all_own_ones_are_there(project: Path, file: Path):
    published = put(project, file, PUBLISHED)
    put(project, file, OWN, dict(list(invented(project, file).items())[:2]))
    shown = tables.results(project, file, "digits")
    assert shown.table == published
    assert "come with the project" in origin.sentences(shown)[0]
    own = put(project, file, OWN)
    shown = tables.results(project, file, "digits")
    assert shown.table == own
    assert "were made here" in origin.sentences(shown)[0]


def test_it_is_said_how_and_where_the_shown_results_were_made(project: Path, file: Path):
    put(project, file, OWN)
    (sentence,) = origin.sentences(tables.results(project, file, "digits"))
    assert "4 runs on digits" in sentence
    assert sentence.endswith("They were made by `normstudy sweep params/grid.yaml` on: a machine.")


def test_the_text_has_the_settings_that_all_runs_share_and_no_others(project: Path):
    file = write(project, "norm_arg: [batch, layer]\nseed: [0, 1]\nepochs: [1, 2]\nlearning_rate: 0.02")
    put(project, file, OWN)
    found = origin.numbers(tables.results(project, file, "digits"))
    assert found == {"dataset": "digits", "runs": 8, "seeds": 2, "batch_size": "128", "learning_rate": "0.02"}


def test_another_dataset_is_never_shown_without_a_word(project: Path, file: Path):
    put(project, file, PUBLISHED)
    shown = tables.results(project, file, "mnist")
    assert shown.dataset == "digits"
    assert "on digits, since there are none on mnist" in origin.sentences(shown)[0]


def test_where_there_are_none_the_command_that_makes_them_is_named(project: Path, file: Path):
    with pytest.raises(StudyError, match=r"'normstudy sweep params/grid.yaml' makes them"):
        tables.results(project, file, "digits")


def test_runs_of_other_parameters_do_not_count(project: Path, file: Path):
    put(project, file, OWN)
    write(project, GRID.replace("[0, 1]", "[0, 1, 2]"))
    with pytest.raises(StudyError, match="not all runs"):
        tables.results(project, file, "digits")


class TestANormalizationThatWasAdded:
    """Results that were made before are shown, and it is said what they lack."""

    GRID = "seed: [0, 1]\nnorm_arg: every"

    @staticmethod
    def without(results: tables.Results, *names: str, seeds: tuple[int, ...] = (0, 1)) -> tables.Results:
        """The same without the runs of some normalizations with some seeds."""
        gone = [(name, seed) for name in names for seed in seeds]
        return {key: rows for key, rows in results.items() if (rows[0]["norm_arg"], rows[0]["seed"]) not in gone}

    def test_results_made_before_are_shown_without_it(self, project: Path):
        file = write(project, self.GRID)
        table = put(project, file, PUBLISHED, self.without(invented(project, file), "instance"))
        shown = tables.results(project, file, "digits")
        assert (shown.table, shown.lacking) == (table, ["instance"])
        assert set(shown.rows["norm_arg"]) == set(NORMALIZATIONS) - {"instance"}
        assert origin.sentences(shown)[1].startswith("They lack `instance`, ")

    def test_nothing_is_said_to_lack_where_all_are_there(self, project: Path):
        put(project, file := write(project, self.GRID), OWN)
        assert tables.results(project, file, "digits").lacking == []

    def test_it_is_not_shown_with_some_of_its_runs(self, project: Path):
        file = write(project, self.GRID)
        put(project, file, OWN, self.without(invented(project, file), "instance", seeds=(1,)))
        with pytest.raises(StudyError, match="not all runs"):
            tables.results(project, file, "digits")

    @pytest.mark.parametrize("name", sorted(tables.NEEDED))
    def test_what_experiments_compare_may_not_lack(self, project: Path, name: str):
        file = write(project, self.GRID)
        put(project, file, OWN, self.without(invented(project, file), name))
        with pytest.raises(StudyError, match="not all runs"):
            tables.results(project, file, "digits")

    def test_alone_it_is_no_result_before_it_was_made(self, project: Path):
        with pytest.raises(StudyError, match="not all runs"):
            tables.results(project, write(project, "norm_arg: instance"), "digits")


def test_results_of_other_code_are_shown_as_such(project: Path, file: Path):
    put(project, file, OWN, invented(project, file, code="older"))
    assert origin.sentences(tables.results(project, file, "digits"))[1].startswith(
        "All 4 runs preceded the last change"
    )


def test_results_come_in_the_order_of_the_study_whatever_the_order_of_the_sweep_file(project: Path):
    file = write(project, "norm_arg: [none, group, batch]\nseed: [0, 1]")
    put(project, file, OWN)
    rows = tables.results(project, file, "digits").rows
    assert list(rows["norm_arg"].unique()) == ["batch", "group", "none"]
    assert rows["run"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
