"""Forest plots: a row each difference, in its group, beside the line of no difference."""

import math

import pandas as pd
import pytest
from matplotlib.axes import Axes

from normstudy.display import figures, forest
from normstudy.normalizations import NORMALIZATIONS

TABLE = pd.DataFrame(
    [
        ("beside none", "batch", 0.5, 0.4, 0.6),
        ("beside none", "layer", 0.7, 0.6, 0.8),
        ("penalty", "L1", 1.1, 0.9, 1.3),
        ("penalty", "one seed", 1.2, math.nan, math.nan),
    ],
    columns=["group", "name", "mean", "low", "high"],
)


def drawn(table: pd.DataFrame = TABLE, *, factors: bool = True) -> Axes:
    figure, axes = figures.new_figure(5, forest.height(table) + 0.5)
    forest.draw(axes[0, 0], table, factors=factors)
    figure.canvas.draw()
    axis: Axes = axes[0, 0]
    return axis


def test_rows_stand_below_the_name_of_their_group():
    labels = drawn().get_yticklabels()
    assert [label.get_text() for label in labels] == ["beside none", "batch", "layer", "penalty", "L1", "one seed"]
    assert [label.get_fontweight() == "bold" for label in labels] == [True, False, False, True, False, False]


def test_each_row_has_its_mean_and_its_interval_and_a_normalization_its_colour():
    marks = [bars[0] for bars in drawn().containers]
    assert [(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks] == [(0.5, 1), (0.7, 2), (1.1, 4), (1.2, 5)]
    assert marks[0].get_color() == NORMALIZATIONS["batch"].colour
    ((low, _), (high, _)) = drawn().containers[0][2][0].get_segments()[0]
    assert (low, high) == pytest.approx((0.4, 0.6))


@pytest.mark.parametrize(("factors", "where", "scale"), [(True, 1, "log"), (False, 0, "linear")])
def test_the_line_stands_where_there_is_no_difference(factors: bool, where: float, scale: str):
    axis = drawn(factors=factors)
    (line,) = [line for line in axis.lines if list(line.get_ydata()) == [0, 1]]
    assert list(line.get_xdata()) == [where, where]
    assert axis.get_xscale() == scale


@pytest.mark.parametrize("scale", [1, 30])
def test_factors_that_are_near_one_another_or_far_apart_have_ticks_that_can_be_read(scale: float):
    table = TABLE.assign(high=TABLE["high"] * scale)
    axis = drawn(table)
    shown = [label.get_text() for label in axis.get_xticklabels() if label.get_text()]
    assert 4 <= len(shown) <= 12
    assert not any("10" in text and "^" in text for text in shown)
