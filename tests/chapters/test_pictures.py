"""Pictures of test images: the first of a table, in its order, and no more than a page takes."""

import numpy as np
import pandas as pd
import torch

from normstudy.chapters import pictures
from normstudy.data import Dataset

IMAGES = torch.arange(30, dtype=torch.uint8).view(30, 1, 1).expand(30, 2, 2)
LABELS = torch.zeros(30, dtype=torch.long)
DATASET = Dataset("toy", ("zero",), IMAGES, LABELS, IMAGES, LABELS, 0.5, 0.25)


def test_the_first_images_are_shown_each_below_its_title():
    table = pd.DataFrame({"index": range(29, -1, -1), "label": 0})
    figure, titles = pictures.first(table, DATASET, lambda row: f"{DATASET.classes[row.label]} {row.index}")
    assert len(titles) == pictures.SHOWN
    assert titles[0] == "zero 29"
    assert [axis.get_title() for axis in figure.axes] == titles
    assert [int(np.max(axis.images[0].get_array())) for axis in figure.axes] == list(range(29, 9, -1))
