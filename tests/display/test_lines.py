"""An outcome against a setting: a line a normalization with its intervals, and the same in words."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.ticker import NullLocator

from normstudy.display import lines
from normstudy.display.figures import look, new_figure

TABLE = pd.DataFrame(
    {
        "normalization": ["layer", "layer", "batch", "batch", "group", "group"],
        "depth": [2, 8, 2, 8, 2, 8],
        "mean": [0.5, 0.25, 0.75, 1.0, 0.125, 0.0],
        "low": [0.25, 0.125, 0.5, 0.875, 0.0, 0.0],
        "high": [0.625, 0.75, 1.0, 1.0, 0.25, 0.5],
    }
)


@pytest.fixture
def axis() -> Axes:
    _, axes = new_figure(4, 3)
    return axes[0, 0]


def drawn(axis: Axes) -> list[ErrorbarContainer]:
    return [container for container in axis.containers if isinstance(container, ErrorbarContainer)]


def places(axis: Axes) -> np.ndarray:
    """Where marks stand on the horizontal axis, a row a line."""
    return np.array([container.lines[0].get_xdata() for container in drawn(axis)])


def test_each_normalization_has_a_line_through_its_means_in_the_order_of_the_table(axis: Axes):
    lines.draw(axis, TABLE, "depth")
    assert [container.get_label() for container in drawn(axis)] == ["layer", "batch", "group"]
    assert [container.lines[0].get_ydata().tolist() for container in drawn(axis)] == [[50, 25], [75, 100], [12.5, 0]]
    assert places(axis).tolist() == [[2, 8]] * 3
    for container in drawn(axis):
        how = look(container.get_label())
        assert container.lines[0].get_linestyle() != "None"
        assert (container.lines[0].get_color(), container.lines[0].get_marker()) == (how["color"], how["marker"])


@pytest.mark.parametrize("scale", [1, 100])
def test_bars_reach_from_the_low_to_the_high_end_of_an_interval(axis: Axes, scale: float):
    lines.draw(axis, TABLE, "depth", scale=scale)
    for (_, part), container in zip(TABLE.groupby("normalization", sort=False), drawn(axis), strict=True):
        (bars,) = container.lines[2]
        ends = [segment[:, 1].tolist() for segment in bars.get_segments()]
        assert ends == (scale * part[["low", "high"]]).to_numpy().tolist()


def test_without_intervals_there_are_no_bars(axis: Axes):
    lines.draw(axis, TABLE.drop(columns=["low", "high"]), "depth")
    assert [container.has_yerr for container in drawn(axis)] == [False] * 3
    assert len(places(axis)) == 3


def test_marks_need_not_be_joined(axis: Axes):
    lines.draw(axis, TABLE, "depth", joined=False)
    assert {container.lines[0].get_linestyle() for container in drawn(axis)} == {"None"}


def test_marks_at_the_same_setting_stand_apart_around_it(axis: Axes):
    lines.draw(axis, TABLE, "depth", spread=0.5)
    assert places(axis).tolist() == [[1.5, 7.5], [2, 8], [2.5, 8.5]]


def test_on_a_logarithmic_axis_they_stand_apart_by_a_share_of_it(axis: Axes):
    lines.set_ticks(axis, [2, 8], base=2)
    lines.draw(axis, TABLE, "depth", spread=0.25)
    assert places(axis) == pytest.approx(np.array([[2 / 1.25, 8 / 1.25], [2, 8], [2.5, 10]]))


def test_a_normalization_without_rows_has_no_line_and_no_words(axis: Axes):
    names = pd.Categorical(TABLE["normalization"], ["layer", "batch", "group", "none"])
    table = TABLE.assign(normalization=names)
    lines.draw(axis, table, "depth", spread=0.5)
    assert places(axis).tolist() == [[1.5, 7.5], [2, 8], [2.5, 8.5]]
    assert "none" not in lines.in_words(table, "depth", 1)


def test_each_setting_has_a_tick_with_its_number_and_nothing_else_has(axis: Axes):
    lines.set_ticks(axis, [0.002, 0.005, 0.02])
    assert axis.get_xscale() == "log"
    assert axis.get_xticks(minor=True).size == 0
    lines.set_ticks(axis, [0.00001, 0.003, 1, 1500])
    assert axis.get_xticks().tolist() == [0.00001, 0.003, 1, 1500]
    assert [label.get_text() for label in axis.get_xticklabels()] == ["1×10⁻⁵", "0.003", "1", "1,500"]


def test_a_fine_logarithm_has_the_ticks_that_are_asked_for_as_plain_numbers(axis: Axes):
    axis.plot([0, 1], [0.5, 10])
    lines.fine_logarithm(axis, (1, 3))
    axis.figure.draw_without_rendering()
    assert isinstance(axis.yaxis.get_minor_locator(), NullLocator)
    low, high = axis.get_ylim()
    labels = [
        label.get_text()
        for place, label in zip(axis.get_yticks(), axis.get_yticklabels(), strict=True)
        if low <= place <= high
    ]
    assert labels == ["1", "3", "10"]


def test_a_table_in_words_has_every_mean_at_its_setting():
    assert lines.in_words(TABLE, "depth", 1) == (
        "layer 50.0 at 2, 25.0 at 8; batch 75.0 at 2, 100.0 at 8; group 12.5 at 2, 0.0 at 8"
    )
    rates = TABLE.assign(rate=TABLE["depth"] / 1e6)[:2]
    assert lines.in_words(rates, "rate", 2, scale=-1) == "layer −0.50 at 2×10⁻⁶, −0.25 at 8×10⁻⁶"
