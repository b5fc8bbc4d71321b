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

from normstudy.display.cells import Grid, Page, Place
from normstudy.display.sharing import members, set_colours
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING
from normstudy.statistics import EPSILON, normalize, statistics

FRONT = "Images × channels"
COLUMNS = ("elements m", "sum Σx", "mean μ = Σx / m", "squares Σ(x − μ)²", "variance v = squares / m", "σ = √(v + ε)")
BESIDE = ("layer", "group")  # whose statistics stand beside the images on the first sheet; batch's stand below

Pair = tuple[str, str]
"""The cells of a set's mean and of its standard deviation."""


@dataclass(frozen=True)
class Example:
    """The tensor (N, C, H, W) and what it is normalized with: gamma and beta (C,), groups and epsilon."""

    x: Tensor
    groups: int
    gamma: Tensor
    beta: Tensor
    epsilon: float

    @property
    def pixels(self) -> Grid:
        """Where x lies on the first sheet, and on those of the normalizations."""
        return Grid(tuple(self.x.shape), top=6, left=1)

    def parameter(self, which: str, channel: int = 0) -> Place:
        """The input cell of gamma or beta of a channel, or of epsilon: below the pixels and batch's statistics."""
        row = self.pixels.bottom + {"gamma": 6, "beta": 7, "epsilon": 8}[which]
        return row, self.pixels.position((0, channel, 0, 0))[1]

    def named(self, which: str, channel: int = 0) -> str:
        """The same as formulas on other sheets name it."""
        return f"'{FRONT}'!{_fixed(self.parameter(which, channel))}"


def _fixed(place: Place) -> str:
    return str(xl_rowcol_to_cell(*place, row_abs=True, col_abs=True))


def write(path: Path, x: Tensor, groups: int, gamma: Tensor, beta: Tensor, epsilon: float = EPSILON) -> None:
    """Write the .xlsx for a tensor x (N, C, H, W), with the number of groups and gamma and beta (C,).

    Raises ValueError as `statistics.sharing_sets` does.
    """
    example = Example(x.double(), groups, gamma.double(), beta.double(), epsilon)
    with Workbook(path) as book:
        book.set_properties({"created": datetime(1980, 1, 1)})  # the same numbers are the same bytes
        front = Page(book, book.add_worksheet(FRONT))
        pairs = {name: _normalization(Page(book, book.add_worksheet(name.capitalize())), example, name)
                 for name in NORMALIZING}  # fmt: skip
        _inputs(front, example)
        _batch_below(front, example, pairs["batch"])
        _others_beside(front, example, pairs)
        for sheet in book.worksheets():
            sheet.hide_gridlines(2)
            sheet.set_landscape()
            sheet.set_paper(9)  # A4
            sheet.fit_to_pages(1, 1)


def _inputs(page: Page, example: Example) -> None:
    """What the first sheet is about, and all that a reader may change."""
    page.text((0, 0), "Images × channels: who shares a mean and a standard deviation", bold=True, font_size=14)
    page.text((1, 0), "Change a yellow cell (a pixel, γ, β or ε) and see what moves, here and on the other sheets.")
    page.text((2, 0), "Batch normalization's statistics run down the columns and stand below them; layer and group "
              "normalization's run along the rows and stand beside them.")  # fmt: skip
    page.label(example.pixels)
    for element in example.pixels.elements():
        page.input(example.pixels.position(element), example.x[element].item())
    width = example.x.shape[3]
    for which, text, values in (("gamma", "γ", example.gamma), ("beta", "β", example.beta)):
        page.text((example.parameter(which)[0], 0), f"{text} of the channel")
        for channel, value in enumerate(values.tolist()):
            page.input(example.parameter(which, channel), value, width)
    page.text((example.parameter("epsilon")[0], 0), "ε")
    page.input(example.parameter("epsilon"), example.epsilon, width, "0.0E+00")


def _show(
    page: Page, example: Example, name: str, index: int, pair: Pair, places: tuple[Place, Place], span: Place
) -> None:
    """The mean and the standard deviation of a set on the first sheet, each over `span` rows and columns."""
    found = statistics(example.x, name, example.groups, example.epsilon)
    colour = set_colours(example.x.shape, name, example.groups)[index]
    for place, cell, values in zip(places, pair, (found.means, found.standard_deviations), strict=True):
        page.formula(
            place, f"='{name.capitalize()}'!{cell.replace('$', '')}", values[index].item(), colour, span=span
        )  # fmt: skip


def _batch_below(page: Page, example: Example, pairs: list[Pair]) -> None:
    below = example.pixels.bottom + 2
    page.text((below, 0), "batch: mean μ")
    page.text((below + 1, 0), "batch: σ")
    for channel, pair in enumerate(pairs):
        left = example.pixels.position((0, channel, 0, 0))[1]
        _show(page, example, "batch", channel, pair, ((below, left), (below + 1, left)), (1, example.x.shape[3]))


def _others_beside(page: Page, example: Example, pairs: dict[str, list[Pair]]) -> None:
    left = example.pixels.right + 2
    for name in BESIDE:
        each = len(pairs[name]) // len(example.x)  # sets of an image
        for part in range(each):
            page.text((4, left), name if each == 1 else f"{name} {part + 1}", bold=True)
            page.text((5, left), "mean μ", align="center")
            page.text((5, left + 1), "σ", align="center")
            page.sheet.set_column(left, left + 1, 9)
            page.sheet.set_column(left + 2, left + 2, 2)
            for image in range(len(example.x)):
                top, index = example.pixels.position((image, 0, 0, 0))[0], image * each + part
                places = ((top, left), (top, left + 1))
                _show(page, example, name, index, pairs[name][index], places, (example.x.shape[2], 1))
            left += 3


