"""What a variant's run leaves in its folder is what others read of it."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

from normstudy.analysis import mistakes
from normstudy.data import Dataset
from normstudy.experiments import artefacts
from normstudy.model import Net
from normstudy.training import EpochMetrics
from tests.trainings import DEFAULTS, build
from tests.watching import contents

VALUES = DEFAULTS | {"norm_arg": "group", "groups": 2, "l1": 1e-5, "output": "made"}
ROWS = [EpochMetrics(epoch, 0.1 / 3, 1e-9, 0.0, 0.5, 2.25, 1 / 3, 7.125) for epoch in (1, 2)]
LABELS = np.array([0, 1, 2, 1])
SAID = mistakes.predictions(
    np.log([[0.5, 0.25, 0.25], [0.75, 0.125, 0.125], [0.25, 0.25, 0.5], [0.5, 0.375, 0.125]]), LABELS
)
NUMBERS = {"accuracy": "50.00", "epochs": 2}


def dataset() -> Dataset:
    images = torch.arange(4 * 28 * 28).view(4, 28, 28).to(torch.uint8)
    labels = torch.from_numpy(LABELS)
    return Dataset("toy", ("zero", "one", "two"), images, labels, images, labels, 0.5, 0.5)


def trained() -> Net:
    return build("group", groups=2, seed=5)


def keep(name: str) -> None:
    folder = artefacts.Folder(name)
    for row in ROWS:
        folder.note(row)
    wrong = mistakes.mistakes(SAID)
    folder.keep(VALUES, artefacts.table(ROWS), trained(), SAID, wrong, dataset(), NUMBERS)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    keep(str(tmp_path / "made"))
    return tmp_path / "made"


def test_an_epoch_can_be_read_as_soon_as_it_is_noted(tmp_path: Path):
    folder = artefacts.Folder(str(tmp_path / "made"))
    for number in (1, 2):
        folder.note(ROWS[number - 1])
        known = pd.read_csv(tmp_path / "made" / "metrics.csv").to_dict("records")
        assert known == [asdict(row) for row in ROWS[:number]]


def test_the_history_is_kept_to_the_last_digit_and_its_seconds_apart(made: Path):
    whole = artefacts.table(ROWS)
    pd.testing.assert_frame_equal(artefacts.history(made), whole.drop(columns="seconds"), check_exact=True)
    pd.testing.assert_frame_equal(pd.read_csv(made / "times.csv"), whole[["epoch", "seconds"]], check_exact=True)


def test_a_table_of_no_epochs_has_its_columns():
    assert list(artefacts.table([])) == list(asdict(ROWS[0]))


def test_parameters_and_predictions_come_back(made: Path):
    found = artefacts.parameters(made)
    assert found == VALUES
    assert list(found) == list(VALUES), "in their order"
    pd.testing.assert_frame_equal(artefacts.predictions(made), SAID)


def test_the_network_comes_back_whatever_its_seed_would_make(made: Path):
    net, before = artefacts.network(made), trained().state_dict()
    assert net.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    fresh = build("group", groups=2).state_dict()
    assert not all(torch.equal(tensor, before[name]) for name, tensor in fresh.items())


def test_weights_say_which_network_they_are_of(made: Path):
    with safe_open(made / "weights.safetensors", framework="pt") as file:
        said = json.loads(file.metadata()["network"])
    assert str(Net(**said)) == str(trained())
    assert (said["norm_arg"], said["groups"]) == ("group", 2)


def test_the_images_of_mistakes_stand_beside_what_is_said_of_them(made: Path):
    found = load_file(made / "mistakes.safetensors")
    assert found["index"].tolist() == [1, 3]
    assert found["label"].tolist() == [1, 1]
    assert found["prediction"].tolist() == [0, 0]
    assert found["confidence"].tolist() == pytest.approx([0.75, 0.5])
    assert np.array_equal(found["images"], dataset().test_images.numpy()[[1, 3]])


def test_the_numbers_for_the_text_come_back(made: Path):
    assert json.loads((made / "variables.json").read_text()) == NUMBERS


def test_the_same_run_leaves_the_same_bytes(made: Path):
    before = contents(made)
    keep(str(made.with_name("again")))
    assert contents(made.with_name("again")) == before


def test_without_a_name_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    keep("")
    assert list(tmp_path.iterdir()) == []
    assert artefacts.Folder("").checkpoint is None
