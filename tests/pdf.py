"""A PDF as poppler and pypdf read it: where its words stand, where something is drawn, and where its links lead."""

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from lxml import html
from numpy.typing import NDArray
from pypdf import PdfReader
from pypdf.generic import Destination

from tests.needs import need

CENTIMETRE = 72 / 2.54
LEFT, TOP = 2.2 * CENTIMETRE, 2 * CENTIMETRE
Word = tuple[float, float, float, float, str]


@cache
def words(pdf: Path) -> list[list[Word]]:
    """Each page's words: left, top, right, bottom in points from the upper left corner, and the text."""
    need("poppler", shutil.which("pdftotext"))
    layout = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, check=True).stdout
    pages = html.fromstring(layout.decode()).xpath("//page")
    sides = ("xmin", "ymin", "xmax", "ymax")
    return [
        [(*(float(word.get(side)) for side in sides), word.text) for word in page.xpath(".//word")] for page in pages
    ]


@cache
def drawn(pdf: Path) -> list[NDArray[np.bool_]]:
    """Where something is drawn that is no word: for each page, its rows and columns of points."""
    need("poppler", shutil.which("pdftoppm"))
    pages = []
    for number, page in enumerate(words(pdf), 1):
        command = ["pdftoppm", "-gray", "-r", "72", "-f", str(number), "-l", str(number), pdf]
        _, size, _, pixels = subprocess.run(command, capture_output=True, check=True).stdout.split(b"\n", 3)
        width, height = map(int, size.split())
        dark = np.frombuffer(pixels, np.uint8).reshape(height, width) < 250
        for left, top, right, bottom, _ in page:
            dark[int(top) - 2 : int(bottom) + 3, int(left) - 2 : int(right) + 3] = False
        pages.append(dark)
    return pages


def figures_without_picture(pdf: Path) -> list[str]:
    """The numbers of the captions above which, in five centimetres, nothing is drawn."""
    empty = []
    for page, dark in zip(words(pdf), drawn(pdf), strict=True):
        captions = [
            (left, top, number)
            for (left, top, *_, word), (*_, number) in pairwise(page)
            if word == "Figure" and number.endswith(":")
        ]
        for left, top, number in captions:
            beside = [other for other, line, _ in captions if other > left and abs(line - top) < 3]
            above = dark[max(0, int(top - 5 * CENTIMETRE)) : int(top), int(left) : int(min(beside, default=10**4))]
            if above.sum() < 100:
                empty.append(number)
    return empty


@cache
def filled(pdf: Path) -> list[float]:
    """How far down each page's text and pictures reach: 0 at the upper margin, 1 at the lower one."""
    need("poppler", shutil.which("pdftoppm"))
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
