"""The report without Quarto: the same sources through Pandoc and Typst, the two engines inside Quarto.

`Article` turns Quarto's shortcodes into plain Markdown; Pandoc reads that; `Filter` adds what Pandoc does not know
(conditional content, callouts, numbered figures, cross-references); Pandoc and Typst write the page and the PDF.
"""

import base64
import html
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import nbformat
import pypandoc
import typst
import yaml

with warnings.catch_warnings():  # Python 3.12 and later remark on an escape in panflute's source
    warnings.simplefilter("ignore")
    import panflute as pf
    from panflute.elements import RAW_FORMATS

from normstudy.rendering import pictures

RAW_FORMATS.add("typst")  # which panflute does not know yet
Target = Literal["html", "typst"]
TEMPLATES = Path(__file__).parent / "templates"
KINDS = {"fig": "Figure", "tbl": "Table", "sec": "Section", "eq": "Equation"}
SHORTCODE = re.compile(r"(?<!\{)\{\{< +(.*?) +>\}\}(?!\})")
EQUATION = re.compile(r"(\$\$(?:(?!\$\$).)+\$\$)\s*\{(#eq-[\w-]+)\}", re.DOTALL)
PREFERRED = ("text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/html", "text/plain")
SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg"}


class RenderError(RuntimeError):
    """The report cannot be made. The message is one line that names what is missing and where."""


def pandoc(text: str, *arguments: str | Path) -> str:
    """Run Pandoc on `text`; its warnings (a citation not found, a formula not understood) are errors."""
    command = [pypandoc.get_pandoc_path(), "--fail-if-warnings", *map(str, arguments)]
    run = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=False)
    if run.returncode:
        raise RenderError(run.stderr.strip().partition("\n")[0] or "Pandoc failed")
    return run.stdout


# ---------------------------------------------------------------- shortcodes and notebooks become Markdown


def fenced(text: str, attributes: str = "") -> str:
    """`text` as a Markdown code block, its fence longer than any inside."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}{attributes}\n{text.rstrip()}\n{fence}"


def shown_when(target: str, text: str) -> str:
    """`text` as a Markdown block that only one of the two outputs shows."""
    return f'::: {{.content-visible when-format="{target}"}}\n{text}\n:::'


def split_header(text: str) -> tuple[dict[str, Any], str]:
    """The YAML header of a source file, and the text below it."""
    match = re.match(r"---\n(.*?\n)(?:---|\.\.\.)\n", text, re.DOTALL)
    return (yaml.safe_load(match[1]) or {}, text[match.end() :]) if match else ({}, text)


def cell_options(cell: nbformat.NotebookNode) -> dict[str, Any]:
    """The options that a code cell's `#|` lines give."""
    return yaml.safe_load("\n".join(re.findall(r"^#\|(.*)", cell.source, re.MULTILINE))) or {}


