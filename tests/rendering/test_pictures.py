"""How large a picture is: read off files of every kind, and nothing for those that do not say."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from normstudy.rendering import pictures

SVG = '<?xml version="1.0"?><!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg" {}><rect/></svg>'

SIZES = {
    "pixels": ('width="300" height="150"', (300, 150)),
    "named pixels": ('width="300px" height="150.4px"', (300, 150)),
    "points, as matplotlib has them": ('width="374.4pt" height="244.8pt" viewBox="0 0 374.4 244.8"', (499, 326)),
    "inches and centimetres": ('width="1in" height="2.54cm"', (96, 96)),
    "parts of the page": ('width="100%" height="50%"', None),
    "a view box alone": ('viewBox="0 0 10 10"', None),
    "nothing": ('width="0" height="0"', None),
    "words": ('width="wide" height="1e3"', None),
}


@pytest.mark.parametrize(("attributes", "size"), SIZES.values(), ids=SIZES)
def test_of_svg(attributes: str, size: tuple[int, int] | None, tmp_path: Path):
    picture = tmp_path / "picture.svg"
    picture.write_text(SVG.format(attributes))
    assert pictures.size(picture) == size


@pytest.mark.parametrize(
    ("sizes", "least"),
    [([10], 270), ([10, 8], 338), ([6, 10], 400), ([], None)],  # 10 points are 13.3 pixels, 6 points are 8
)
def test_the_least_width_lets_the_smallest_text_be_read(sizes: list[float], least: int | None, tmp_path: Path):
    figure = Figure(figsize=(400 / 96, 2))
    for size in sizes:
        figure.text(0.5, size / 12, "text", fontsize=size)
    figure.savefig(tmp_path / "picture.svg")
    assert pictures.least_width(tmp_path / "picture.svg") == least


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_of_pixels(suffix: str, tmp_path: Path):
    picture = tmp_path / f"picture{suffix}"
    Image.new("L", (70, 30)).save(picture)
    assert pictures.size(picture) == (70, 30)


@pytest.mark.parametrize("name", ["missing.svg", "missing.png", "data:image/png;base64,AAAA", "a\0b", "."])
def test_of_what_is_no_file(name: str, tmp_path: Path):
    assert pictures.size(tmp_path / name) is None


@pytest.mark.parametrize("suffix", [".svg", ".png", ".jpg"])
@given(content=st.binary(max_size=200))
def test_of_what_is_no_picture(tmp_path_factory: pytest.TempPathFactory, suffix: str, content: bytes):
    picture = tmp_path_factory.getbasetemp() / f"damaged{suffix}"
    for beginning in (b"", b"<svg ", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff"):
        picture.write_bytes(beginning + content)
        assert pictures.size(picture) is None or min(pictures.size(picture)) > 0
