"""Test images, a title over each: the first of those that a table lists."""

from collections.abc import Callable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from normstudy.data import Dataset
from normstudy.display.figures import digit_grid

SHOWN = 20
"""How many at the most."""


def first(table: pd.DataFrame, dataset: Dataset, title: Callable[[Any], str]) -> tuple[Figure, list[str]]:
    """Those that come first in a table with the `index` of a test image a row; and the titles, made of the rows."""
    chosen = table.head(SHOWN)
    titles = [title(row) for row in chosen.itertuples()]
    return digit_grid(dataset.test_images.cpu().numpy()[chosen["index"]], titles), titles
