"""The cells of a spreadsheet: where the elements of a tensor lie in it, and how formulas and inputs look."""

from collections.abc import Iterator
from dataclasses import dataclass

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

Place = tuple[int, int]
"""A row and a column, each counted from 0."""


@dataclass(frozen=True)
class Grid:
    """Where the elements of a tensor (N, C, H, W) lie: images below, channels beside one another, a gap between."""

    shape: tuple[int, ...]
    top: int
    left: int

    @property
    def bottom(self) -> int:
        """The last row."""
        return self.position((self.shape[0] - 1, 0, self.shape[2] - 1, 0))[0]

    @property
    def right(self) -> int:
        """The last column."""
        return self.position((0, self.shape[1] - 1, 0, self.shape[3] - 1))[1]

    def position(self, element: tuple[int, ...]) -> Place:
        """Row and column of element (n, c, h, w)."""
        n, c, h, w = element
        return self.top + n * (self.shape[2] + 1) + h, self.left + c * (self.shape[3] + 1) + w

    def elements(self) -> Iterator[tuple[int, ...]]:
        """All (n, c, h, w), in the tensor's order."""
        n, c, h, w = (range(size) for size in self.shape)
        return ((i, j, k, m) for i in n for j in c for k in h for m in w)


def write_formula(
    book: Workbook, sheet: Worksheet, place: Place, formula: str, result: float, colour: str, number: str = "0.000",
    span: Place = (1, 1),
) -> None:  # fmt: skip
    """A formula and its result, for programs that show a workbook without calculating it."""
    look = {"num_format": number, "border": 1, "border_color": "#808080", "bg_color": colour}
    cell = book.add_format(look | {"align": "center", "valign": "vcenter"})
    if span != (1, 1):
        sheet.merge_range(*place, place[0] + span[0] - 1, place[1] + span[1] - 1, "", cell)
    sheet.write_formula(*place, formula, cell, result)


def write_input(
    book: Workbook, sheet: Worksheet, place: Place, value: float, columns: int = 1, number: str = "General"
) -> None:
    """A yellow cell, which a reader may change."""
    look = {"num_format": number, "border": 1, "border_color": "#808080", "bg_color": "#FFF2A8", "align": "center"}
    cell = book.add_format(look)
    if columns > 1:
        sheet.merge_range(*place, place[0], place[1] + columns - 1, "", cell)
    sheet.write_number(*place, value, cell)


def write_title(book: Workbook, sheet: Worksheet, text: str) -> None:
    """The heading of a sheet."""
    sheet.write("A1", text, book.add_format({"bold": True, "font_size": 14}))


def number_images_and_channels(book: Workbook, sheet: Worksheet, grid: Grid) -> None:
    """Number the images and the channels of a grid."""
    number, channels, _, width = grid.shape
    for image in range(number):
        if grid.left == 1:
            sheet.write(grid.position((image, 0, 0, 0))[0], 0, f"image {image + 1}")
    centred = book.add_format({"align": "center"})
    for channel in range(channels):
        row, column = grid.top - 1, grid.position((0, channel, 0, 0))[1]
        if width > 1:
            sheet.merge_range(row, column, row, column + width - 1, "", centred)
        sheet.write(row, column, f"channel {channel + 1}", centred)


def set_widths(sheet: Worksheet, grid: Grid) -> None:
    """Narrow columns for values, and narrower ones between channels."""
    sheet.set_column(0, 0, 17)
    for column in range(grid.left, grid.right + 1):
        gap = (column - grid.left) % (grid.shape[3] + 1) == grid.shape[3]
        sheet.set_column(column, column, 2 if gap else 7.5)
