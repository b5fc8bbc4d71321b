"""What Pandoc's document does not know: numbered figures and tables, cross-references, what one output alone shows."""

import io
import json
import re
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

with warnings.catch_warnings():  # Python 3.12 and later remark on an escape in panflute's source
    warnings.simplefilter("ignore")
    import panflute as pf
    from panflute.elements import RAW_FORMATS

from normstudy.rendering import pictures
from normstudy.rendering.engines import pandoc
from normstudy.rendering.settings import listed
from normstudy.rendering.sources import Article

RAW_FORMATS.add("typst")  # which panflute does not know yet
Target = Literal["html", "typst"]
KINDS = {"fig": "Figure", "tbl": "Table", "sec": "Section", "eq": "Equation"}


@dataclass
class Filter:
    """Quarto's constructs in Pandoc's document, for one output; most methods are actions of a walk."""

    article: Article
    target: Target
    number_sections: bool
    top: int = 1  # the level of the article's highest headings
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)  # ("Figure", "3") for what can be referred to
    counts: Counter[str] = field(default_factory=Counter)
    sections: list[int] = field(default_factory=lambda: [0] * 8)

    def apply(self, text: str) -> pf.Doc:
        """Read Markdown and apply everything."""
        filters = [f"--lua-filter={self.article.locate(name)}" for name in listed(self.article.settings.get("filters"))]
        doc = pf.load(io.StringIO(pandoc(text, "-f", "markdown", "-t", "json", *filters)))
        doc = doc.walk(self.visible)
        levels: list[int] = []
        doc.walk(lambda element, _: levels.append(element.level) if isinstance(element, pf.Header) else None)
        self.top = min(levels, default=1)
        return doc.walk(self.number).walk(self.refer)

    def markup(self, *parts: tuple[str, str] | list[Any]) -> list[Any]:
        """Blocks: pairs of raw markup, for HTML and for Typst, among lists of the document's own blocks."""
        blocks: list[Any] = []
        for part in parts:
            raw = isinstance(part, tuple)
            blocks += [pf.RawBlock(part[self.target == "typst"], self.target)] if raw else part
        return blocks

    def visible(self, element: Any, doc: pf.Doc) -> Any:
        """Drop what is not meant for this output, or for other settings than these."""
        if "content-visible" not in getattr(element, "classes", []):
            return None
        given = element.attributes
        hidden = given.get("when-format", self.target) != self.target or given.get("unless-format") == self.target
        hidden = hidden or ("when-meta" in given and not self.holds(given["when-meta"]))
        hidden = hidden or ("unless-meta" in given and self.holds(given["unless-meta"]))
        return [] if hidden else list(element.content)

    def holds(self, name: str) -> bool:
        """A setting that is true or false, such as whether a claim holds."""
        value = self.article.value("meta", name)
        if not isinstance(value, bool):
            raise self.article.complaint(name, f"{name} is neither true nor false")
        return value

    def number(self, element: Any, doc: pf.Doc) -> Any:
        """Number sections, figures, tables and equations in the order of the document."""
        match element:
            case pf.Header():
                self.section(element)
            case pf.Span() if element.identifier.startswith("eq-"):
                self.equation(element)
            case pf.Table() | pf.Figure() | pf.Div():
                return self.figure(element)
        return None

    def next(self, label: str) -> str:
        """The number of the next figure, table or equation, which has this label."""
        if label in self.labels:
            raise self.article.complaint(f"#{label}", f"#{label} is given twice")
        kind = KINDS[label.partition("-")[0]]
        self.counts[kind] += 1
        self.labels[label] = (kind, str(self.counts[kind]))
        return str(self.counts[kind])

    def section(self, header: pf.Header) -> None:
        """Count a section as Pandoc's writers do, and bring it to the level of the page."""
        self.labels[header.identifier] = ("", pf.stringify(header))
        if "unnumbered" not in header.classes and self.number_sections:
            self.sections[header.level] += 1
            self.sections[header.level + 1 :] = [0] * (7 - header.level)
            numbers = self.sections[self.top : header.level + 1]
            self.labels[header.identifier] = ("Section", ".".join(map(str, numbers)))
        header.level += (2 if self.target == "html" else 1) - self.top

    def equation(self, span: pf.Span) -> None:
        """Give a formula with a label its number."""
        number = f"({self.next(span.identifier)})"
        if self.target == "html":
            span.content, span.classes = [*span.content, pf.Str(number)], ["equation"]
        else:
            start = f'#[#set math.equation(numbering: (..n) => "{number}")\n'
            end = f" <{span.identifier}>]"
            span.content = [pf.RawInline(start, "typst"), *span.content, pf.RawInline(end, "typst")]
            span.identifier = ""

    def figure(self, element: Any) -> Any:
        """A figure or table with its number and caption, in whichever of Quarto's ways it was written."""
        label, given = element.identifier, element.attributes
        labelled = label.startswith(("fig-", "tbl-"))
        columns = given.get("layout-ncol") or (len(json.loads(given["layout"])[0]) if "layout" in given else None)
        if not (labelled or columns or isinstance(element, pf.Table)):
            return None
        caption = self.caption(element) if labelled else []
        if isinstance(element, pf.Table):
            element.classes += ["typst:no-figure"] if self.target == "typst" else []
            content = self.markup(('<div class="scroll" tabindex="0">', ""), [element], ("</div>", ""))
        else:
            content = list(element.content)
        if columns:
            cells = [part for block in content for part in self.markup(("<div>", "["), [block], ("</div>", "],"))]
            start = (f'<div class="grid" style="--columns: {columns}">', f"#grid(columns: {columns}, gutter: 1em,")
            content = self.markup(start, cells, ("</div>", ")"))
        return self.captioned(label, content, caption) if labelled else content

    def caption(self, element: Any) -> list[Any]:
        """The caption of a figure or table, taken out of it: its own, or the last paragraph of a block around it."""
        if isinstance(element, pf.Div):
            if len(element.content) < 2 or not isinstance(element.content[-1], pf.Para):
                label = f"#{element.identifier}"
                raise self.article.complaint(label, f"{label} needs a last paragraph, which is its caption")
            return list(element.content.pop().content)
        caption = [inline for block in element.caption.content for inline in block.content]
        element.caption, element.identifier = pf.Caption(), ""
        return caption

    def captioned(self, label: str, content: list[Any], caption: list[Any]) -> pf.Div:
        """A figure, or a table with its caption above it."""
        kind = {"fig": "image", "tbl": "table"}[label[:3]]
        name = pf.Strong(pf.Str(f"{KINDS[label[:3]]}\u00a0{self.next(label)}:"))
        words = self.markup(
            ("<figcaption>", "caption: ["), [pf.Plain(name, pf.Space(), *caption)], ("</figcaption>", "],")
        )
        shown = self.markup(("", "["), content, ("", "],"))
        start = (f'<figure id="{label}" class="{kind}">', f"#figure(kind: {kind}, supplement: none, numbering: none,")
        ordered = words + shown if kind == "table" else shown + words
        whole = self.markup(start, ordered, ("</figure>", f") <{label}>"))
        return pf.Div(*whole, classes=["one"])  # for a grid around it; taken away in the end

    def refer(self, element: Any, doc: pf.Doc) -> Any:
        """Cross-references become links, pictures get their text alternative, linked files are copied."""
        match element:
            case pf.Cite() if any(citation.id.split("-")[0] in KINDS for citation in element.citations):
                links: list[Any] = []
                for label, mode in ((citation.id, citation.mode) for citation in element.citations):
                    if label not in self.labels:
                        raise self.article.complaint(f"@{label}", f"@{label} refers to nothing in the article")
                    kind, number = self.labels[label]
                    text = f"{kind}\u00a0{number}" if kind and mode != "SuppressAuthor" else number
                    links += [pf.Str(", "), pf.Link(pf.Str(text), url=f"#{label}", classes=["quarto-xref"])]
                return links[1:]
            case pf.Div() if element.classes == ["one"]:
                return list(element.content)
            case pf.Link():
                element.url = self.article.copy(element.url)
            case pf.Image():
                element.url, given = self.article.copy(element.url), element.attributes
                given["alt"] = given.pop("fig-alt", None) or given.get("alt") or pf.stringify(element)
                if self.target == "typst":  # whose writer in Pandoc knows no text alternative
                    path, alt = (json.dumps(text, ensure_ascii=False) for text in (unquote(element.url), given["alt"]))
                    width = re.sub(r"^(\d+)(px)?$", r"\1pt * 0.75", given.get("width", "auto"))
                    return pf.RawInline(f"#box(image({path}, alt: {alt}, width: {width}));", "typst")
                given["loading"] = "lazy"
                file = self.article.folder / unquote(element.url)
                if least := pictures.least_width(file):
                    given["style"] = f"--least: {least}px"
                size = pictures.size(file)
                if size and not given.keys() & {"width", "height"}:
                    given["width"], given["height"] = map(str, size)
        return None
