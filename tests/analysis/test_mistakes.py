"""Misclassified images: which they are, and which the variants share."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normstudy.analysis import mistakes


def frame(labels: list[int], predictions: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"index": range(len(labels)), "label": labels, "prediction": predictions})


@pytest.fixture
def three() -> pd.DataFrame:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.9, 0.05, 0.05]])
    return mistakes.predictions(np.log(probabilities), np.array([0, 1, 2]))


def test_a_prediction_is_the_most_probable_class_with_its_probability(three: pd.DataFrame):
    assert three["prediction"].tolist() == [0, 2, 0]
    assert three["confidence"].tolist() == pytest.approx([0.7, 0.6, 0.9])
    assert three["label_probability"].tolist() == pytest.approx([0.7, 0.3, 0.05])


def test_mistakes_come_with_the_most_confident_first(three: pd.DataFrame):
    assert mistakes.mistakes(three)["index"].tolist() == [2, 1]


def test_the_confusion_matrix_has_true_classes_as_rows(three: pd.DataFrame):
    assert mistakes.confusion(three, 3).tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]


variants = st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=30)


@given(variants)
def test_shared_mistakes_count_each_misclassified_image_once(rows: list[tuple[int, int, int, int]]):
    labels = [row[0] for row in rows]
    frames = {name: frame(labels, [row[i] for row in rows]) for i, name in enumerate(("batch", "layer", "group"), 1)}
    counted = mistakes.shared(frames)
    assert counted["images"].sum() == sum(any(other != row[0] for other in row[1:]) for row in rows)
    assert not counted.duplicated(["batch", "layer", "group"]).any()


@given(variants)
def test_wrong_for_all_are_the_images_that_nobody_gets_right(rows: list[tuple[int, int, int, int]]):
    labels = [row[0] for row in rows]
    frames = {name: frame(labels, [row[i] for row in rows]) for i, name in enumerate(("batch", "layer", "group"), 1)}
    expected = [index for index, row in enumerate(rows) if row[0] not in row[1:]]
    assert mistakes.wrong_for_all(frames)["index"].tolist() == expected