def _normalization(page: Page, example: Example, name: str) -> list[Pair]:
    """The sheet of a normalization; returns the cells of each set's mean and standard deviation."""
    pixels, who, about = example.pixels, members(example.x.shape, name, example.groups), NORMALIZATIONS[name]
    said = "means and as many σ" if about.centred else "root mean squares, σ; μ counts as 0"
    title = f"{about.title} ({about.source}): {about.idea}: {about.count} = {len(who)} {said}"
    page.text((0, 0), title, bold=True, font_size=14)
    page.text((1, 0), "Same colour, same mean and standard deviation. The pixels, γ, β and ε are changed on the first "
              "sheet.")  # fmt: skip
    second = max(pixels.bottom, pixels.top + len(who)) + 5
    normalized = Grid(pixels.shape, top=second, left=pixels.left)
    scaled = Grid(pixels.shape, top=second, left=pixels.right + 3)
    for grid, text in ((pixels, "x"), (normalized, "x̂ = (x − μ) / σ"), (scaled, "y = γ · x̂ + β")):
        page.text((grid.top - 3, grid.left), text, bold=True)
        page.label(grid)
    pairs = _statistics_table(page, example, name, who)
    _values(page, example, name, pairs, (normalized, scaled))
    page.sheet.set_column(pixels.right + 2, pixels.right + 2, 24)
    return pairs


def _statistics_table(page: Page, example: Example, name: str, who: list[str]) -> list[Pair]:
    """A row a set, from its number of elements to its standard deviation; returns the cells of mean and deviation."""
    x, first = example.pixels, example.pixels.right + 3  # the column of the first number
    page.text((x.top - 3, first - 1), "the statistics", bold=True)
    page.text((x.top - 1, first - 1), "shared by", bold=True)
    for column, text in enumerate(COLUMNS):
        place = (x.top - 1, first + 2 * column)
        page.sheet.merge_range(*place, place[0], place[1] + 1, "")
        page.text(place, text, bold=True, text_wrap=True, align="center")
    page.sheet.set_row(x.top - 1, 46)

    found = statistics(example.x, name, example.groups, example.epsilon)
    results = (found.sums, found.means, found.variances * found.size, found.variances, found.standard_deviations)
    colours, pairs = set_colours(example.x.shape, name, example.groups), []
    for index, text in enumerate(who):
        row, corners = x.top + index, (found.sets == index).nonzero()
        page.text((row, first - 1), text)
        span = _range(x, corners)
        places = [(row, first + 2 * column) for column in range(len(COLUMNS))]
        m, total, mean, square, variance, deviation = map(_fixed, places)
        centre, squares = (f"{total}/{m}", "DEVSQ") if NORMALIZATIONS[name].centred else ("0", "SUMSQ")
        formulas = (f"COUNT({span})", f"SUM({span})", centre, f"{squares}({span})", f"{square}/{m}",
                    f"SQRT({variance}+{example.named('epsilon')})")  # fmt: skip
        numbers = (found.size, *(values[index].item() for values in results))
        for place, formula, result, look in zip(
            places, formulas, numbers, ("General", "General", *["0.000"] * 4), strict=True
        ):
            page.formula(place, f"={formula}", result, colours[index], look, (1, 2))
        pairs.append((mean, deviation))
    return pairs


def _range(grid: Grid, elements: Tensor) -> str:
    """The cells of a set's elements (M, 4): from the first to the last, or each where others lie between."""
    places = [grid.position(tuple(element)) for element in elements.tolist()]
    (top, left), (bottom, right) = places[0], places[-1]
    between = [at for at in map(grid.position, grid.elements()) if top <= at[0] <= bottom and left <= at[1] <= right]
    cells = [xl_rowcol_to_cell(*place) for place in places]
    return f"{cells[0]}:{cells[-1]}" if len(between) == len(cells) else ",".join(cells)


def _values(page: Page, example: Example, name: str, pairs: list[Pair], grids: tuple[Grid, Grid]) -> None:
    """Every element three times: as it is, normalized, and scaled and shifted."""
    sets = statistics(example.x, name, example.groups).sets
    colours = set_colours(example.x.shape, name, example.groups)
    without = normalize(example.x, name, example.groups, epsilon=example.epsilon)
    returned = normalize(example.x, name, example.groups, example.gamma, example.beta, example.epsilon)
    for element in example.pixels.elements():
        index, place = int(sets[element]), example.pixels.position(element)
        hat, y = (grid.position(element) for grid in grids)
        (mean, deviation), own = pairs[index], xl_rowcol_to_cell(*place)
        gamma, beta = (example.named(which, element[1]) for which in ("gamma", "beta"))
        for at, formula, values, number in (
            (place, f"='{FRONT}'!{own}", example.x, "General"),
            (hat, f"=({own}-{mean})/{deviation}", without, "0.000"),
            (y, f"={gamma}*{xl_rowcol_to_cell(*hat)}+{beta}", returned, "0.000"),
        ):
            page.formula(at, formula, values[element].item(), colours[index], number)
