"""`make picture`: the picture in README, the first screen of the report that lies in `_report`."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser import chromium

ROOT = Path(__file__).parents[1]
SIZE = {"width": 1280, "height": 1000}  # pixels


def take(browser: Browser, page: Path, picture: Path) -> None:
    """Write a PNG of the first screen of a page on this disk."""
    with browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce") as context:
        screen = context.new_page()
        screen.goto(page.as_uri(), wait_until="networkidle")
        screen.screenshot(path=picture)


if __name__ == "__main__":
    with chromium() as browser:
        take(browser, ROOT / "_report" / "report" / "index.html", ROOT / "report" / "picture.png")
