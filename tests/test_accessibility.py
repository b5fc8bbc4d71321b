"""axe-core finds no violation in the whole report, on a desktop and a phone, in light and dark."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.needs import need

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@pytest.mark.parametrize("name", ["index", "shown/batch-preview"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation(report: Path, browser: Browser, width: int, scheme: str, name: str):
    need("axe-core (npm install in tests/)", AXE.is_file())
    with browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme) as context:
        page = context.new_page()
        page.goto((report / "report" / f"{name}.html").as_uri())
        page.wait_for_timeout(500)
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    violations = [
        f"{violation['id']} ({violation['help']}): {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
    assert not violations, "\n".join(violations[:20])
