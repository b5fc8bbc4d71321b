"""The report without Quarto: a page, a PDF and the notebooks' pages, of the same sources, by Pandoc and Typst."""

import io
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import panflute as pf

from normstudy.machine.processor import cores
from normstudy.rendering.engines import RenderError, pandoc, typeset
from normstudy.rendering.settings import listed, merged
from normstudy.rendering.sources import Article
from normstudy.rendering.structure import Filter, Target

TEMPLATE = Path(__file__).with_name("page.html")


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
    with ThreadPoolExecutor(cores()) as threads:  # which wait for Pandoc; page and PDF share their pictures
        previews = [threads.submit(_preview, article, source, page) for source, page in pages.items()]
        made = [write(article, text, path, {"also": bar(article, path)}), write(article, text, pdf, {})]
        for preview in previews:
            preview.result()
    return made


def _preview(article: Article, source: Path, page: Path) -> Path:
    """Write the page of a whole notebook."""
    article.copy(article.url(source))
    inner = replace(article, source=source, folder=page.parent, notebooks={source: article.notebooks[source]}, texts={})
    cells = [f"::: {{.cell}}\n[]{{#{label}}}\n\n{cell}\n:::" for label, cell in inner.cells(source, echo=True)]
    also = f"{bar(article, page)} · Download [{source.name}]({source.name})"
    names = {"title": f"Notebook {source.stem}", "subtitle": "", "author": [], "abstract": "", "also": also}
    return write(inner, "\n\n".join(cells), page, names | {"number-sections": False, "toc": False})


def write(article: Article, text: str, path: Path, overrides: dict[str, Any]) -> Path:
    """Make a page or a PDF (as the path's suffix says) of an article whose shortcodes are expanded."""
    target: Target = "typst" if path.suffix == ".pdf" else "html"
    settings = _settings(article, target, overrides)
    options = _options(article, target, settings)
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
            typeset(source, path, article.folder)
            source.unlink()
    except RenderError as error:
        if key := re.search(r"citation (\S+) not found", str(error)):
            raise article.complaint(f"@{key[1]}", f"@{key[1]} is not in the bibliography") from None
        raise article.complaint("", str(error)) from None
    return path


def _settings(article: Article, target: Target, overrides: dict[str, Any]) -> dict[str, Any]:
    """An article's settings for one output, as Pandoc's templates know them."""
    settings = merged(article.settings, article.settings.get("format", {}).get(target)) | overrides
    names = [author.get("name") if isinstance(author, dict) else author for author in listed(settings.get("author"))]
    settings["author"] = [name["literal"] if isinstance(name, dict) else name for name in names]
    if icon := settings.get("website", {}).get("favicon"):
        settings["icon"] = article.copy(f"/{icon}")
    settings["pagetitle"] = settings.setdefault("title", article.source.stem)
    settings["css"] = [article.copy(style) for style in listed(settings.get("css"))]
    return dict(settings)


def _options(article: Article, target: Target, settings: dict[str, Any]) -> list[str]:
    """Pandoc's options; the settings that they stand for are taken out."""
    options = ["--mathml", f"--template={TEMPLATE}"] if target == "html" else []
    for name in ("bibliography", "include-in-header"):
        for file in listed(settings.pop(name, None)):
            if isinstance(file, dict):
                text = re.sub('(?<=src=")[^"]*', lambda url: article.copy(url[0]), file["text"])
                settings["header-includes"] = f"{settings.get('header-includes', '')}\n{text}"
            else:
                options.append(f"--{name}={article.locate(file)}")
    options += ["--toc", f"--toc-depth={settings.get('toc-depth', 3)}"] if settings.pop("toc", None) else []
    return [*options, "--number-sections"] if settings.get("number-sections") else options
