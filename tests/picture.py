"""`make picture`: the picture in README, the first screen of the report that lies in `_report`."""

from pathlib import Path

from tests.browser import chromium

ROOT = Path(__file__).parents[1]
SIZE = {"width": 1280, "height": 1000}  # pixels


def take(page: Path, picture: Path) -> None:
    """Write a PNG of the first screen of a page on this disk."""
    with chromium() as browser:
        screen = browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
        screen.goto(page.as_uri(), wait_until="networkidle")
        screen.screenshot(path=picture)


if __name__ == "__main__":
    take(ROOT / "_report" / "report" / "index.html", ROOT / "report" / "picture.png")
