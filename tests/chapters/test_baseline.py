"""A run beside an earlier one: what changed, by how much, and which images were gained and lost."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from normstudy.chapters import baseline
from normstudy.data import Dataset

IMAGES, LABELS = torch.zeros(6, 28, 28, dtype=torch.uint8), torch.tensor([0, 1, 0, 1, 0, 1])
DATASET = Dataset("toy", ("zero", "one"), IMAGES, LABELS, IMAGES, LABELS, 0.5, 0.5)


def says(*predicted: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "index": range(6),
            "label": LABELS,
            "prediction": predicted,
            "confidence": np.linspace(0.5, 1, 6),
            "label_probability": 0.5,
        }
    )


EARLIER, NOW = says(0, 0, 1, 1, 0, 1), says(0, 1, 0, 1, 1, 1)
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2],
        "train_loss": [0.5, 0.4],
        "train_penalty": [0.0, 0.0],
        "train_accuracy": [0.8, 0.9],
        "test_loss": [0.5, 0.3],
        "test_accuracy": [0.9, 0.95],
    }
)


def test_without_a_folder_there_is_no_earlier_run():
    assert baseline.read("") is None


def test_an_earlier_run_is_read_from_its_folder(tmp_path: Path):
    (tmp_path / "parameters.yaml").write_text("epochs: 3\n")
    HISTORY.to_csv(tmp_path / "metrics.csv", index=False)
    EARLIER.to_csv(tmp_path / "predictions.csv", index=False)
    earlier = baseline.read(str(tmp_path))
    assert earlier is not None
    assert earlier.parameters == {"epochs": 3}
    pd.testing.assert_frame_equal(earlier.history, HISTORY)
    pd.testing.assert_frame_equal(earlier.predictions, EARLIER)


def test_the_parameters_that_changed_are_named_and_where_things_lie_is_none_of_them():
    earlier = {"epochs": 15, "l1": 0.0, "output": "a", "baseline": ""}
    found = baseline.changed(earlier, {"epochs": 20, "l1": 0.0, "depth": 0, "output": "b", "baseline": "a"})
    assert found.to_numpy().tolist() == [["epochs", "15", "20"], ["depth", "–", "0"]]
    assert baseline.changed(earlier, earlier)["parameter"].tolist() == ["none"]


def test_the_earlier_curves_are_grey_and_both_ends_are_said():
    figure, said = baseline.curves(HISTORY, HISTORY.head(1), "batch")
    colours = [line.get_color() for line in figure.axes[0].get_lines()]
    assert colours == ["#999999", "#0072B2", "#999999", "#0072B2"]
    assert said == (
        "Loss and accuracy over the epochs. Earlier (grey), 2 epochs, test loss 0.3000, test accuracy 95.00\u00a0%. "
        "Now, 1 epoch, test loss 0.5000, test accuracy 90.00\u00a0%."
    )


def test_accuracies_have_their_intervals():
    rows = baseline.accuracies(EARLIER, NOW).to_numpy().tolist()
    assert rows[0] == ["earlier", "66.67", "30.00\u00a0to\u00a090.32", "2"]
    assert rows[1][0] == "now"
    assert rows[1][3] == "1"


def test_images_are_gained_and_lost():
    gained, lost = baseline.moved(EARLIER, NOW)
    assert gained["index"].tolist() == [2, 1]  # the surest answer first
    assert lost["index"].tolist() == [4]
    assert baseline.exchanged(gained, lost).to_numpy().tolist() == [["2", "1", "1.00"]]
    figure, said = baseline.shown(gained, "gained", DATASET)
    assert [axis.get_title() for axis in figure.axes][:2] == ["zero: one → zero", "one: zero → one"]
    assert said.startswith("All 2 test images that were gained; true class: what the earlier run says → what")


@pytest.mark.parametrize("what", ["gained", "lost"])
def test_where_no_image_moved_it_is_said(what: str):
    nothing, _ = baseline.moved(NOW, NOW)
    assert baseline.shown(nothing, what, DATASET)[1] == f"No test image was {what}."