@dataclass
class Article:
    """A source, the settings that hold for it (paths in them begin with the project's /), and its page's folder."""

    root: Path
    source: Path
    folder: Path
    settings: dict[str, Any]
    variables: dict[str, Any]
    profile: str | None = None
    texts: dict[Path, str] = field(default_factory=dict)  # every source read, to say where something stands
    notebooks: dict[Path, nbformat.NotebookNode] = field(default_factory=dict)  # every notebook embedded

    @property
    def page(self) -> Path:
        """The article's own page."""
        return (self.folder / str(self.settings.get("output-file", self.source.name))).with_suffix(".html")

    def locate(self, name: str) -> Path:
        """The source file that a path in the article means: relative to the article, or to the project with a /."""
        return Path(os.path.normpath(self.root / name[1:] if name.startswith("/") else self.source.parent / name))

    def url(self, path: Path) -> str:
        """A source file as a URL relative to the page; the output mirrors the sources."""
        return Path(os.path.relpath(path, self.source.parent)).as_posix()

    def copy(self, url: str) -> str:
        """Copy the file that a URL without a host means into the output; return the URL relative to the page."""
        name, hash_, fragment = unquote(url).partition("#")
        if not name or re.match(r"[a-z][a-z0-9+.-]*:|//", name, re.IGNORECASE):
            return url
        path, copied = self.locate(name), self.folder / self.url(self.locate(name))
        if not path.is_relative_to(self.root):
            raise self.complaint(name, f"{name} lies outside the project")
        if path.is_file():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
        elif not copied.exists():
            raise self.complaint(name, f"{name} is not there")
        return self.url(path) + hash_ + fragment

    def complaint(self, what: str, problem: str) -> RenderError:
        """An error that names the source file in which `what` stands."""
        found = (path for path, text in self.texts.items() if re.search(rf"{re.escape(what)}(?![\w-])", text))
        return RenderError(f"{next(found, self.source).relative_to(self.root)}: {problem}")

    def expand(self, path: Path) -> str:
        """The text of a source file with includes, variables and embedded cells put in place."""
        text = self.texts[path] = path.read_text(encoding="utf-8")
        if path == self.source:
            text = split_header(text)[1]
        return EQUATION.sub(r"[\1]{\2}", self.substitute(text, path))

    def substitute(self, text: str, path: Path) -> str:
        """A text from the file `path` with what its shortcodes stand for."""
        text = SHORTCODE.sub(lambda match: self.shortcode(match[1], path.relative_to(self.root)), text)
        return re.sub(r"\{(\{\{<.*?>\}\})\}", r"\1", text)  # three braces stand for two

    def shortcode(self, code: str, where: Path) -> str:
        """What the shortcode `code` in the file `where` stands for, as Markdown."""
        problem = "not a shortcode that can be rendered without Quarto"
        match shlex.split(code):
            case ["include", name]:
                if (path := self.locate(name)).is_file():
                    return self.expand(path)
                problem = "there is no such file"
            case ["var" | "meta" as kind, name]:
                value: Any = self.variables if kind == "var" else self.settings
                for part in name.split("."):
                    value = value.get(part) if isinstance(value, dict) else None
                if value is not None:
                    return str(value)
                problem = "there is no such value"
            case ["embed", name, *options]:
                notebook, _, label = name.partition("#")
                return self.embed(self.locate(notebook), label, "echo=true" in options, f"{where}: {{{{< {code} >}}}}")
            case ["pagebreak"]:
                return '```{=typst}\n#pagebreak(weak: true)\n```\n\n```{=html}\n<div class="pagebreak"></div>\n```'
        raise RenderError(f"{where}: {{{{< {code} >}}}}: {problem}")

    def embed(self, path: Path, label: str, echo: bool, where: str) -> str:
        """The cell of a notebook that has the label (all cells without one); the first time with a link to its page."""
        if not path.is_file():
            raise RenderError(f"{where}: there is no such notebook")
        link = ""
        if path not in self.notebooks:
            self.notebooks[path] = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
            source = f"[Source: [{path.name}]({self.preview(path)}#{label})]{{.source}}"
            link = shown_when("html", source)
        shown = [text for name, text in self.cells(path, echo) if label in (name, "")]
        if not shown:
            raise RenderError(f"{where}: the notebook has no such cell")
        return "\n\n".join([":::::: {.cell}", *shown, link, "::::::"])

    def preview(self, notebook: Path) -> str:
        """The URL of the page that shows a whole notebook."""
        return self.url(notebook.with_name(f"{notebook.stem}-preview.html"))

    def cells(self, notebook: Path, echo: bool) -> list[tuple[str, str]]:
        """A notebook's cells, each with its label, as Markdown: text, code (if `echo`) and outputs."""
        texts = []
        for index, cell in enumerate(self.notebooks[notebook].cells):
            options = cell_options(cell) if cell.cell_type == "code" else {}
            parts = [cell.source] if cell.cell_type == "markdown" else []
            code = re.sub(r"^#\|.*\n?", "", cell.source, flags=re.MULTILINE)
            if cell.cell_type == "code" and echo and code.strip():
                parts.append(fenced(code, "python"))
            for number, output in enumerate(cell.get("outputs", [])):
                name = f"{self.url(notebook.with_suffix('')).replace('/', '-')}-{index}-{number}"
                parts.append(self.output(output, name, options.get("fig-alt", "")))
            texts.append((options.get("label", cell.get("id", "")), "\n\n".join(parts)))
        return texts

    def output(self, output: nbformat.NotebookNode, name: str, alt: str) -> str:
        """A cell's output as Markdown, pictures as files beside the page."""
        if output.output_type in ("stream", "error"):
            return fenced(output.get("text") or f"{output.ename}: {output.evalue}")
        mime = next((mime for mime in PREFERRED if mime in output.data), "text/plain")
        data = output.data.get(mime, "")
        if mime == "text/markdown":
            return str(data)
        if mime == "text/html":  # a page can have anything that is HTML, a PDF what Pandoc reads of it
            return fenced(data, "{=html}") + "\n\n" + shown_when("typst", pandoc(data, "-fhtml", "-tmarkdown-raw_html"))
        if mime == "text/plain":
            return fenced(data)
        picture = self.folder / f"{self.source.stem}_files" / f"{name}{SUFFIXES[mime]}"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(data.encode() if mime == "image/svg+xml" else base64.b64decode(data))
        words = html.escape(" ".join(output.metadata.get(mime, {}).get("alt", alt).split())).replace("\\", "&#92;")
        return f'![]({picture.relative_to(self.folder).as_posix()}){{fig-alt="{words}"}}'


