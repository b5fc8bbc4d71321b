"""The cells of a spreadsheet: where elements lie, and what a program finds in them."""

import itertools
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet
from xlsxwriter import Workbook

from normstudy.display.cells import Grid, Page

SIZES = st.integers(1, 4)
GRIDS = st.builds(Grid, st.tuples(SIZES, SIZES, SIZES, SIZES), st.integers(0, 9), st.integers(0, 9))

Drawn = Callable[[Callable[[Page], None]], Worksheet]


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    """A sheet as another program reads it, after something was put on its page."""

    def read(put: Callable[[Page], None], results: bool = False) -> Worksheet:
        with Workbook(tmp_path / "book.xlsx") as book:
            put(Page(book, book.add_worksheet("Sheet")))
        return openpyxl.load_workbook(tmp_path / "book.xlsx", data_only=results)["Sheet"]

    return read


def merged(sheet: Worksheet) -> set[str]:
    return {str(cells) for cells in sheet.merged_cells.ranges}


def widths(sheet: Worksheet) -> dict[int, float]:
    """Column, from 0 → how many digits it has room for, where that was set."""
    return {
        column - 1: dimension.width
        for dimension in sheet.column_dimensions.values()
        for column in range(dimension.min, dimension.max + 1)
    }


def test_images_lie_below_and_channels_beside_one_another_with_a_gap_between():
    grid = Grid((2, 3, 2, 4), top=6, left=1)
    assert grid.position((0, 0, 0, 0)) == (6, 1)
    assert grid.position((0, 0, 1, 3)) == (7, 4)
    assert grid.position((1, 0, 0, 0)) == (9, 1)
    assert grid.position((0, 1, 0, 0)) == (6, 6)
    assert grid.position((1, 2, 1, 3)) == (10, 14)


@given(GRIDS)
def test_each_element_has_a_place_of_its_own_from_the_first_corner_to_the_last(grid: Grid):
    places = [grid.position(element) for element in grid.elements()]
    assert len(set(places)) == len(places)
    assert min(places) == (grid.top, grid.left)
    assert max(places) == (grid.bottom, grid.right)
    assert max(column for _, column in places) == grid.right


@given(GRIDS)
def test_rows_and_columns_without_an_element_stand_between_images_and_channels_one_each(grid: Grid):
    number, channels, height, width = grid.shape
    places = [grid.position(element) for element in grid.elements()]
    rows, columns = ({place[axis] for place in places} for axis in (0, 1))
    assert set(range(grid.top, grid.bottom + 1)) - rows == {
        grid.top + image * (height + 1) - 1 for image in range(1, number)
    }
    assert set(range(grid.left, grid.right + 1)) - columns == {
        grid.left + channel * (width + 1) - 1 for channel in range(1, channels)
    }


@given(GRIDS)
def test_elements_come_in_the_order_of_the_tensor(grid: Grid):
    assert list(grid.elements()) == list(itertools.product(*map(range, grid.shape)))


def test_a_text_has_the_look_that_is_asked_for(drawn: Drawn):
    sheet = drawn(lambda page: page.text((2, 1), "a < b & c", bold=True, font_size=14, align="center"))
    cell = sheet["B3"]
    assert cell.value == "a < b & c"
    assert (cell.font.b, cell.font.sz, cell.alignment.horizontal) == (True, 14, "center")


def test_a_text_of_digits_stays_a_text(drawn: Drawn):
    assert drawn(lambda page: page.text((0, 0), "12"))["A1"].value == "12"


def test_a_formula_stands_beside_its_result_in_a_box_of_its_colour(drawn: Drawn):
    def put(page: Page) -> None:
        page.formula((1, 2), "=A1/3", 0.5, "#CC79A7")

    cell = drawn(put)["C2"]
    assert cell.value == "=A1/3"
    assert (cell.number_format, cell.fill.fgColor.rgb) == ("0.000", "FFCC79A7")
    assert (cell.alignment.horizontal, cell.alignment.vertical) == ("center", "center")
    sides = (cell.border.left, cell.border.right, cell.border.top, cell.border.bottom)
    assert {(side.style, side.color.rgb) for side in sides} == {("thin", "FF808080")}
    assert drawn(put, results=True)["C2"].value == 0.5


def test_a_formula_may_have_another_format_and_span_cells_below_and_beside(drawn: Drawn):
    def put(page: Page) -> None:
        page.formula((0, 0), "=1+1", 2, "#FFFFFF", "General")
        page.formula((1, 2), "=B1", 0.25, "#FFFFFF", "0.0", span=(2, 3))

    sheet = drawn(put)
    assert merged(sheet) == {"C2:E3"}
    assert (sheet["C2"].value, sheet["C2"].number_format) == ("=B1", "0.0")
    assert sheet["A1"].number_format == "General"
    assert drawn(put, results=True)["C2"].value == 0.25


@pytest.mark.parametrize("value", [0, 3, -2.0, 0.25, 1e-5, 1 / 3, 1e300])
def test_an_input_is_a_yellow_cell_with_the_number_as_it_is(drawn: Drawn, value: float):
    cell = drawn(lambda page: page.input((0, 1), value))["B1"]
    assert cell.value == pytest.approx(value, rel=1e-15)
    assert (cell.fill.fgColor.rgb, cell.number_format, cell.border.left.style) == ("FFFFF2A8", "General", "thin")


def test_an_input_may_be_several_columns_wide_and_have_a_format(drawn: Drawn):
    sheet = drawn(lambda page: page.input((4, 1), 1e-5, 3, "0.0E+00"))
    assert merged(sheet) == {"B5:D5"}
    assert (sheet["B5"].value, sheet["B5"].number_format) == (1e-5, "0.0E+00")


def test_images_and_channels_are_numbered_from_1_at_their_first_cell(drawn: Drawn):
    sheet = drawn(lambda page: page.label(Grid((2, 3, 2, 4), top=6, left=1)))
    said = {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert said == {"A7": "image 1", "A10": "image 2", "B6": "channel 1", "G6": "channel 2", "L6": "channel 3"}
    assert merged(sheet) == {"B6:E6", "G6:J6", "L6:O6"}
    assert {sheet[place].alignment.horizontal for place in ("B6", "G6", "L6")} == {"center"}


def test_without_room_before_them_images_are_not_numbered(drawn: Drawn):
    sheet = drawn(lambda page: page.label(Grid((2, 1, 1, 1), top=1, left=5)))
    said = {cell.coordinate: cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert said == {"F1": "channel 1"}


def test_a_channel_of_one_column_needs_no_cells_to_be_merged(drawn: Drawn):
    assert merged(drawn(lambda page: page.label(Grid((1, 2, 2, 1), top=1, left=1)))) == set()


def test_columns_of_values_are_narrow_and_gaps_narrower(drawn: Drawn):
    found = widths(drawn(lambda page: page.label(Grid((1, 3, 1, 2), top=1, left=2))))
    wanted = {0: 17, 2: 7.5, 3: 7.5, 4: 2, 5: 7.5, 6: 7.5, 7: 2, 8: 7.5, 9: 7.5}
    assert found == pytest.approx(wanted, abs=0.8), "a file adds some pixels"
