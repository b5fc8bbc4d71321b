"""The cells of a spreadsheet: where the elements of a tensor lie in it, and how texts, formulas and inputs look."""

from collections.abc import Iterator
from dataclasses import dataclass

from xlsxwriter import Workbook
from xlsxwriter.format import Format
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


@dataclass(frozen=True)
class Page:
    """A worksheet of a workbook."""

    book: Workbook
    sheet: Worksheet

    def text(self, place: Place, text: str, **look: object) -> None:
        """Write a text, with properties of XlsxWriter's formats."""
        self.sheet.write(*place, text, self.book.add_format(look))

    def formula(
        self, place: Place, formula: str, result: float, colour: str, number: str = "0.000", span: Place = (1, 1)
    ) -> None:
        """A formula and its result, for programs that show a workbook without calculating it."""
        self.sheet.write_formula(*place, formula, self._box(place, span, colour, number), result)

    def input(self, place: Place, value: float, columns: int = 1, number: str = "General") -> None:
        """A yellow cell, which a reader may change."""
        plain = int(value) if value == int(value) else value
        self.sheet.write_number(*place, plain, self._box(place, (1, columns), "#FFF2A8", number))

    def _box(self, place: Place, span: Place, colour: str, number: str) -> Format:
        look = {"num_format": number, "border": 1, "border_color": "#808080", "bg_color": colour}
        box = self.book.add_format(look | {"align": "center", "valign": "vcenter"})
        if span != (1, 1):
            self.sheet.merge_range(*place, place[0] + span[0] - 1, place[1] + span[1] - 1, "", box)
        return box

    def label(self, grid: Grid) -> None:
        """Number the images, where there is room, and the channels; narrow columns for values, narrower gaps."""
        number, channels, _, width = grid.shape
        for image in range(number):
            if grid.left == 1:
                self.text((grid.position((image, 0, 0, 0))[0], 0), f"image {image + 1}")
        for channel in range(channels):
            row, column = grid.top - 1, grid.position((0, channel, 0, 0))[1]
            if width > 1:
                self.sheet.merge_range(row, column, row, column + width - 1, "")
            self.text((row, column), f"channel {channel + 1}", align="center")
        self.sheet.set_column(0, 0, 17)
        for column in range(grid.left, grid.right + 1):
            gap = (column - grid.left) % (width + 1) == width
            self.sheet.set_column(column, column, 2 if gap else 7.5)