# ---------------------------------------------------------------- what Pandoc's document does not know


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
        doc = doc.walk(self.visible).walk(self.callout)
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
        """Drop what is not meant for this output or this profile."""
        kind = {"content-visible", "content-hidden"} & set(getattr(element, "classes", []))
        if not kind or not isinstance(element, pf.Div | pf.Span):
            return None
        given = {"format": self.target, "profile": self.article.profile}
        conditions = [(*key.partition("-"), value) for key, value in element.attributes.items()]
        holds = all((given[what] == value) == (when == "when") for when, _, what, value in conditions if what in given)
        return list(element.content) if holds == (kind == {"content-visible"}) else []

    def callout(self, element: Any, doc: pf.Doc) -> Any:
        """Callouts: in HTML a box, or a disclosure where it may collapse; in Typst a box. Tabs: one after the other."""
        if "panel-tabset" in getattr(element, "classes", []):
            for heading in (block for block in element.content if isinstance(block, pf.Header)):
                heading.classes += ["unnumbered", "unlisted"]
        kind = next((name[8:] for name in getattr(element, "classes", []) if name.startswith("callout-")), None)
        if kind is None:
            return None
        content, title = list(element.content), [pf.Str(element.attributes.get("title", kind.capitalize()))]
        if "title" not in element.attributes and content and isinstance(content[0], pf.Header):
            title = list(content.pop(0).content)
        collapse = element.attributes.get("collapse")
        box, head = ("details", "summary") if collapse else ("div", "p")
        start = f'<{box} class="callout callout-{kind}"{" open" if collapse == "false" else ""}><{head} class="title">'
        end = (f"</{box}>", "])")
        return self.markup((start, f'#callout("{kind}", ['), [pf.Plain(*title)], (f"</{head}>", "], ["), content, end)

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
        columns = given.get("layout-ncol") or (len(json.loads(given["layout"])[0]) if "layout" in given else None)
        if isinstance(element, pf.Table):
            element.classes += ["typst:no-figure"] if self.target == "typst" else []
            content = self.markup(('<div class="scroll" tabindex="0">', ""), [element], ("</div>", ""))
        else:
            content = list(element.content)
        labelled = label.startswith(("fig-", "tbl-"))
        caption: list[Any] = []
        if labelled and isinstance(element, pf.Div):
            if len(content) < 2 or not isinstance(content[-1], pf.Para):
                raise self.article.complaint(f"#{label}", f"#{label} needs a last paragraph, which is its caption")
            caption = list(content.pop().content)
        elif labelled:
            caption = [inline for block in element.caption.content for inline in block.content]
            element.caption, element.identifier = pf.Caption(), ""
        if columns:
            cells = [part for block in content for part in self.markup(("<div>", "["), [block], ("</div>", "],"))]
            start = (f'<div class="grid" style="--columns: {columns}">', f"#grid(columns: {columns}, gutter: 1em,")
            content = self.markup(start, cells, ("</div>", ")"))
        if not labelled:
            return content if columns or isinstance(element, pf.Table) else None
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
                    path, alt = (json.dumps(text, ensure_ascii=False) for text in (element.url, given["alt"]))
                    width = re.sub(r"^(\d+)(px)?$", r"\1pt * 0.75", given.get("width", "auto"))
                    return pf.RawInline(f"#box(image({path}, alt: {alt}, width: {width}));", "typst")
                given["loading"] = "lazy"
                size = pictures.size(self.article.folder / unquote(element.url))
                if size and not given.keys() & {"width", "height"}:
                    given["width"], given["height"] = map(str, size)
        return None


# ---------------------------------------------------------------- the page and the PDF


def merged(first: Any, second: Any) -> Any:
    """Two settings as Quarto merges them: maps key by key, lists one after the other, else the second, if any."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first | {key: merged(first.get(key), value) for key, value in second.items()}
    if isinstance(first, list) and isinstance(second, list):
        return first + second
    return first if second is None else second


def listed(value: Any) -> list[Any]:
    """A setting that may be absent, one value or a list, as a list."""
    return [] if value is None else value if isinstance(value, list) else [value]


def bar(article: Article, page: Path) -> str:
    """Links from a page to the others: the article, its PDF, its notebooks' pages, and the source where it is known."""

    def link(text: str, file: Path) -> str:
        return text if file == page else f"[{text}]({Path(os.path.relpath(file, page.parent)).as_posix()})"

    path = article.page
    notebooks = [link(source.stem, article.folder / article.preview(source)) for source in article.notebooks]
    parts = [link("Report", path), link("PDF", path.with_suffix(".pdf")), f"Notebooks: {', '.join(notebooks)}"]
    if repository := article.settings.get("website", {}).get("repo-url"):
        parts.append(f"[Source]({repository})")
    return " · ".join(parts)


