"""An article's sources and notebooks as plain Markdown: what Quarto's shortcodes stand for is put in their place."""

import base64
import html
import json
import os
import re
import shlex
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import yaml

from normstudy.rendering.engines import RenderError
from normstudy.rendering.settings import split_header

SHORTCODE = re.compile(r"\{\{< +(.*?) +>\}\}")
EQUATION = re.compile(r"(\$\$(?:(?!\$\$).)+\$\$)\s*\{(#eq-[\w-]+)\}", re.DOTALL)
PREFERRED = ("text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain")
SUFFIXES = {"image/svg+xml": ".svg", "image/png": ".png", "image/jpeg": ".jpg"}


def fenced(text: str, attributes: str = "") -> str:
    """`text` as a Markdown code block, its fence longer than any inside."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}{attributes}\n{text.rstrip()}\n{fence}"


@dataclass
class Article:
    """A source, the settings that hold for it (paths in them begin with the project's /), and its page's folder."""

    root: Path
    source: Path
    folder: Path
    settings: dict[str, Any]
    variables: dict[str, Any]
    texts: dict[Path, str] = field(default_factory=dict)  # every source read, to say where something stands
    notebooks: dict[Path, dict[str, Any]] = field(default_factory=dict)  # every notebook embedded

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
        encoded, hash_, fragment = url.partition("#")
        if not encoded or re.match(r"[a-z][a-z0-9+.-]*:|//", encoded, re.IGNORECASE):
            return url
        name = unquote(encoded)
        path, copied = self.locate(name), self.folder / self.url(self.locate(name))
        if not path.is_relative_to(self.root):
            raise self.complaint(name, f"{name} lies outside the project")
        if path.is_file():
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)
        elif not copied.exists():
            raise self.complaint(name, f"{name} is not there")
        return quote(self.url(path)) + hash_ + fragment

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
        return SHORTCODE.sub(lambda match: self.shortcode(match[1], path.relative_to(self.root)), text)

    def shortcode(self, code: str, where: Path) -> str:
        """What the shortcode `code` in the file `where` stands for, as Markdown."""
        problem = "not a shortcode that can be rendered without Quarto"
        match shlex.split(code):
            case ["include", name]:
                if (path := self.locate(name)).is_file():
                    return self.expand(path)
                problem = "there is no such file"
            case ["var" | "meta" as kind, name]:
                if (value := self.value(kind, name)) is not None:
                    return str(value)
                problem = "there is no such value"
            case ["embed", name]:
                notebook, _, label = name.partition("#")
                return self.embed(self.locate(notebook), label, f"{where}: {{{{< {code} >}}}}")
        raise RenderError(f"{where}: {{{{< {code} >}}}}: {problem}")

    def value(self, kind: str, name: str) -> Any:
        """A variable (`var`) or a setting (`meta`), by its path with dots; None where there is none."""
        found: Any = self.variables if kind == "var" else self.settings
        for part in name.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def embed(self, path: Path, label: str, where: str) -> str:
        """The cell of a notebook that has the label (all cells without one); the first time with a link to its page."""
        if not path.is_file():
            raise RenderError(f"{where}: there is no such notebook")
        link = ""
        if path not in self.notebooks:
            self.notebooks[path] = json.loads(path.read_text(encoding="utf-8"))
            source = f"[Source: [{path.name}]({self.preview(path)}#{label})]{{.source}}"
            link = f'::: {{.content-visible when-format="html"}}\n{source}\n:::'
        shown = [text for name, text in self.cells(path, echo=False) if label in (name, "")]
        if not shown:
            raise RenderError(f"{where}: the notebook has no such cell")
        return "\n\n".join([":::::: {.cell}", *shown, link, "::::::"])

    def preview(self, notebook: Path) -> str:
        """The URL of the page that shows a whole notebook."""
        return self.url(notebook.with_name(f"{notebook.stem}-preview.html"))

    def cells(self, notebook: Path, echo: bool) -> list[tuple[str, str]]:
        """A notebook's cells, each with its label, as Markdown: text, code (if `echo`) and outputs."""
        texts = []
        for index, cell in enumerate(self.notebooks[notebook]["cells"]):
            source, is_code = "".join(cell["source"]), cell["cell_type"] == "code"
            options = yaml.safe_load("\n".join(re.findall(r"^#\|(.*)", source, re.MULTILINE))) if is_code else None
            code = re.sub(r"^#\|.*\n?", "", source, flags=re.MULTILINE)
            parts = [source] if cell["cell_type"] == "markdown" else []
            if is_code and echo and code.strip():
                parts.append(fenced(code, "python"))
            for number, output in enumerate(cell.get("outputs", [])):
                name = f"{self.url(notebook.with_suffix('')).replace('/', '-')}-{index}-{number}"
                parts.append(self.output(output, name, (options or {}).get("fig-alt", "")))
            texts.append(((options or {}).get("label", cell.get("id", "")), "\n\n".join(parts)))
        return texts

    def output(self, output: dict[str, Any], name: str, alt: str) -> str:
        """A cell's output as Markdown, pictures as files beside the page."""
        if output["output_type"] == "stream":
            return fenced("".join(output["text"]))
        if output["output_type"] == "error":
            return fenced(f"{output['ename']}: {output['evalue']}")
        mime = next((mime for mime in PREFERRED if mime in output["data"]), "text/plain")
        data = "".join(output["data"].get(mime, ""))
        if mime == "text/markdown":
            return data
        if mime == "text/plain":
            return fenced(data)
        picture = self.folder / f"{self.source.stem}_files" / f"{name}{SUFFIXES[mime]}"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(data.encode() if mime == "image/svg+xml" else base64.b64decode(data))
        words = html.escape(" ".join(output["metadata"].get(mime, {}).get("alt", alt).split())).replace("\\", "&#92;")
        return f'![]({picture.relative_to(self.folder).as_posix()}){{fig-alt="{words}"}}'
