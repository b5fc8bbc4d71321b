"""How large a picture is, and how small it may be shown, as its file says.

A page that knows the size beforehand does not move when the picture comes.
"""

import re
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image

PIXELS = {"": 1, "px": 1, "pt": 96 / 72, "pc": 16, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}
"""CSS pixels a unit (CSS Values and Units, section 6.2)."""


def size(picture: Path) -> tuple[int, int] | None:
    """Width and height of a picture in CSS pixels; None where the file does not say or cannot be read."""
    try:
        if picture.suffix == ".svg":
            with picture.open("rb") as file:
                _, root = next(ElementTree.iterparse(file, ["start"]))
            width, height = _pixels(root.get("width", "")), _pixels(root.get("height", ""))
        else:
            with Image.open(picture, formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
                width, height = image.size
    except Exception:  # whatever is wrong with a file from elsewhere, a page is whole without its size
        return None
    return (width, height) if width and height else None


TEXT = re.compile(r"scale\((0?\.\d+) -\1\)")
"""How Matplotlib sets a text in an SVG: outlines of a hundred units, scaled to its size in points."""

READABLE = 9
"""CSS pixels: a text that is smaller as it is shown is hard to read."""


def least_width(picture: Path) -> int | None:
    """The width in CSS pixels from which on all text of a picture can be read; None where the file does not say."""
    if picture.suffix != ".svg" or not (found := size(picture)):
        return None
    sizes = [float(scale) * 100 * PIXELS["pt"] for scale in TEXT.findall(picture.read_text(encoding="utf-8"))]
    return round(found[0] * min(1, READABLE / min(sizes))) if sizes else None


def _pixels(length: str) -> int:
    """A length of SVG in whole CSS pixels; 0 if it depends on where it stands."""
    found = re.fullmatch(rf"\s*(\d*\.?\d+)({'|'.join(PIXELS)})\s*", length)
    return round(float(found[1]) * PIXELS[found[2]]) if found else 0
