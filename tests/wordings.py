"""What a section of the report says of what its chapter has found."""

import io
import re
from pathlib import Path
from typing import Any

import panflute as pf

from normstudy.pipeline.handover import worded
from normstudy.rendering.engines import pandoc
from normstudy.rendering.sources import Article
from normstudy.rendering.structure import Filter
from tests.commands import ROOT


def section(name: str, found: dict[str, Any]) -> str:
    """The text of a section, without what it embeds, and with what is folded.

    Args:
        name: of the section and its chapter.
        found: what the chapter's notebook leaves: `claims`, and what else the text takes from it. The settings that all
            runs share need not be there.
    """
    source = ROOT / "report" / "sections" / f"_{name}.qmd"
    shared = dict.fromkeys(("dataset", "runs", "seeds", "epochs", "batch_size", "learning_rate"), "7")
    claims = {"elsewhere": False, **found["claims"]}
    values = {"dataset": shared["dataset"], name: shared | found}
    article = Article(ROOT, source, Path(), {"claims": worded({name: claims})}, values)
    text = re.sub(r"\{\{< embed .*? >\}\}", "", source.read_text(encoding="utf-8"))
    text = pandoc(article.substitute(text, source), "-f", "markdown", "-t", "json")
    doc = pf.load(io.StringIO(text)).walk(Filter(article, "html", False).visible)
    return re.sub(r"\s+", " ", pf.stringify(doc))
