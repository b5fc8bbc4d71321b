"""The still figures in the place of the page's interactive ones say what they show, with its numbers."""

import numpy as np
import pandas as pd
import torch

from normstudy.chapters import interactive
from normstudy.data import Dataset


def says(*predicted: int, confidence: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"index": range(3), "label": [0, 1, 0], "prediction": predicted, "confidence": np.full(3, confidence)}
    )


SAID = {"batch": says(0, 0, 1, confidence=0.75), "layer": says(0, 1, 1, confidence=0.5)}


def test_the_images_that_most_networks_get_wrong_are_offered_first():
    assert interactive.offered(SAID) == [2, 1, 0]


def test_the_answers_to_an_image_stand_in_words_beside_the_figure():
    images, labels = torch.zeros(3, 28, 28, dtype=torch.uint8), torch.tensor([0, 1, 0])
    dataset = Dataset("toy", ("zero", "one"), images, labels, images, labels, 0.5, 0.5)
    figure, said = interactive.answers(SAID, 2, dataset)
    assert said == (
        "Test image 2, whose class is zero, and what the 2 networks say: batch one (75\u00a0%), layer one (50\u00a0%)."
    )
    assert [axis.get_title() for axis in figure.axes] == ["batch\none, 75\u00a0%", "layer\none, 50\u00a0%"]
    figure.draw_without_rendering()
    first, second = (axis.title.get_window_extent() for axis in figure.axes)
    assert first.x1 + 5 < second.x0
    assert first.y1 < figure.bbox.y1


def test_the_sets_of_a_sheet_are_counted():
    _, said = interactive.sheets(torch.zeros(4, 6, 2, 2), 3)
    assert "lies together: batch 6, layer 4, group 12, instance 24" in said
