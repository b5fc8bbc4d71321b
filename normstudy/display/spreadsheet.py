"""The worked example as a spreadsheet with live formulas: change a pixel, and see which statistics move.

The first sheet lays images out as rows and channels as columns; its yellow cells are the only inputs. One more sheet
a normalization computes from them every sum, mean, variance, standard deviation and normalized value. Elements that
share a mean and a standard deviation have the same colour.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from torch import Tensor
from xlsxwriter import Workbook
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from normstudy.display.cells import (
    Grid,
    Place,
    number_images_and_channels,
    set_widths,
    write_formula,
    write_input,
    write_title,
)
from normstudy.display.sharing import members, set_colours
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING
from normstudy.statistics import EPSILON, normalize, sharing_sets, statistics

FRONT = "Images × channels"
COLUMNS = ("elements m", "sum Σx", "mean μ = Σx / m", "squares Σ(x − μ)²", "variance v = squares / m", "σ = √(v + ε)")


@dataclass(frozen=True)
class Example:
    """The tensor (N, C, H, W) and what it is normalized with: gamma and beta (C,), groups and epsilon."""

    x: Tensor
    groups: int
    gamma: Tensor
    beta: Tensor
    epsilon: float = EPSILON

    @property
    def pixels(self) -> Grid:
        """Where x lies on the first sheet, and on those of the normalizations."""
        return Grid(tuple(self.x.shape), top=6, left=1)

    def parameter(self, which: str, channel: int = 0) -> Place:
        """The input cell of gamma or beta of a channel, or of epsilon: below the pixels and batch's statistics."""
        row = self.pixels.bottom + {"gamma": 6, "beta": 7, "epsilon": 8}[which]
        return row, self.pixels.position((0, channel, 0, 0))[1]

    def input_name(self, which: str, channel: int = 0) -> str:
        """The same as formulas on other sheets name it."""
        return f"'{FRONT}'!{xl_rowcol_to_cell(*self.parameter(which, channel), row_abs=True, col_abs=True)}"


def write(path: Path, x: Tensor, groups: int, gamma: Tensor, beta: Tensor, epsilon: float = EPSILON) -> None:
    """Write the .xlsx for a tensor x (N, C, H, W), with the number of groups and gamma and beta (C,).

    Raises ValueError as `statistics.sharing_sets` does.
    """
    example = Example(x.double(), groups, gamma.double(), beta.double(), epsilon)
    with Workbook(path) as book:
        book.set_properties({"created": datetime(1980, 1, 1)})  # the same numbers are the same bytes
        front = book.add_worksheet(FRONT)
        statistics_at = {name: _normalization_sheet(book, example, name) for name in NORMALIZING}
        _front_sheet(book, front, example, statistics_at)
        for sheet in book.worksheets():
            sheet.hide_gridlines(2)
            sheet.set_landscape()
            sheet.set_paper(9)  # A4
            sheet.fit_to_pages(1, 1)


def _front_sheet(
    book: Workbook, sheet: Worksheet, example: Example, statistics_at: dict[str, list[tuple[str, str]]]
) -> None:
    write_title(book, sheet, "Images × channels: who shares a mean and a standard deviation")
    sheet.write(
        "A2",
        "Change a yellow cell (a pixel, γ, β or ε) and see what moves, here and on the sheets of the normalizations.",
    )
    sheet.write(
        "A3",
        "Batch normalization's statistics run down the columns and stand below them; "
        "layer and group normalization's run along the rows and stand beside them.",
    )
    number_images_and_channels(book, sheet, example.pixels)
    for element in example.pixels.elements():
        write_input(book, sheet, example.pixels.position(element), _plain(example.x[element]))
    _batch_below(book, sheet, example, statistics_at["batch"])
    _parameters_below(book, sheet, example)
    _layer_and_group_beside(book, sheet, example, statistics_at)
    set_widths(sheet, example.pixels)


