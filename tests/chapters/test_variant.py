"""The chapter of a variant says of its pictures and of its repeated epoch what they hold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from normstudy.chapters import variant
from normstudy.data import Dataset
from normstudy.training import EpochMetrics

FIRST = EpochMetrics(1, 0.01, 0.5, 0.1, 0.8, 0.3, 0.9, 2.0)


@pytest.mark.parametrize(
    ("shown", "wrong", "said"),
    [
        (20, 1030, "20 of the 1,030 test images that every variant misclassifies."),
        (17, 17, "All 17 test images that every variant misclassifies."),
        (1, 1, "The only test image that every variant misclassifies."),
        (0, 0, "There is no test image that every variant misclassifies."),
    ],
)
def test_a_picture_of_mistakes_says_how_many_of_them_it_shows(shown: int, wrong: int, said: str):
    assert variant.caption(shown, wrong, "every variant") == said


def test_a_confusion_matrix_in_words():
    counts = np.array([[980, 0], [3, 1132]])
    assert variant.describe_confusion(counts, "67", "the batch variant") == (
        "Confusion matrix of the batch variant: 2,112 of 2,115 test images are on the diagonal. The most frequent "
        "mistake is 7 taken for 6, 3 times."
    )


def test_a_network_without_mistakes_is_not_said_to_make_one():
    said = variant.describe_confusion(np.diag([2, 3]), "67", "the batch variant")
    assert said.endswith("5 of 5 test images are on the diagonal. There are no mistakes.")


def test_an_epoch_that_gave_the_same_again_did_so_whatever_time_it_took():
    table = variant.repetition(FIRST, replace(FIRST, seconds=9.0))
    assert variant.apart(table) == 0
    assert "seconds" not in set(table["first epoch"])


def test_a_difference_is_measured():
    other = replace(FIRST, test_loss=FIRST.test_loss + 0.004, test_accuracy=FIRST.test_accuracy - 0.001)
    assert variant.apart(variant.repetition(FIRST, other)) == pytest.approx(0.004)


@pytest.mark.parametrize(
    ("again", "repeats"), [(FIRST, True), (replace(FIRST, test_loss=0.5), False), (None, None)], ids=str
)
def test_whether_an_epoch_is_repeated_is_a_claim(again: EpochMetrics | None, repeats: bool | None):
    table = variant.repetition(FIRST if again else None, again)
    images, labels = torch.zeros(2, 28, 28, dtype=torch.uint8), torch.tensor([0, 1])
    dataset = Dataset("toy", ("zero", "one"), images, labels, images, labels, 0.5, 0.25)
    values = {"norm_arg": "batch", "epochs": 1, "l1": 0.0, "l2": 5e-4, "groups": 4}
    found = variant.numbers(values, torch.nn.Linear(2, 2), dataset, pd.DataFrame({"index": [1]}), "", table)
    assert found["claims"] == {"repeats": repeats}
    assert found["misclassified"] == "The only test image that the batch variant misclassifies."
    assert (found["pixel_mean"], found["pixel_deviation"], found["parameters"]) == ("0.5000", "0.2500", "6")
