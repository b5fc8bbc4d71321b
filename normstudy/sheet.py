"""The worked example as a spreadsheet with live formulas: change a pixel, and see which statistics move.

The first sheet lays images out as rows and channels as columns; its yellow cells are the only inputs. One more sheet
a method computes from them every sum, mean, variance, standard deviation and normalized value. Elements that share a
mean and a standard deviation have the same colour.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter
from torch import Tensor

from normstudy.normalizations import NORMALIZATIONS
from normstudy.statistics import EPSILON, METHODS, normalize, sharing_sets, statistics
from normstudy.statistics_figures import members, set_colours

FRONT = "Images × channels"
INPUT = PatternFill("solid", fgColor="FFF2A8")
OLDEST = (1980, 1, 1, 0, 0, 0)  # date that the file can bear; with it, the same numbers are the same bytes
THIN = Border(*[Side(style="thin", color="808080")] * 4)
COLUMNS = ("elements m", "sum Σx", "mean μ = Σx / m", "squares Σ(x − μ)²", "variance v = squares / m", "σ = √(v + ε)")
SHARE = {method: f"{NORMALIZATIONS[method].idea}: {NORMALIZATIONS[method].count}" for method in METHODS}


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

    def position(self, element: tuple[int, ...]) -> tuple[int, int]:
        """Row and column of element (n, c, h, w), the latter counted from 0."""
        n, c, h, w = element
        return self.top + n * (self.shape[2] + 1) + h, self.left + c * (self.shape[3] + 1) + w

    def name(self, element: tuple[int, ...]) -> str:
        """The element's cell, such as B7."""
        row, column = self.position(element)
        return f"{get_column_letter(column)}{row}"

    def elements(self) -> Iterator[tuple[int, ...]]:
        """All (n, c, h, w), in the tensor's order."""
        n, c, h, w = (range(size) for size in self.shape)
        return ((i, j, k, m) for i in n for j in c for k in h for m in w)


@dataclass(frozen=True)
class Example:
    """The tensor (N, C, H, W) and what it is normalized with: gamma and beta (C,), groups and epsilon."""

    x: Tensor
    groups: int
    gamma: Tensor
    beta: Tensor
    epsilon: float = EPSILON

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        return tuple(self.x.shape)


@dataclass
class _Book:
    """A workbook, and the result of each of its formulas: sheet → cell → value."""

    workbook: Workbook = field(default_factory=Workbook)
    results: dict[str, dict[str, float]] = field(default_factory=dict)

    def formula(self, sheet: Worksheet, name: str, formula: str, result: float, colour: str | None = None) -> None:
        cell = sheet[name]
        cell.value, cell.number_format, cell.border = formula, "0.000", THIN
        cell.alignment = Alignment(horizontal="center", vertical="center")
        if colour:
            cell.fill = PatternFill("solid", fgColor=colour.lstrip("#"))
        self.results.setdefault(sheet.title, {})[name] = result


def write(path: Path, x: Tensor, groups: int, gamma: Tensor, beta: Tensor, epsilon: float = EPSILON) -> None:
    """Write the .xlsx for a tensor x (N, C, H, W), with the number of groups and gamma and beta (C,).

    Raises ValueError as `statistics.sharing_sets` does.
    """
    example = Example(x.double(), groups, gamma.double(), beta.double(), epsilon)
    book = _Book()
    front = book.workbook.active
    assert isinstance(front, Worksheet)
    front.title = FRONT
    pixels = Grid(example.shape, top=7, left=2)
    tables = {norm_arg: _method_sheet(book, example, norm_arg, pixels) for norm_arg in METHODS}
    _front_sheet(book, front, example, pixels, tables)
    for sheet in book.workbook.worksheets:
        sheet.sheet_view.showGridLines = False
        sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
        sheet.page_setup.fitToHeight = 1
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
    if book.workbook.calculation:
        book.workbook.calculation.fullCalcOnLoad = True
    path.write_bytes(_with_results(book))


def _parameter(pixels: Grid, which: str, channel: int = 0) -> str:
    """The input cell of gamma or beta of a channel, or of epsilon: below the pixels and batch's statistics."""
    row = pixels.bottom + {"gamma": 6, "beta": 7, "epsilon": 8}[which]
    return f"${get_column_letter(pixels.position((0, channel, 0, 0))[1])}${row}"