def _pair(
    book: Workbook, sheet: Worksheet, example: Example, name: str, index: int, at: tuple[str, str],
    places: tuple[Place, Place], span: Place,
) -> None:  # fmt: skip
    """The mean and the standard deviation of a set, each over `span` rows and columns, as they are `at` its sheet."""
    found = statistics(example.x, name, example.groups, example.epsilon)
    colour = set_colours(example.x.shape, name, example.groups)[index]
    for place, cell, values in zip(places, at, (found.means, found.standard_deviations), strict=True):
        formula = f"='{name.capitalize()}'!{cell.replace('$', '')}"
        write_formula(book, sheet, place, formula, values[index].item(), colour, span=span)


def _batch_below(book: Workbook, sheet: Worksheet, example: Example, at: list[tuple[str, str]]) -> None:
    below = example.pixels.bottom + 2
    for row, text in enumerate(("batch: mean μ", "batch: σ")):
        sheet.write(below + row, 0, text)
    for channel in range(example.x.shape[1]):
        left = example.pixels.position((0, channel, 0, 0))[1]
        places = ((below, left), (below + 1, left))
        _pair(book, sheet, example, "batch", channel, at[channel], places, (1, example.x.shape[3]))


def _parameters_below(book: Workbook, sheet: Worksheet, example: Example) -> None:
    for which, text in (("gamma", "γ of the channel"), ("beta", "β of the channel"), ("epsilon", "ε")):
        sheet.write(example.parameter(which)[0], 0, text)
    for channel in range(example.x.shape[1]):
        for which, values in (("gamma", example.gamma), ("beta", example.beta)):
            write_input(book, sheet, example.parameter(which, channel), _plain(values[channel]), example.x.shape[3])
    write_input(book, sheet, example.parameter("epsilon"), example.epsilon, example.x.shape[3], "0.0E+00")


def _layer_and_group_beside(
    book: Workbook, sheet: Worksheet, example: Example, statistics_at: dict[str, list[tuple[str, str]]]
) -> None:
    sharers = [("layer", 0), *(("group", group) for group in range(example.groups))]
    for number, (name, group) in enumerate(sharers):
        left = example.pixels.right + 2 + 3 * number
        sheet.write(4, left, name if name == "layer" else f"group {group + 1}", book.add_format({"bold": True}))
        sheet.write(5, left, "mean μ", book.add_format({"align": "center"}))
        sheet.write(5, left + 1, "σ", book.add_format({"align": "center"}))
        sheet.set_column(left, left + 1, 9)
        sheet.set_column(left + 2, left + 2, 2)
        for image in range(example.x.shape[0]):
            top = example.pixels.position((image, 0, 0, 0))[0]
            index = image if name == "layer" else image * example.groups + group
            places = ((top, left), (top, left + 1))
            _pair(
                book, sheet, example, name, index, statistics_at[name][index], places, (example.x.shape[2], 1)
            )  # fmt: skip


def _normalization_sheet(book: Workbook, example: Example, name: str) -> list[tuple[str, str]]:
    """The sheet of a normalization; returns the cells of each set's mean and standard deviation."""
    sheet, pixels = book.add_worksheet(name.capitalize()), example.pixels
    names, about = members(example.x.shape, name, example.groups), NORMALIZATIONS[name]
    write_title(
        book,
        sheet,
        f"{name.capitalize()} normalization: {about.idea}: {about.count} = {len(names)} means and as many σ",
    )
    sheet.write(
        "A2", "Same colour, same mean and standard deviation. The pixels, γ, β and ε are changed on the first sheet."
    )
    second = max(pixels.bottom, pixels.top + len(names)) + 5
    normalized = Grid(pixels.shape, top=second, left=pixels.left)
    scaled = Grid(pixels.shape, top=second, left=pixels.right + 3)
    for grid, text in ((pixels, "x"), (normalized, "x̂ = (x − μ) / σ"), (scaled, "y = γ · x̂ + β")):
        sheet.write(grid.top - 3, grid.left, text, book.add_format({"bold": True}))
        number_images_and_channels(book, sheet, grid)
    cells = _statistics_table(book, sheet, example, name, names)
    _normalized(book, sheet, example, name, cells, (normalized, scaled))
    for grid in (pixels, scaled):
        set_widths(sheet, grid)
    sheet.set_column(pixels.right + 2, pixels.right + 2, 24)
    return cells


