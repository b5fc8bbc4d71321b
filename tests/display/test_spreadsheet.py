"""The spreadsheet: LibreOffice calculates what statistics.py does, also after a reader has changed a pixel."""

import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
import torch

from normstudy.display import spreadsheet
from normstudy.normalizations import NORMALIZING
from normstudy.statistics import normalize, statistics
from tests.needs import need

GAMMA, BETA = torch.tensor([1.0, 2.0, 0.5, 1.5]), torch.tensor([0.0, -1.0, 0.25, 3.0])


def example() -> torch.Tensor:
    return torch.randint(0, 10, (4, 4, 2, 2), generator=torch.Generator().manual_seed(1)).double()


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    path = tmp_path / "normalization.xlsx"
    spreadsheet.write(path, example(), 2, GAMMA, BETA)
    return path


def recalculated(path: Path) -> dict[str, set[float]]:
    """Every number of every sheet, as LibreOffice calculates it."""
    need("LibreOffice", shutil.which("soffice"))
    openpyxl.load_workbook(path).save(path)  # without the stored results, so that it has to calculate them
    out = path.parent / "out"
    profile = (path.parent / "profile").as_uri()
    subprocess.run(
        ["soffice", f"-env:UserInstallation={profile}", "--headless", "--convert-to", "xlsx", "--outdir", out, path],
        check=True,
        capture_output=True,
    )
    book = openpyxl.load_workbook(out / path.name, data_only=True)
    return {
        name: {
            float(cell.value) for row in book[name].iter_rows() for cell in row if isinstance(cell.value, int | float)
        }
        for name in book.sheetnames
    }


def assert_agrees(numbers: dict[str, set[float]], x: torch.Tensor) -> None:
    for norm_arg in NORMALIZING:
        shown = torch.tensor(
            sorted(next(values for name, values in numbers.items() if norm_arg in name.lower())), dtype=torch.float64
        )
        found = statistics(x, norm_arg, 2)
        for wanted in (
            found.sums, found.means, found.variances, found.standard_deviations,
            normalize(x, norm_arg, 2), normalize(x, norm_arg, 2, GAMMA.double(), BETA.double()),
        ):  # fmt: skip
            for value in wanted.flatten().tolist():
                assert (shown - value).abs().min() < 1e-9, (norm_arg, value)


def test_each_method_has_a_sheet_of_live_formulas(workbook: Path):
    book = openpyxl.load_workbook(workbook)
    assert len(book.sheetnames) == 1 + len(NORMALIZING)
    for name in book.sheetnames[1:]:
        formulas = [
            cell
            for row in book[name].iter_rows()
            for cell in row
            if isinstance(cell.value, str) and cell.value.startswith("=")
        ]
        assert len(formulas) > 3 * example().numel()


def test_values_are_stored_beside_the_formulas(workbook: Path):
    book = openpyxl.load_workbook(workbook, data_only=True)
    numbers = [
        cell.value for row in book[book.sheetnames[1]].iter_rows() for cell in row if isinstance(cell.value, float)
    ]
    assert any(abs(number - statistics(example(), "batch").standard_deviations[0].item()) < 1e-9 for number in numbers)


@pytest.mark.slow
def test_libreoffice_agrees(workbook: Path):
    assert_agrees(recalculated(workbook), example())


@pytest.mark.slow
def test_a_changed_pixel_moves_the_statistics(workbook: Path):
    book = openpyxl.load_workbook(workbook)
    front = book[spreadsheet.FRONT]
    pixel = next(
        cell for row in front.iter_rows() for cell in row
        if cell.fill.fgColor.rgb == "FFFFF2A8" and isinstance(cell.value, int | float)
    )  # fmt: skip
    x = example()
    assert pixel.value == x[0, 0, 0, 0]
    pixel.value, x[0, 0, 0, 0] = 25, 25
    book.save(workbook)
    assert_agrees(recalculated(workbook), x)
