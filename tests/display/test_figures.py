"""Figures in one style, told apart without colour, with text alternatives; tables in which any text is text."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pypandoc
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html

from normstudy.display import figures
from normstudy.normalizations import NORMALIZATIONS


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict, dict]]:
    calls: list[tuple[dict, dict]] = []
    monkeypatch.setattr(figures, "display", lambda data, metadata=None, raw=False: calls.append((data, metadata or {})))
    return calls


def history(values: list[float]) -> pd.DataFrame:
    frame = pd.DataFrame({"epoch": range(1, len(values) + 1)})
    for name in figures.METRICS:
        frame[name] = values
    return frame.assign(train_penalty=0.1)


def test_lines_differ_by_more_than_colour():
    for table in (
        {name: str(figures.look(name)[how]) for name in NORMALIZATIONS} for how in ("color", "linestyle", "marker")
    ):
        assert len(set(table.values())) == len(table) == len(NORMALIZATIONS)


@pytest.mark.parametrize("metric", figures.METRICS)
def test_a_graph_has_a_line_for_each_variant(metric: str):
    histories = {name: history([0.5, 0.7, 0.9]) for name in ("batch", "layer", "group")}
    axis = figures.comparison_curves(histories, metric).axes[0]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["batch", "layer", "group"]
    scale = 100 if metric.endswith("accuracy") else 1
    for line in axis.get_lines():
        assert line.get_ydata().tolist() == [scale * value for value in (0.5, 0.7, 0.9)]


def test_the_axis_of_accuracies_shows_every_epoch_after_the_first():
    axis = figures.comparison_curves({"batch": history([0.1, 0.97, 0.99])}, "test_accuracy").axes[0]
    low, high = axis.get_ylim()
    assert 10 < low < 97
    assert high > 99


def test_a_figure_is_stored_as_svg_with_its_text_alternative(shown: list[tuple[dict, dict]]):
    figures.show(figures.learning_curves(history([0.5, 0.7]), "batch"), "What it shows.")
    data, metadata = shown[0]
    assert ElementTree.fromstring(data["image/svg+xml"]).tag.endswith("svg")
    assert {kind["alt"] for kind in metadata.values()} == {"What it shows."}


def test_the_same_figure_is_the_same_bytes(shown: list[tuple[dict, dict]]):
    for _ in range(2):
        figures.show(figures.confusion_matrix(np.eye(3, dtype=int), "012", "batch"), "Three.")
    assert shown[0][0]["image/svg+xml"] == shown[1][0]["image/svg+xml"]


def test_a_grid_holds_each_image_once():
    images = np.arange(7 * 4).reshape(7, 2, 2)
    figure = figures.digit_grid(images, [str(number) for number in range(7)])
    assert sum(len(axis.images) for axis in figure.axes) == 7


def test_numbers_are_aligned_to_the_right(shown: list[tuple[dict, dict]]):
    columns = {
        "word": ["a", "b", "c"],
        "number": [1, 2, 3],
        "written": ["1.50", "−2.5×10⁻⁵", "2"],
        "mostly numbers": ["none", "0.03", "0.1"],
        "mostly words": ["0.03 (2 of 3)", "0.1 (1 of 3)", "0.1"],
    }
    figures.table(pd.DataFrame(columns))
    rule = shown[0][0]["text/markdown"].splitlines()[1]
    assert [part.endswith(":") for part in rule.strip("|").split("|")] == [False, True, True, True, False]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f\x85\xa0\xad"), min_size=1))
@example("1--2 --- 3")
def test_escaped_text_reads_as_it_stands(text: str):
    text = " ".join(text.split()) or "x"
    page = pypandoc.convert_text(f"x {figures.escape(text)} x", "html", "markdown", extra_args=["--wrap=none"])
    read = html.fromstring(page).text_content().strip()
    assert read.removeprefix("x ").removesuffix(" x") == text.replace("...", "…")


def test_numbers_of_a_table_are_written_in_the_one_style(shown: list[tuple[dict, dict]]):
    figures.table(
        pd.DataFrame({"images": [60000, 7], "l1": [3e-05, -0.5], "same": [True, False], "word": ["a-1", "b"]})
    )
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown[0][0]["text/markdown"].splitlines()]
    assert rows[2:] == [["60,000", "3×10⁻⁵", "True", "a-1"], ["7", "−0.5", "False", "b"]]


def test_axes_write_numbers_in_the_one_style():
    figure, axes = figures.new_figure(3, 3)
    axes[0, 0].plot([0, 1], [-2e-7, 3e-7])
    figure.draw_without_rendering()
    axis = axes[0, 0].yaxis
    assert "10^{−7}" in axis.get_offset_text().get_text()
    assert "−2" in " ".join(label.get_text() for label in axis.get_ticklabels())


def test_a_large_count_in_a_confusion_matrix_has_its_thousands_apart():
    figure = figures.confusion_matrix(np.array([[1135, 0], [2, 980]]), "01", "batch")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1,135", "·", "2", "980"]