def _front_sheet(
    book: _Book, sheet: Worksheet, example: Example, pixels: Grid, tables: dict[str, list[tuple[str, str]]]
) -> None:
    number, channels, height, width = example.shape
    _title(sheet, "Images × channels: who shares a mean and a standard deviation")
    sheet["A2"] = "Change a yellow cell (a pixel, γ, β or ε) and see what moves, here and on the sheets of the methods."
    sheet["A3"] = (
        "Batch normalization's statistics run down the columns and stand below them; "
        "layer and group normalization's run along the rows and stand beside them."
    )
    _labels(sheet, pixels)
    for element in pixels.elements():
        _input(sheet, pixels.name(element), _plain(example.x[element]))

    def pair(norm_arg: str, index: int, cells: tuple[tuple[int, int, int, int], ...]) -> None:
        """A mean and a standard deviation, each in a merged range: first row, first column, last row, last column."""
        found = statistics(example.x, norm_arg, example.groups, example.epsilon)
        colour = set_colours(example.shape, norm_arg, example.groups)[index]
        values = (found.means, found.standard_deviations)
        for (top, left, bottom, right), cell, value in zip(cells, tables[norm_arg][index], values, strict=True):
            name = f"{get_column_letter(left)}{top}"
            book.formula(sheet, name, f"='{norm_arg.capitalize()}'!{cell}", value[index].item(), colour)
            sheet.merge_cells(start_row=top, start_column=left, end_row=bottom, end_column=right)

    below = pixels.bottom + 2
    for row, text in enumerate(("batch: mean μ", "batch: σ")):
        _label(sheet, f"A{below + row}", text)
    for channel in range(channels):
        left = pixels.position((0, channel, 0, 0))[1]
        pair("batch", channel, tuple((row, left, row, left + width - 1) for row in (below, below + 1)))
        for which, values in (("gamma", example.gamma), ("beta", example.beta)):
            name = _parameter(pixels, which, channel).replace("$", "")
            _input(sheet, name, _plain(values[channel]))
            row = pixels.bottom + (6 if which == "gamma" else 7)
            sheet.merge_cells(start_row=row, start_column=left, end_row=row, end_column=left + width - 1)
    for which, text in (("gamma", "γ of the channel"), ("beta", "β of the channel"), ("epsilon", "ε")):
        _label(sheet, f"A{_parameter(pixels, which).split('$')[2]}", text)
    epsilon = _parameter(pixels, "epsilon").replace("$", "")
    _input(sheet, epsilon, example.epsilon)
    sheet[epsilon].number_format = "0.0E+00"
    row = sheet[epsilon].row
    sheet.merge_cells(start_row=row, start_column=pixels.left, end_row=row, end_column=pixels.left + width - 1)

    beside = pixels.right + 2
    sharers = [("layer", 0), *(("group", group) for group in range(example.groups))]
    for place, (norm_arg, group) in enumerate(sharers):
        left = beside + 3 * place
        sheet.cell(5, left, norm_arg if norm_arg == "layer" else f"group {group + 1}").font = Font(bold=True)
        for column, text in ((left, "mean μ"), (left + 1, "σ")):
            sheet.cell(6, column, text).alignment = Alignment(horizontal="center")
            sheet.column_dimensions[get_column_letter(column)].width = 9
        sheet.column_dimensions[get_column_letter(left + 2)].width = 2
        for image in range(number):
            top = pixels.position((image, 0, 0, 0))[0]
            index = image if norm_arg == "layer" else image * example.groups + group
            spans = tuple((top, column, top + height - 1, column) for column in (left, left + 1))
            pair(norm_arg, index, spans)
    _widths(sheet, pixels)


