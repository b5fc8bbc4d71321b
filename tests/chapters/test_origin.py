"""Where results come from, in words; `test_tables` has which results are shown, and that it is said."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from normstudy.chapters import origin
from normstudy.experiments import provenance, tables
from normstudy.experiments.tables import Shown

COMMAND = "normstudy sweep params/grid.yaml"
OWN, PUBLISHED = "report/executed/digits/sweeps", "report/results/digits"


def run(number: int, **changes: Any) -> list[dict[str, Any]]:
    """The rows of a run of two epochs."""
    about = {"run": number, "seed": number, "norm_arg": "batch", "epochs": 2, "batch_size": 128, "learning_rate": 0.05}
    made = {"code": provenance.fingerprint(), "made_by": "a machine"}
    return [about | {"epoch": epoch} | made | changes for epoch in (1, 2)]


def shown(folder: Path, *runs: list[dict[str, Any]], place: str = OWN, command: str = COMMAND, **changes: Any) -> Shown:
    """Results as a report shows them, in a table that this command made."""
    table = folder / place / "grid.parquet"
    table.parent.mkdir(parents=True)
    tables.write(table, dict(enumerate(runs)), command)
    rows = pd.DataFrame([row for rows in runs for row in rows])
    about = {"asked": "digits", "dataset": "digits", "sweep": Path("params/grid.yaml"), "lacking": []} | changes
    return Shown(rows, table=table, **about)


def test_of_what_is_as_it_should_be_one_sentence_says_what_it_was_made_on_by_and_where(tmp_path: Path):
    assert origin.sentences(shown(tmp_path, run(0), run(1))) == [
        "The results of these 2 runs on digits were made here. "
        "They were made by `normstudy sweep params/grid.yaml` on: a machine."
    ]


def test_the_command_is_the_one_that_the_table_was_made_by_wherever_it_comes_from(tmp_path: Path):
    command = f"{COMMAND} -p dataset mnist"
    results = shown(tmp_path, run(0), run(1), place=PUBLISHED, command=command, asked="mnist", dataset="mnist")
    assert origin.sentences(results) == [
        "The results of these 2 runs on mnist come with the project. "
        "They were made by `normstudy sweep params/grid.yaml -p dataset mnist` on: a machine."
    ]


def test_of_a_single_run_nothing_is_counted(tmp_path: Path):
    (said,) = origin.sentences(shown(tmp_path, run(0)))
    assert said.startswith("The results of this run on digits were made here.")


def test_runs_are_counted_and_not_their_epochs(tmp_path: Path):
    (said,) = origin.sentences(shown(tmp_path, *(run(number) for number in range(1200))))
    assert said.startswith("The results of these 1,200 runs on digits ")


def test_each_machine_is_named_once_and_as_it_is_written(tmp_path: Path):
    machines = ("one, Linux", "an <other> *machine*", "one, Linux")
    (said,) = origin.sentences(shown(tmp_path, *(run(at, made_by=name) for at, name in enumerate(machines))))
    assert said.endswith(r"on: one, Linux, and an \<other\> \*machine\*.")


def test_of_another_dataset_it_is_said_first_how_to_have_the_one_that_is_asked_for(tmp_path: Path):
    first, second = origin.sentences(shown(tmp_path, run(0), run(1), asked="mnist"))
    assert first == (
        "These runs are on digits, since there are none on mnist yet: "
        "`normstudy sweep params/grid.yaml -p dataset mnist` makes them."
    )
    assert second.startswith("The results of these 2 runs on digits were made here.")


@pytest.mark.parametrize(
    ("lacking", "names"),
    [
        (["instance"], "`instance`"),
        (["instance", "rms"], "`instance` and `rms`"),
        (["instance", "rms", "position"], "`instance`, `rms` and `position`"),
    ],
)
def test_what_is_lacking_is_named(tmp_path: Path, lacking: list[str], names: str):
    said = origin.sentences(shown(tmp_path, run(0), lacking=lacking))
    assert said[1:] == [f"They lack {names}, which came to the project later; the same command makes these runs, too."]


@pytest.mark.parametrize(
    ("older", "runs", "which"), [(1, 1, "The only run"), (1, 3, "1 of the 3 runs"), (2, 3, "2 of the 3 runs")]
)
def test_it_is_said_how_many_runs_other_code_has_made(tmp_path: Path, older: int, runs: int, which: str):
    made = [run(number, **({"code": f"older {number}"} if number < older else {})) for number in range(runs)]
    said = origin.sentences(shown(tmp_path, *made))
    assert said[1].startswith(f"{which} preceded the last change of the code that trains; ")
    assert len(said) == 2


def test_all_runs_that_other_code_has_made_can_be_made_anew(tmp_path: Path):
    assert origin.sentences(shown(tmp_path, run(0, code="older"), run(1, code="older")))[1:] == [
        "All 2 runs preceded the last change of the code that trains; the same command makes them anew."
    ]


def test_whatever_there_is_to_say_comes_in_the_same_order(tmp_path: Path):
    results = shown(tmp_path, run(0, code="older"), asked="kmnist", lacking=["rms"])
    begins = ("These runs are on digits", "The results of this run", "They lack", "The only run preceded")
    said = origin.sentences(results)
    assert len(said) == len(begins)
    assert all(sentence.startswith(words) for sentence, words in zip(said, begins, strict=True))


def test_the_text_has_the_dataset_and_how_many_runs_and_seeds(tmp_path: Path):
    found = origin.numbers(shown(tmp_path, run(0), run(1), run(2, seed=0), asked="mnist"))
    assert (found["dataset"], found["runs"], found["seeds"]) == ("digits", 3, 2)


def test_the_text_has_shared_settings_as_they_are_written(tmp_path: Path):
    settings = {"epochs": 1000, "batch_size": 2048, "learning_rate": 3e-5}
    found = origin.numbers(shown(tmp_path, run(0, **settings), run(1, **settings)))
    assert (found["epochs"], found["batch_size"], found["learning_rate"]) == ("1,000", "2,048", "3×10⁻⁵")


@pytest.mark.parametrize("name", ["epochs", "batch_size", "learning_rate"])
def test_a_setting_in_which_a_single_run_differs_is_not_said(tmp_path: Path, name: str):
    found = origin.numbers(shown(tmp_path, run(0), run(1), run(2, **{name: 1})))
    assert {"epochs", "batch_size", "learning_rate"} - found.keys() == {name}
