"""A bare page with the interactive figures, as they stand in the article."""

import re
import shutil
from pathlib import Path

from tests.commands import ROOT

REPORT = ROOT / "report"


def write_page(folder: Path, *sections: str) -> Path:
    """A bare page with the raw HTML of sections as it stands in the article; their data go into `folder/shown`."""
    shutil.copytree(REPORT / "interactive", folder / "interactive")
    parts = []
    for section in sections:
        text = (REPORT / "sections" / f"_{section}.qmd").read_text(encoding="utf-8")
        blocks = re.findall(r"^```\{=html\}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
        parts.append("\n<p>Static figure.</p>\n".join(blocks))
    path = folder / "index.html"
    path.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Two figures</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="page.css">'
        '<script src="interactive/reading.js" defer></script></head>'
        f"<body><main><h1>Two figures</h1>{''.join(parts)}</main></body></html>",
        encoding="utf-8",
    )
    (folder / "page.css").write_text(
        "body { margin: 0 auto; max-width: 47rem; padding: 0 1rem; font: 1rem/1.5 sans-serif }"
        "body { color: #222; background: #fff }"
        "@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #1d1f21 } }",
        encoding="utf-8",
    )
    return path