def _method_sheet(book: _Book, example: Example, norm_arg: str, pixels: Grid) -> list[tuple[str, str]]:
    """A method's sheet; returns the cells of each set's mean and standard deviation."""
    sheet = book.workbook.create_sheet(norm_arg.capitalize())
    found = statistics(example.x, norm_arg, example.groups, example.epsilon)
    sets = sharing_sets(example.shape, norm_arg, example.groups)
    colours = set_colours(example.shape, norm_arg, example.groups)
    names = members(example.shape, norm_arg, example.groups)
    _title(sheet, f"{norm_arg.capitalize()} normalization: {SHARE[norm_arg]} = {len(names)} means and as many σ")
    sheet["A2"] = (
        "Same colour, same mean and standard deviation. The pixels, γ, β and ε are changed on the first sheet."
    )

    x = Grid(example.shape, top=7, left=2)
    second = max(x.bottom, x.top + len(names)) + 5
    normalized = Grid(example.shape, top=second, left=2)
    scaled = Grid(example.shape, top=second, left=x.right + 3)
    for grid, text in ((x, "x"), (normalized, "x̂ = (x − μ) / σ"), (scaled, "y = γ · x̂ + β")):
        sheet.cell(grid.top - 3, grid.left, text).font = Font(bold=True)
        _labels(sheet, grid)

    first = x.right + 3  # the column of the table's first number
    sheet.cell(x.top - 3, first - 1, "the statistics").font = Font(bold=True)
    sheet.cell(x.top - 1, first - 1, "shared by").font = Font(bold=True)
    for column, text in enumerate(COLUMNS):
        heading = sheet.cell(x.top - 1, first + 2 * column, text)
        heading.font, heading.alignment = Font(bold=True), Alignment(wrap_text=True, horizontal="center")
        sheet.merge_cells(
            start_row=x.top - 1,
            start_column=first + 2 * column,
            end_row=x.top - 1,
            end_column=first + 2 * column + 1,
        )
    sheet.row_dimensions[x.top - 1].height = 46

    cells = []
    squares = found.variances * found.size
    for index, name in enumerate(names):
        row = x.top + index
        corners = (sets == index).nonzero()
        span = f"{x.name(tuple(corners[0].tolist()))}:{x.name(tuple(corners[-1].tolist()))}"
        m, total, mean, square, variance, deviation = (
            f"{get_column_letter(first + 2 * column)}{row}" for column in range(len(COLUMNS))
        )
        _label(sheet, f"{get_column_letter(first - 1)}{row}", name)
        epsilon = f"'{FRONT}'!{_parameter(pixels, 'epsilon')}"
        for cell, formula, result in (
            (m, f"=COUNT({span})", found.size),
            (total, f"=SUM({span})", found.sums[index].item()),
            (mean, f"={total}/{m}", found.means[index].item()),
            (square, f"=DEVSQ({span})", squares[index].item()),
            (variance, f"={square}/{m}", found.variances[index].item()),
            (deviation, f"=SQRT({variance}+{epsilon})", found.standard_deviations[index].item()),
        ):
            book.formula(sheet, cell, formula, result, colours[index])
            left = sheet[cell].column
            sheet.merge_cells(start_row=row, start_column=left, end_row=row, end_column=left + 1)
        for cell in (m, total):
            sheet[cell].number_format = "General"
        cells.append((mean, deviation))

    without = normalize(example.x, norm_arg, example.groups, epsilon=example.epsilon)
    returned = normalize(example.x, norm_arg, example.groups, example.gamma, example.beta, example.epsilon)
    for element in x.elements():
        index = int(sets[element])
        mean, deviation = (re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", cell) for cell in cells[index])
        gamma, beta = (f"'{FRONT}'!{_parameter(pixels, which, element[1])}" for which in ("gamma", "beta"))
        own, hat = x.name(element), normalized.name(element)
        book.formula(sheet, own, f"='{FRONT}'!{pixels.name(element)}", example.x[element].item(), colours[index])
        sheet[own].number_format = "General"
        book.formula(sheet, hat, f"=({own}-{mean})/{deviation}", without[element].item(), colours[index])
        book.formula(sheet, scaled.name(element), f"={gamma}*{hat}+{beta}", returned[element].item(), colours[index])
    for grid in (x, scaled):
        _widths(sheet, grid)
    sheet.column_dimensions[get_column_letter(first - 1)].width = 24
    return cells


def _title(sheet: Worksheet, text: str) -> None:
    sheet["A1"] = text
    sheet["A1"].font = Font(bold=True, size=14)


def _label(sheet: Worksheet, name: str, text: str) -> None:
    sheet[name] = text
    sheet[name].alignment = Alignment(vertical="center")


def _input(sheet: Worksheet, name: str, value: float) -> None:
    cell = sheet[name]
    cell.value, cell.fill, cell.border = value, INPUT, THIN
    cell.alignment = Alignment(horizontal="center")


def _labels(sheet: Worksheet, grid: Grid) -> None:
    """Number the images and the channels of a grid."""
    number, channels, _, width = grid.shape
    for image in range(number):
        row = grid.position((image, 0, 0, 0))[0]
        if grid.left == 2:
            _label(sheet, f"A{row}", f"image {image + 1}")
    for channel in range(channels):
        column = grid.position((0, channel, 0, 0))[1]
        cell = sheet.cell(grid.top - 1, column, f"channel {channel + 1}")
        cell.alignment = Alignment(horizontal="center", vertical="bottom")
        sheet.merge_cells(
            start_row=grid.top - 1, start_column=column, end_row=grid.top - 1, end_column=column + width - 1
        )


def _widths(sheet: Worksheet, grid: Grid) -> None:
    sheet.column_dimensions["A"].width = 17
    for column in range(grid.left, grid.right + 1):
        gap = (column - grid.left) % (grid.shape[3] + 1) == grid.shape[3]
        sheet.column_dimensions[get_column_letter(column)].width = 2 if gap else 7.5


def _plain(value: Tensor) -> float | int:
    number = value.item()
    return int(number) if number == int(number) else number


def _with_results(book: _Book) -> bytes:
    """The file, with each formula's result beside it, for programs that show a workbook without calculating it."""
    written, completed = BytesIO(), BytesIO()
    properties = book.workbook.properties
    properties.created = properties.modified = datetime(*OLDEST)
    with zipfile.ZipFile(written, "w") as archive:
        ExcelWriter(book.workbook, archive).write_data()
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(completed, "w", zipfile.ZIP_DEFLATED) as target:
        for part in source.infolist():
            content = source.read(part)
            if sheet := re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", part.filename):
                results = book.results[book.workbook.worksheets[int(sheet[1]) - 1].title]

                def complete(match: re.Match[str], results: dict[str, float] = results) -> str:
                    return f"{match[1]}<v>{results[match[2]]!r}</v>"

                cell = r'(<c r="([A-Z]+\d+)"[^>]*><f>[^<]*</f>)<v ?(?:/>|></v>)'
                content = re.sub(cell, complete, content.decode()).encode()
            target.writestr(zipfile.ZipInfo(part.filename, OLDEST), content, zipfile.ZIP_DEFLATED)
    return completed.getvalue()
