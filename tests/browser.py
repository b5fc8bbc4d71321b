"""The one way to open a page: in Chromium, without a window; and to serve one under a policy."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.needs import need

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of this machine, or else the one that Playwright installs."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    installed = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        need("Chromium", installed or Path(playwright.chromium.executable_path).exists())
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_page(context: Browser | BrowserContext, address: str) -> Page:
    """A page that keeps a list of its errors and warnings."""
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: message.type in ("error", "warning") and page.errors.append(message.text))
    page.goto(address)
    return page


def settle(page: Page) -> None:
    """Wait until every picture of a page is there, wherever it stands, and the page has been drawn with it."""
    page.evaluate("""async () => {
        const there = image => { image.loading = "eager"; return image.decode(); };
        await Promise.all([...document.images].map(there));
        await document.fonts.ready;
        for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
    }""")


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong with a page as it stands."""
    need("axe-core (npm install in tests/)", AXE.is_file())
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'], preload: false })")
    return [
        f"{violation['id']} ({violation['help']}): {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@contextmanager
def served(folder: Path, policy: str) -> Iterator[str]:
    """The address at which a folder's files are served, each with this content security policy."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", policy)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
