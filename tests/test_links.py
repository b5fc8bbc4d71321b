"""What is a link: only http, https, mailto and relative addresses, whatever disguise another comes in.

Pandoc reads the Markdown, and a browser says where the links of the page lead that Pandoc makes.
"""

import subprocess

import pypandoc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from normstudy.pipeline.handover import harmless
from tests.commands import ROOT

FILTER = f"--lua-filter={ROOT / 'report' / 'links.lua'}"
HERE = "https://report.example/report/"

LINKS = [
    "[word]({})", "[word](<{}>)", '[word]({} "title")', "<{}>", "{}", "[a]\n\n[a]: {}", "[word][a]\n\n[a]: <{}>",
    "[![word](x.png)]({})", "^[a note with [word]({})]", "| head |\n|---|\n| [word]({}) |", "# [word]({})",
    "- [x] **[word]({})**", "[word]({}){{.link}}", ": a caption with [word]({})\n\n| head |\n|---|\n| cell |",
]  # fmt: skip
PICTURES = [
    "![word]({})",
    "![word](<{}>)",
    "![word]\n\n[word]: {}",
    "[![word]({})](x.html)",
    "a ![word]({}){{width=9}}",
]

SCHEMES = ["javascript", "vbscript", "data", "file", "blob", "view-source", "ftp", "ms-word", "x"]
NOTHING = ["", "\t", "\n", "&#9;", "&Tab;", "&NewLine;", "&#0;", "&#1;", "&#32;", "&ZeroWidthSpace;", "\\"]
"""What may stand between the letters of a scheme: browsers pass over some of it."""


@st.composite
def disguised(draw: st.DrawFn) -> str:
    """An address of another kind, its letters written in one of the ways that Markdown has."""
    address = draw(
        st.sampled_from([f"{scheme}:taken()//" for scheme in SCHEMES] + ["//taken.example/", "/\\taken.example"])
    )
    ways = (str, str.upper, "&#{:d};".format, "&#x{:x};".format, "&#0{:d};".format, "%{:02x}".format)
    written = ""
    for letter in address:
        way = draw(st.sampled_from(ways[:2])) if draw(st.integers(0, 3)) else draw(st.sampled_from(ways[2:]))
        gap = draw(st.sampled_from(NOTHING)) if not draw(st.integers(0, 9)) else ""
        written += gap + (way(letter) if way in ways[:2] else way(ord(letter)))
    return draw(st.sampled_from(["", " ", "&#32;", "&#1;", "&nbsp;"])) + written.replace("&#58;", "&colon;")


def pandoc(markdown: str, *arguments: str) -> str:
    command = [pypandoc.get_pandoc_path(), "-f", "markdown+autolink_bare_uris", "-t", "html", *arguments]
    return subprocess.run(command, input=markdown, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    """A page at an address of its own, without a network."""
    page = browser.new_page()
    page.route("**/*", lambda route: route.fulfill(body=""))
    page.goto(HERE)
    return page


def leads(page: Page, html: str) -> list[str]:
    """Where the links and the pictures of a page lead, as a browser reads them."""
    page.set_content(html)
    links = "[...document.querySelectorAll('[href], [src]')].map(one => one.href || one.src)"
    return list(page.evaluate(f"{links}.filter(address => URL.canParse(address))"))


@given(addresses=st.lists(disguised(), min_size=1, max_size=20))
@example(
    addresses=["javascript:taken()", "&#106;avascript&colon;taken()", "JAVA\nSCRIPT:taken()", "java&#9;script:taken()"]
)
@settings(max_examples=40)
def test_no_other_address_is_a_link_or_a_picture(page: Page, addresses: list[str]):
    parts = [form.format(address) for address in addresses for form in (*LINKS, *PICTURES)]
    texts = [harmless(part) for part in parts] + parts
    html = pandoc("\n\n".join(text.replace("[a]", f"[a{number}]") for number, text in enumerate(texts)), FILTER)
    assert [address for address in leads(page, html) if not address.startswith("https://report.example/")] == []
    assert html.count("word") >= 2 * len(addresses), "the words stay"


@pytest.mark.parametrize("address", ["https://taken.example/a.png", "HTTP://taken.example/a.png", "mailto:a@b.example"])
def test_a_picture_lies_beside_the_page(page: Page, address: str):
    html = pandoc("\n\n".join(form.format(address) for form in PICTURES), FILTER)
    assert set(leads(page, html)) == {f"{HERE}x.html"}


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example/b?c=d#e", "HTTP://a.example/", "mailto:a@b.example", "x.html", "../x/y.csv#z", "#a",
        "a/b:c.csv", "?a=javascript:b", "/a.html", "./javascript:a",
    ],
)  # fmt: skip
def test_all_else_stays_as_it_was(address: str):
    markdown = "\n\n".join(form.format(address) for form in LINKS[:3])
    assert pandoc(markdown, FILTER) == pandoc(markdown)
    assert pandoc("![word](a%20b/c.svg) [word](x.html)", FILTER).count("c.svg") == 1