def _statistics_table(
    book: Workbook, sheet: Worksheet, example: Example, name: str, names: list[str]
) -> list[tuple[str, str]]:
    """A row a set, from its number of elements to its standard deviation; returns the cells of mean and deviation."""
    x, first = example.pixels, example.pixels.right + 3  # the column of the first number
    bold = {"bold": True}
    sheet.write(x.top - 3, first - 1, "the statistics", book.add_format(bold))
    sheet.write(x.top - 1, first - 1, "shared by", book.add_format(bold))
    heading = book.add_format(bold | {"text_wrap": True, "align": "center"})
    for column, text in enumerate(COLUMNS):
        sheet.merge_range(x.top - 1, first + 2 * column, x.top - 1, first + 2 * column + 1, text, heading)
    sheet.set_row(x.top - 1, 46)

    found = statistics(example.x, name, example.groups, example.epsilon)
    sets, squares = sharing_sets(example.x.shape, name, example.groups), found.variances * found.size
    colours, cells = set_colours(example.x.shape, name, example.groups), []
    for index, who in enumerate(names):
        row, corners = x.top + index, (sets == index).nonzero()
        span = ":".join(xl_rowcol_to_cell(*x.position(tuple(corners[end].tolist()))) for end in (0, -1))
        places = [(row, first + 2 * column) for column in range(len(COLUMNS))]
        m, total, mean, square, variance, deviation = (
            xl_rowcol_to_cell(*place, row_abs=True, col_abs=True) for place in places
        )
        sheet.write(row, first - 1, who)
        for place, formula, result, number in zip(
            places,
            (
                *(f"=COUNT({span})", f"=SUM({span})", f"={total}/{m}", f"=DEVSQ({span})", f"={square}/{m}"),
                f"=SQRT({variance}+{example.input_name('epsilon')})",
            ),
            (found.size, *(values[index].item() for values in (
                found.sums, found.means, squares, found.variances, found.standard_deviations
            ))),
            ("General", "General", *["0.000"] * 4),
            strict=True,
        ):  # fmt: skip
            write_formula(book, sheet, place, formula, result, colours[index], number, (1, 2))
        cells.append((mean, deviation))
    return cells


def _normalized(
    book: Workbook, sheet: Worksheet, example: Example, name: str, cells: list[tuple[str, str]],
    grids: tuple[Grid, Grid],
) -> None:  # fmt: skip
    """Every element three times: as it is, normalized, and scaled and shifted."""
    sets = sharing_sets(example.x.shape, name, example.groups)
    colours = set_colours(example.x.shape, name, example.groups)
    without = normalize(example.x, name, example.groups, epsilon=example.epsilon)
    returned = normalize(example.x, name, example.groups, example.gamma, example.beta, example.epsilon)
    for element in example.pixels.elements():
        index, place = int(sets[element]), example.pixels.position(element)
        hat, y = (grid.position(element) for grid in grids)
        (mean, deviation), own = cells[index], xl_rowcol_to_cell(*place)
        gamma, beta = (example.input_name(which, element[1]) for which in ("gamma", "beta"))
        for at, formula, values, number in (
            (place, f"='{FRONT}'!{own}", example.x, "General"),
            (hat, f"=({own}-{mean})/{deviation}", without, "0.000"),
            (y, f"={gamma}*{xl_rowcol_to_cell(*hat)}+{beta}", returned, "0.000"),
        ):
            write_formula(book, sheet, at, formula, values[element].item(), colours[index], number)


def _plain(value: Tensor) -> float | int:
    number = value.item()
    return int(number) if number == int(number) else number
