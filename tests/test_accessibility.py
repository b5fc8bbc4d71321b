"""axe-core finds no violation in the whole report, on a desktop and a phone, in light and dark."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser import settle, violations


@pytest.mark.parametrize("name", ["index", "shown/batch-preview"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation(report: Path, browser: Browser, width: int, scheme: str, name: str):
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto((report / "report" / f"{name}.html").as_uri())
        settle(page)
        found = violations(page)
    assert not found, "\n".join(found[:20])
