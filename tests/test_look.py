"""How the finished report looks, as far as that can be measured: the pages of the PDF, what leads through the pages."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from lxml import html
from pypdf import PdfReader
from pypdf.generic import Destination

from tests import checks
from tests.conftest import WITHOUT_QUARTO, command

needs_poppler = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext of poppler is not installed")
CENTIMETRE = 72 / 2.54
LEFT, TOP = 2.2 * CENTIMETRE, 2.4 * CENTIMETRE
Word = tuple[float, float, float, float, str]


@cache
def words(pdf: Path) -> list[list[Word]]:
    """Each page's words: left, top, right, bottom in points from the upper left corner, and the text."""
    layout = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, check=True).stdout
    pages = html.fromstring(layout).xpath("//page")
    sides = ("xmin", "ymin", "xmax", "ymax")
    return [
        [(*(float(word.get(side)) for side in sides), word.text) for word in page.xpath(".//word")] for page in pages
    ]


@pytest.fixture
def pdf(report: Path) -> Path:
    return report / "report" / "index.pdf"


@cache
def filled(pdf: Path) -> list[float]:
    """How far down each page's text and pictures reach: 0 at the upper margin, 1 at the lower one."""
    parts = []
    for number, sheet in enumerate(PdfReader(pdf).pages, 1):
        command = ["pdftoppm", "-gray", "-r", "36", "-f", str(number), "-l", str(number), pdf]
        _, size, _, pixels = subprocess.run(command, capture_output=True, check=True).stdout.split(b"\n", 3)
        width, _ = map(int, size.split())
        top, bottom = (round(edge / 2) for edge in (TOP, float(sheet.mediabox.height) - TOP))
        rows = [row for row in range(top, bottom) if min(pixels[row * width : (row + 1) * width]) < 200]
        parts.append((max(rows, default=top) - top) / (bottom - top))
    return parts


def headings(pdf: Path) -> Iterator[tuple[str, int, float]]:
    """The PDF's bookmarks: the heading, its page counted from 0, and how far from the page's upper edge it stands."""
    reader = PdfReader(pdf)
    entries = list(reader.outline)
    while entries:
        entry = entries.pop(0)
        if isinstance(entry, Destination):
            number = reader.get_destination_page_number(entry)
            yield str(entry.title), number, float(reader.pages[number].mediabox.height) - float(entry.top)
        else:
            entries = entry + entries


def addresses(pdf: Path) -> list[str]:
    """What the PDF's links lead to outside it."""
    links = [link.get_object() for sheet in PdfReader(pdf).pages for link in sheet.get("/Annots", [])]
    return [str(link["/A"]["/URI"]) for link in links if "/URI" in link.get("/A", {})]


def text(pdf: Path) -> str:
    return " ".join(word[4] for page in words(pdf) for word in page)


@needs_poppler
class TestPdf:
    def test_nothing_runs_over_a_margin(self, pdf: Path):
        for number, (page, sheet) in enumerate(zip(words(pdf), PdfReader(pdf).pages, strict=True), 1):
            right, bottom = float(sheet.mediabox.width) - LEFT, float(sheet.mediabox.height) - TOP
            body = [word for word in page if word[4] != str(number)]
            over = [word for word in body if word[0] < LEFT - 3 or word[2] > right + 3 or word[3] > bottom + 3]
            assert not over, f"page {number}: {over}"

    def test_no_words_collide(self, pdf: Path):
        for number, page in enumerate(words(pdf), 1):
            for (left, top, right, bottom, word), (left_2, top_2, right_2, bottom_2, other) in combinations(page, 2):
                beside = min(right, right_2) - max(left, left_2) < 1.5
                height = min(bottom - top, bottom_2 - top_2)
                assert beside or min(bottom, bottom_2) - max(top, top_2) < 0.6 * height, (
                    f"page {number}: {word} {other}"
                )

    def test_no_page_is_half_empty_but_the_last(self, pdf: Path):
        *others, _ = filled(pdf)
        assert min(others) > 0.6, others
        assert sum(others) / len(others) > 0.9, others

    def test_no_heading_stands_alone_at_the_foot_of_a_page(self, pdf: Path):
        for heading, number, top in headings(pdf):
            below = [word for word in words(pdf)[number] if word[1] > top + 20 and word[4] != str(number + 1)]
            assert below or filled(pdf)[number] * (842 - 2 * TOP) + TOP > top + 40, f"{heading}: page {number + 1}"

    def test_no_caption_is_parted_from_its_table(self, pdf: Path):
        for number, page in enumerate(words(pdf), 1):
            for word, label in pairwise(page):
                if word[4] == "Table" and re.fullmatch(r"\d+:", label[4]):
                    assert any(other[1] > word[1] + 30 for other in page if other[4] != str(number)), label[4]

    def test_sections_are_numbered_as_on_the_page(self, pdf: Path, report: Path):
        for span in checks.article(report).xpath("//main//span[@class='header-section-number']"):
            number = span.text_content().strip()
            assert re.search(rf"(?<![\d.]){re.escape(number)} [A-Z]", text(pdf)), number

    def test_a_link_is_told_by_its_colour(self, pdf: Path):
        operators = b"".join(sheet.get_contents().get_data() for sheet in PdfReader(pdf).pages)
        assert re.search(rb"\s0?\.043\d* 0?\.36\d* 0?\.678\d* (rg|sc|scn)\s", operators)

    def test_no_link_is_relative(self, pdf: Path):
        assert all(link.startswith("https:") for link in addresses(pdf)), set(addresses(pdf))

    def test_a_caption_ends_without_the_links_that_lead_nowhere(self, pdf: Path):
        assert not re.search(r"Data · Notebook|· Notebook|\. Notebook", text(pdf))

    def test_it_speaks_of_nothing_that_only_a_screen_can_do(self, pdf: Path):
        assert not re.search(r"\b(click|tap|point at|hover|drag|draw a|this page)\b", text(pdf))

    def test_a_picture_alone_in_the_last_row_is_as_wide_as_those_above(self, pdf: Path, report: Path):
        figure = checks.article(report).get_element_by_id("fig-group-confusion")
        number = re.search(r"Figure\s(\d+:)", figure.text_content())[1]
        for page, sheet in zip(words(pdf), PdfReader(pdf).pages, strict=True):
            for start in (one for one, two in pairwise(page) if (one[4], two[4]) == ("Figure", number)):
                line = [word for word in page if abs(word[1] - start[1]) < 1]
                assert max(word[2] for word in line) < float(sheet.mediabox.width) / 2


def test_links_of_the_pdf_are_absolute_where_the_address_of_the_site_is_known(study: Path, tmp_path: Path):
    project = tmp_path / "published"
    shutil.copytree(study, project, ignore=shutil.ignore_patterns("_report", ".quarto"))
    settings = (project / "_quarto.yml").read_text(encoding="utf-8")
    known = settings.replace("website:\n", "website:\n  site-url: https://example.org/normstudy/\n")
    (project / "_quarto.yml").write_text(known, encoding="utf-8")
    made = command(project, "normstudy", "render", "--dataset", "digits", path=WITHOUT_QUARTO)
    assert made.returncode == 0, made.stderr
    links = set(addresses(project / "_report" / "report" / "index.pdf"))
    assert "https://example.org/normstudy/report/shown/comparison/curves.csv" in links
    assert "https://example.org/normstudy/report/shown/batch.ipynb" in links
    assert all(link.startswith("https:") for link in links), links