def make(article: Article) -> list[Path]:
    """Write a page for each notebook that an article embeds, then the article's page and PDF."""
    text = article.expand(article.source)
    path, pdf = article.page, article.page.with_suffix(".pdf")
    pages = {source: article.folder / article.preview(source) for source in article.notebooks}
    for file in (path, pdf, *pages.values()):  # since they lead to one another
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for source, notebook in article.notebooks.items():
        article.copy(article.url(source))
        page = pages[source]
        inner = replace(article, source=source, folder=page.parent, notebooks={source: notebook}, texts={})
        cells = [f"::: {{.cell}}\n[]{{#{label}}}\n\n{cell}\n:::" for label, cell in inner.cells(source, echo=True)]
        also = f"{bar(article, page)} · Download [{source.name}]({source.name})"
        names = {"title": f"Notebook {source.stem}", "subtitle": "", "author": [], "abstract": "", "also": also}
        write(inner, "\n\n".join(cells), page, names | {"number-sections": False, "toc": False})
    return [write(article, text, path, {"also": bar(article, path)}), write(article, text, pdf, {})]


def write(article: Article, text: str, path: Path, overrides: dict[str, Any]) -> Path:
    """Make a page or a PDF (as the path's suffix says) of an article whose shortcodes are expanded."""
    target: Target = "typst" if path.suffix == ".pdf" else "html"
    settings = merged(article.settings, article.settings.get("format", {}).get(target)) | overrides
    names = [author.get("name") if isinstance(author, dict) else author for author in listed(settings.get("author"))]
    settings["author"] = [name["literal"] if isinstance(name, dict) else name for name in names]
    if icon := settings.get("website", {}).get("favicon"):
        settings["icon"] = article.copy(f"/{icon}")
    settings["pagetitle"] = settings.setdefault("title", article.source.stem)
    settings["css"] = [article.copy(style) for style in listed(settings.get("css"))]
    options = [f"--bibliography={article.locate(name)}" for name in listed(settings.pop("bibliography", None))]
    options += [f"--csl={article.locate(name)}" for name in listed(settings.pop("csl", None))]
    options += [
        f"--include-in-header={article.locate(name)}" for name in listed(settings.pop("include-in-header", None))
    ]
    options += ["--toc", f"--toc-depth={settings.get('toc-depth', 3)}"] if settings.pop("toc", None) else []
    options += ["--number-sections"] if settings.get("number-sections") else []
    head = [f"--include-in-header={TEMPLATES / 'report.typst'}"]
    options = ["--mathml", f"--template={TEMPLATES / 'report.html'}", *options] if target == "html" else head + options
    given = {key: value for key, value in settings.items() if key not in ("format", "project")}
    texts = {key: article.substitute(value, article.source) for key, value in given.items() if isinstance(value, str)}
    whole = f"---\n{json.dumps(given | texts, default=str)}\n---\n\n{text}"
    document = io.StringIO()
    pf.dump(Filter(article, target, bool(settings.get("number-sections"))).apply(whole), document)
    try:
        output = pandoc(document.getvalue(), "-fjson", f"-t{target}", "-s", "--citeproc", "--wrap=none", *options)
        if target == "html":
            table_head = re.compile("<thead>.*?</thead>", re.DOTALL)
            output = table_head.sub(lambda head: re.sub("<th(?=[ >])", '<th scope="col"', head[0]), output)
            path.write_text(output, encoding="utf-8")
        else:
            source = path.with_suffix(".typ")
            source.write_text(output, encoding="utf-8")
            date = os.environ.get("SOURCE_DATE_EPOCH", "")  # as reproducible builds have it
            typst.compile(source, output=path, root=article.folder, timestamp=int(date) if date.isdecimal() else None)
            source.unlink()
    except (RenderError, typst.TypstError) as error:
        problem = str(error).partition("\n")[0]
        if key := re.search(r"citation (\S+) not found", problem):
            raise article.complaint(f"@{key[1]}", f"@{key[1]} is not in the bibliography") from None
        raise article.complaint("", problem) from None
    return path
