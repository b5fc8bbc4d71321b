"""Means with their intervals: shares in percent and in points, in sentences and in tables."""

import math

import pandas as pd

from normstudy.display.estimates import accuracy, cells, points

TABLE = pd.DataFrame(
    {"name": ["a", "b"], "mean": [0.984, -0.0041], "low": [0.982, math.nan], "high": [0.986, math.nan]}
)


def test_sentences_have_a_share_in_percent_and_a_difference_in_points():
    first, alone = (row for _, row in TABLE.iterrows())
    assert accuracy(first).replace("\u00a0", " ") == "98.40 % [98.20, 98.60]"
    assert points(first).replace("\u00a0", " ") == "+98.40 [+98.20, +98.60]"
    assert points(alone) == "−0.41"


def test_tables_have_a_cell_a_row():
    said = [cell.replace("\u00a0", " ") for cell in cells(TABLE)]
    assert said == ["98.40 (98.20 to 98.60)", "−0.41"]
    said = [cell.replace("\u00a0", " ") for cell in cells(TABLE, scale=1, digits=3, sign=True)]
    assert said == ["+0.984 (+0.982 to +0.986)", "−0.004"]
