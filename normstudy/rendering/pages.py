"""What Quarto's pages lack to be whole when they are opened from disk, without a network."""

import html
import os
import re
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from normstudy.rendering import pictures

MODULES = re.compile(r'<script src="([^"]*/)(quarto|tabsets/tabsets)\.js" type="module"></script>')
MODULE = re.compile(r'<script(?=[^>]*\btype="module")[^>]*\bsrc=')
UNKNOWN = "Opened from disk, the contents do not mark where one reads: Quarto's page scripts are other than expected."
WEB_FONT = re.compile(
    r"@import\s*(url\(\s*)?([\"'])https?://[^\"']*\2\s*\)?[^;]*;|@import\s*url\(https?://[^)]*\)[^;]*;"
)
TOGGLE = "Switch between the light and the dark page"
BACK = '<a onclick="window.quartoBackToArticle(); return false;"'  # to the page before, or else to the host's root
ROLES = {
    '<nav class="navbar ': '<nav aria-label="Report" class="navbar ',
    '<nav id="quarto-sidebar"': '<nav aria-label="Sections" id="quarto-sidebar"',
    '<div id="quarto-embed-header"': '<div role="navigation" aria-label="Notebook" id="quarto-embed-header"',
    ' role="menu" aria-expanded': " aria-expanded",
    'quarto-appendix-citeas" role="listitem"': 'quarto-appendix-citeas"',
}
"""What a screen reader is told of the page's bars, of the button that unfolds one, and of the citation."""
MADE = "a.classList.add('quarto-color-scheme-toggle');"  # in the page's own script


def make_whole(output: Path) -> list[str]:
    """Change the pages in `output` in place; doing so twice changes nothing more.

    - A browser loads no module script from disk: Quarto's two are joined into one classic script.
    - Some themes import a font from another host: such an import is taken out.
    - Pictures load when they are about to be seen, and have their size before, so that nothing moves.
    - The button for the dark page has a name, and stands within the main landmark.
    - Boxes in which a wide table scrolls can be reached by keyboard.
    - A notebook's page leads back to the article, wherever the reader comes from.
    - The page's bars have names and fitting roles.

    Returns:
        What does not work from disk, a line each: scripts of another shape than these stay as they are.
    """
    known = {_join(script) for script in output.rglob("site_libs/quarto-html/quarto.js")} == {True}
    unknown = False
    for page in output.rglob("*.html"):
        text = page.read_text(encoding="utf-8", errors="surrogateescape")
        whole = MODULES.sub(_classic, text) if known else text
        if MODULE.search(whole):
            whole, unknown = text, True
        whole = re.sub(r"<img (?![^>]*\bloading=)", '<img loading="lazy" ', whole)
        whole = re.sub(r"<img [^>]*>", partial(_with_size, page.parent), whole)
        whole = whole if TOGGLE in whole else whole.replace(MADE, f"{MADE} a.ariaLabel = '{TOGGLE}';")
        whole = whole.replace(
            "window.document.body.appendChild(a);", "window.document.querySelector('main').append(a);"
        )
        whole = re.sub(r'(<div [^>]*class="cell-output [^"]*")(?! tabindex)', r'\1 tabindex="0"', whole)
        root = Path(os.path.relpath(output / "index.html", page.parent)).as_posix()
        for before, after in {**ROLES, BACK: f'<a href="{root}"'}.items():
            whole = whole.replace(before, after)
        if whole != text:
            page.write_text(whole, encoding="utf-8", errors="surrogateescape")
    for sheet in output.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8", errors="surrogateescape")
        if WEB_FONT.search(text):
            sheet.write_text(WEB_FONT.sub("", text), encoding="utf-8", errors="surrogateescape")
    return [UNKNOWN] if unknown else []


def _classic(script: re.Match[str]) -> str:
    return f'<script src="{script[1]}quarto.classic.js" defer></script>' if script[2] == "quarto" else ""


def _with_size(folder: Path, picture: re.Match[str]) -> str:
    """A picture's tag with its width and height, and the least width at which it can be read.

    Only where its file says them, and the tag no size.
    """
    source = re.search(r'\ssrc="([^"]*)"', picture[0])
    if source is None or re.search(r'\s(width|height)="', picture[0]):
        return picture[0]
    file = folder / unquote(html.unescape(source[1]))
    least, size = pictures.least_width(file), pictures.size(file)
    style = f' style="--least: {least}px"' if least and " style=" not in picture[0] else ""
    return f'<img width="{size[0]}" height="{size[1]}"{style}{picture[0][4:]}' if size else picture[0]


def _join(script: Path) -> bool:
    """Write Quarto's page script and the one module that it imports as a classic script, if both are as expected."""
    try:
        page = script.read_text(encoding="utf-8")
        tabsets = (script.parent / "tabsets" / "tabsets.js").read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    imported, exported = 'import * as tabsets from "./tabsets/tabsets.js";', "export function init("
    if page.count("import ") != page.count(imported) or tabsets.count("export ") != tabsets.count(exported):
        return False
    tabsets = tabsets.replace(exported, "function init(")
    rest = page.replace(imported, "")
    classic = f"(() => {{\nconst tabsets = (() => {{\n{tabsets}\nreturn {{ init }};\n}})();\n{rest}\n}})();\n"
    script.with_name("quarto.classic.js").write_text(classic, encoding="utf-8")
    return True
