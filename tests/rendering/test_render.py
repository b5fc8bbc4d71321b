"""The renderer: what an article's sources become, with Quarto and without, and what stops a render."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser
from pypdf import PdfReader

from normstudy.pipeline.handover import worded
from normstudy.rendering.render import RenderError, find_quarto, finish, render, renderer
from tests import checks
from tests.commands import ROOT, stand_in

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="150"><rect width="300" height="150" fill="#0072B2"/>'
    '<circle cx="150" cy="75" r="50" fill="#fff"/></svg>'
)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC"
QUARTO = """\
project:
  type: website
  output-dir: _report
  render: [report/index.qmd]
  resources: ["/report/shown/**"]
website: {title: A study, search: false}
lang: en
bibliography: report/references.bib
citeproc: true
toc: true
number-sections: true
format:
  html: {html-math-method: mathml, css: report/report.css}
  typst: {papersize: a4, margin: {x: 2.2cm, y: 2.4cm}}
"""
ARTICLE = """\
---
title: "Norms: a *study*"
subtitle: What they compute
author: Ada
abstract: All of it on `{{< var dataset >}}`.
---

## Introduction {#sec-introduction}

The accuracy is {{< var batch.accuracy >}}\u00a0% [@ioffe2015]. See @fig-curves, @fig-both, @tbl-results, @tbl-plain,
@eq-norm and @sec-deeper, or number [-@fig-drawn] alone.
The [metrics](shown/{{< var batch.name >}}/metrics.csv) are there.[^1]

[^1]: A footnote.

::: {#fig-curves}
{{< embed shown/batch.ipynb#curves >}}

The curves of **batch** normalization.
:::

{{< include sections/_more.qmd >}}
"""
MORE = """\
## More

### Deeper {#sec-deeper}

::: {#fig-both layout-ncol=2}
{{< embed shown/batch.ipynb#curves >}}

{{< embed shown/layer.ipynb#curves >}}

Both, side by side.
:::

![Drawn by hand](drawn.svg){#fig-drawn fig-alt="A blue \\"rectangle\\""}

::: {#tbl-results}
{{< embed shown/batch.ipynb#results >}}

Results.
:::

| Norm | Means |
|:-----|------:|
| batch | 8 |

: What is *computed* {#tbl-plain}

$$ y = \\gamma \\frac{x - \\mu}{\\sigma} + \\beta $$ {#eq-norm}

{{< embed shown/batch.ipynb#findings >}}

{{< embed shown/batch.ipynb#printed >}}

::: {.content-visible when-format="html"}
Only on the page.
:::

::: {.content-visible unless-format="html"}
Only in the PDF.
:::

:::: {layout-ncol=2}

::: {#fig-left}
{{< embed shown/batch.ipynb#curves >}}

The left.
:::

::: {#fig-right}
{{< embed shown/layer.ipynb#curves >}}

The right.
:::

::::

```{=html}
<p class="raw">Raw HTML.</p>
```

## Aside {.unnumbered}

The end, @sec-introduction.

## References {.unnumbered}

::: {#refs}
:::
"""
SCRIPT = '[{text: <script src="/report/interactive/reading.js" defer></script>}, {text: <meta name="second">}]'
INDEX, SECTION = "report/index.qmd", "report/sections/_more.qmd"
REFERENCES = """\
@article{ioffe2015, author = {Ioffe, Sergey and Szegedy, Christian}, title = {Batch normalization: accelerating deep
  network training}, journal = {Proceedings}, year = {2015}}
"""


def figure(alt: str) -> nbformat.NotebookNode:
    """A figure as notebooks store it."""
    return new_output(
        "display_data",
        data={"image/svg+xml": SVG, "image/png": PNG, "text/plain": alt},
        metadata={"image/svg+xml": {"alt": alt}, "image/png": {"alt": alt}},
    )


def notebook(name: str) -> nbformat.NotebookNode:
    """An executed notebook as it is published: with each figure's text alternative among the cell's options too."""
    alternative = f'Curves of {name}: "low" & 5 < 6'
    table = {"text/markdown": f"| Norm | Accuracy |\n|:--|--:|\n| {name} | 99.5 |", "text/plain": name}
    return new_notebook(
        cells=[
            new_markdown_cell(f"# The variant {name}\n\nIts text."),
            new_code_cell(
                f"#| label: curves\n#| fig-alt: {json.dumps(alternative)}\nplot()",
                execution_count=1,
                outputs=[figure(alternative)],
            ),
            new_code_cell(
                "#| label: results\ntable()", execution_count=2, outputs=[new_output("display_data", data=table)]
            ),
            new_code_cell(
                "#| label: findings\nsay()",
                execution_count=3,
                outputs=[new_output("display_data", data={"text/markdown": f"**{name}** wins [@ioffe2015]."})],
            ),
            new_code_cell(
                "#| label: printed\nprint('out')",
                execution_count=4,
                outputs=[new_output("stream", name="stdout", text="out\n")],
            ),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


def write_example(folder: Path) -> Path:
    """A small project with executed notebooks, and an earlier report."""
    texts = {
        "_quarto.yml": QUARTO,
        "_quarto-digits.yml": "toc: false\n",
        "_variables.yml": "dataset: digits\nbatch: {accuracy: 99.5, name: batch}\n",
        "_report/index.html": "earlier",
        "report/index.qmd": ARTICLE,
        "report/sections/_more.qmd": MORE,
        "report/references.bib": REFERENCES,
        "report/report.css": "h1 { color: #123456; }\n",
        "report/drawn.svg": SVG,
        "report/shown/batch/metrics.csv": "epoch,loss\n1,0.5\n",
        **{f"report/shown/{name}.ipynb": nbformat.writes(notebook(name)) for name in ("batch", "layer")},
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The small project."""
    return write_example(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project's report, with nothing wrong in it."""
    folder = write_example(tmp_path_factory.mktemp("whole"))
    render(folder)
    checks.everything(folder / "_report")
    return folder / "_report"


@pytest.fixture(params=["pandoc", "quarto"])
def quarto(request: pytest.FixtureRequest) -> str | None:
    """Quarto's program, or none to render without: a test that asks runs with each renderer."""
    if request.param == "pandoc":
        return None
    return find_quarto() or pytest.skip("Quarto is not installed")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def page_text(page: Path) -> str:
    """The text of a page, each run of white space one space."""
    return re.sub(r"\s+", " ", checks.page(page).text_content().replace("\xa0", " "))


def test_every_part_of_an_article_is_in_the_page_and_the_pdf(example: Path, quarto: str | None):
    made = render(example, quarto=quarto)
    report = example / "_report"
    assert made == [report / "report" / "index.html", report / "report" / "index.pdf"]
    checks.everything(report)
    page, pdf = page_text(made[0]), checks.pdf_text(made[1])
    assert checks.labels(report, "fig") == ["fig-curves", "fig-both", "fig-drawn", "fig-left", "fig-right"]
    assert checks.captions(report, "tbl") == ["Table 1: Results.", "Table 2: What is computed"]
    for text in (
        "The accuracy is 99.5 % (Ioffe and Szegedy 2015). See Figure 1, Figure 2, Table 1, Table 2, Equation 1 and "
        "Section 2.1, or number 3 alone.",
        "batch wins (Ioffe and Szegedy 2015).",
        "All of it on digits.",
        "Norms: a study",
        "What they compute",
        "Ada",
        "A footnote.",
        "out",
    ):
        assert text in page, text
        assert text in pdf, text
    assert "Only on the page." in page
    assert "Only on the page." not in pdf
    assert "Only in the PDF." in pdf
    assert "Only in the PDF." not in page
    assert "plot()" not in page  # code is shown only where it is asked for
    alternatives = checks.article(report).xpath("//main//img/@alt")
    assert alternatives.count('Curves of batch: "low" & 5 < 6') == 3
    assert 'A blue "rectangle"' in alternatives
    assert (report / "report" / "shown" / "batch" / "metrics.csv").read_text() == "epoch,loss\n1,0.5\n"
    assert "table()" in page_text(report / "report" / "shown" / "layer-preview.html")


def test_a_second_render_takes_the_place_of_the_first_and_leaves_nothing_behind(example: Path, quarto: str | None):
    render(example, quarto=quarto)
    before = {path.relative_to(example) for path in example.rglob("*")}
    render(example, quarto=quarto)
    assert {path.relative_to(example) for path in example.rglob("*")} == before
    assert not (example / "_report" / "_report").exists()


def test_sections_that_are_watched_are_not_part_of_the_report(example: Path, quarto: str | None):
    change(example / "_quarto.yml", '["/report/shown/**"]', '["/report/shown/**", "/report/sections/*.qmd"]')
    render(example, quarto=quarto)
    assert (example / "_report" / "report" / "shown" / "batch" / "metrics.csv").exists()
    assert not (example / "_report" / "report" / "sections").exists()


def test_a_profile_adds_its_settings(example: Path, quarto: str | None):
    page, _ = render(example, "digits", quarto=quarto)
    text = page.read_text(encoding="utf-8")
    assert 'id="TOC"' not in text


@pytest.mark.parametrize("filters", ["[report/shout.lua]", "[{path: report/shout.lua, at: post-quarto}]"])
def test_a_filter_of_the_project_sees_the_document(example: Path, quarto: str | None, filters: str):
    change(example / "_quarto.yml", "citeproc: true", f"citeproc: true\nfilters: {filters}")
    script = "function Strong(words) return pandoc.Str(pandoc.utils.stringify(words):upper()) end\n"
    (example / "report" / "shout.lua").write_text(script)
    page, pdf = render(example, quarto=quarto)
    assert "The curves of BATCH normalization." in page_text(page)
    assert "The curves of BATCH normalization." in checks.pdf_text(pdf)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (INDEX, "sections/_more", "sections/_less", r"index.qmd: {{< include sections/_less.qmd >}}: there"),
        (INDEX, "batch.accuracy", "batch.speed", r"index.qmd: {{< var batch.speed >}}: there is no such value"),
        (SECTION, "layer.ipynb", "lay.ipynb", r"_more.qmd: {{< embed shown/lay.ipynb#curves >}}: there"),
        (SECTION, "batch.ipynb#results", "batch.ipynb#result", r"_more.qmd: .*: the notebook has no such"),
        (SECTION, "embed shown/batch.ipynb#findings", "video x.mp4", r".*: {{< video x.mp4 >}}: not a shortcode"),
        (INDEX, "@tbl-results,", "@tbl-result,", r"report/index.qmd: @tbl-result refers to nothing"),
        (SECTION, "end, @sec-introduction", "end, @sec-intro", r"_more.qmd: @sec-intro refers to nothing"),
        (INDEX, "[@ioffe2015]", "[@iofe2015]", r"report/index.qmd: @iofe2015 is not in the bibliography"),
        (SECTION, "#tbl-plain", "#tbl-results", r"report/sections/_more.qmd: #tbl-results is given twice"),
        (SECTION, "The left.\n", "", r"report/sections/_more.qmd: #fig-left needs a last paragraph"),
        (SECTION, "(drawn.svg)", "(lost.svg)", r"report/sections/_more.qmd: lost.svg is not there"),
        (INDEX, "/metrics.csv", "/metric.csv", r"report/index.qmd: shown/batch/metric.csv is not there"),
        (INDEX, "(shown/{{< var batch.name >}}", "(../..", r"report/index.qmd: ../../metrics.csv lies outside the"),
        (SECTION, "```{=html}", "```{=typst}\n#nothing\n```\n\n```{=html}", r"report/index.qmd: unknown var"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_in_one_line_and_the_earlier_report_stays(
    example: Path, file: str, old: str, new: str, problem: str
):
    change(example / file, old, new)
    with pytest.raises(RenderError, match=problem.replace("{", r"\{")) as error:
        render(example)
    assert "\n" not in str(error.value)
    assert (example / "_report" / "index.html").read_text() == "earlier"
    assert [path.name for path in (example / "_report").iterdir()] == ["index.html"]
    assert not list((example / ".quarto").glob("report-*"))


@pytest.mark.parametrize(
    ("warning", "problem"),
    [
        ("WARNING (refs.lua:128) Unable to resolve crossref @fig-curve", "index.qmd: not resolved: @fig-curve"),
        ("[WARNING] Citeproc: citation iofe2015 not found", "index.qmd: not resolved: iofe2015"),
    ],
)
def test_a_reference_that_quarto_only_warns_of_is_an_error(example: Path, warning: str, problem: str):
    with pytest.raises(RenderError, match=problem):
        render(example, quarto=stand_in(example / "quarto", f"echo '{warning}' >&2"))
    assert (example / "_report" / "index.html").read_text() == "earlier"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("one\nERROR: no such label\n    at render (quarto.js)", "ERROR: no such label"),
        (
            "Compiling index.typ...error: failed to download a package\n  ┌─ index.typ\n  │ ^^^",
            "error: failed to download",
        ),
        ("one\ntwo", "two"),
        ("", "Quarto failed"),
    ],
)
@pytest.mark.parametrize("code", [1, 0])  # 0 is what quarto-cli of the package index ends with, whatever happens
def test_a_render_that_fails_in_quarto_says_why_in_one_line(example: Path, said: str, why: str, code: int):
    failing = stand_in(example / "quarto", f"cat <<END\n{said}\nEND\nexit {code}")
    with pytest.raises(RenderError, match=f"^.*{why}.*$") as error:
        render(example, quarto=failing)
    assert "\n" not in str(error.value)
    assert (example / "_report" / "index.html").read_text() == "earlier"


def test_this_python_runs_the_scripts_that_quarto_calls(example: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QUARTO_PYTHON", "another")
    with pytest.raises(RenderError, match=f"^ERROR: {sys.executable}$"):
        render(example, quarto=stand_in(example / "quarto", "echo ERROR: $QUARTO_PYTHON"))


def test_the_words_of_quarto_carry_no_colour(example: Path):
    colourful = stand_in(example / "quarto", '[ "$NO_COLOR" ] || printf "\\033[91m"\necho ERROR: no\nexit 1')
    with pytest.raises(RenderError, match=r"^ERROR: no$"):
        render(example, quarto=colourful)


def test_quarto_itself_leaves_the_earlier_report_when_a_reference_does_not_resolve(example: Path):
    quarto = find_quarto() or pytest.skip("Quarto is not installed")
    change(example / "report" / "index.qmd", "@tbl-results,", "@tbl-result,")
    change(example / "report" / "index.qmd", "[@ioffe2015]", "[@iofe2015]")
    with pytest.raises(RenderError, match=r"not resolved: @tbl-result, iofe2015$"):
        render(example, quarto=quarto)
    assert (example / "_report" / "index.html").read_text() == "earlier"


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of this Python, which is a new one, and not on the PATH."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "environment" / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "environment" / "bin"


def test_quarto_beside_this_python_is_found_though_no_path_leads_there(beside: Path):
    own = stand_in(beside / "quarto")
    assert find_quarto() == own


def test_quarto_beside_this_python_comes_first_as_where_the_environment_is_activated(beside: Path, tmp_path: Path):
    on_the_path = stand_in(tmp_path / "bin" / "quarto")
    assert find_quarto() == on_the_path
    own = stand_in(beside / "quarto")
    assert find_quarto() == own


def test_the_renderer_has_a_name_and_a_version(tmp_path: Path):
    quarto = stand_in(tmp_path / "quarto", "echo 1.9.1")
    assert renderer(quarto) == f"Quarto 1.9.1 ({quarto})"
    assert re.fullmatch(
        r"Pandoc \d+\.[\d.]+ and Typst \d+\.[\d.]+, for a plainer report: "
        r"Quarto is neither beside this Python nor on the PATH",
        renderer(None),
    )


@pytest.mark.parametrize("says", ["echo one >&2\necho no room left >&2\nexit 1", "exit 3", None])
def test_a_quarto_that_does_not_run_is_named_in_one_line(tmp_path: Path, says: str | None):
    quarto = stand_in(tmp_path / "quarto", says) if says else str(tmp_path)
    with pytest.raises(RenderError, match=rf"^{quarto} --version: \S[^\n]*$"):
        renderer(quarto)


MADE = {
    "index.html": "leads to the article",
    "report/index.html": "the page",
    "report/index.pdf": "the PDF",
    "report/index_files/curves.svg": "a picture of the page",
    "report/sections/_more.qmd": "a source",
    "site_libs/page.css": "a sheet",
}


def make(root: Path, *without: str, of: str = "new") -> Path:
    """What a render of Quarto has made, but for some of it."""
    made = root / ".quarto" / "report"
    shutil.rmtree(made, ignore_errors=True)
    for name, text in MADE.items():
        if not name.startswith(without):
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_text(f"{of}: {text}")
    return made


PAGE_ALONE, PDF_ALONE = ("report/index.pdf",), ("report/index.html", "report/index_files", "site_libs/page.css")


def finished(root: Path, *without: str, of: str = "new") -> tuple[dict[str, str], list[str]]:
    """The report and what is said of it after a render of Quarto that has made all but some of it."""
    said: list[str] = []
    finish(root, make(root, *without, of=of), said.append)
    report = root / "_report"
    return {file.relative_to(report).as_posix(): file.read_text() for file in report.rglob("*.*")}, said


def test_a_whole_render_takes_the_place_of_the_earlier_report_and_says_where(example: Path):
    (example / "_report" / "gone.html").write_text("earlier")
    report, said = finished(example)
    assert report == {name: f"new: {text}" for name, text in MADE.items() if not name.endswith(".qmd")}
    assert said == [str(example / "_report" / "report" / name) for name in ("index.html", "index.pdf")]
    assert not (example / "_report" / "report" / "sections").exists()


@pytest.mark.parametrize(("without", "stays"), [(PAGE_ALONE, "index.pdf"), (PDF_ALONE, "index.html")])
def test_the_format_that_is_not_rendered_stays_as_it_was(example: Path, without: tuple[str, ...], stays: str):
    earlier, _ = finished(example, of="earlier")
    report, said = finished(example, *without)
    assert report == {
        name: text if name.startswith(without) else f"new: {MADE[name]}" for name, text in earlier.items()
    }
    assert len([line for line in said if line.endswith(f"{stays} (as it was)")]) == 1
    assert len(said) == 2


def test_where_there_is_no_page_nothing_leads_to_it(example: Path):
    shutil.rmtree(example / "_report")
    report, said = finished(example, *PDF_ALONE)
    assert set(report) == {"report/index.pdf"}
    assert said == [str(example / "_report" / "report" / "index.pdf")]


def test_what_a_page_lacks_from_disk_is_said_and_the_report_takes_its_place(example: Path):
    made = make(example)
    (made / "report" / "index.html").write_text('<script src="other.js" type="module"></script>')
    said: list[str] = []
    finish(example, made, said.append)
    assert said[0].startswith("Opened from disk")
    assert "other.js" in (example / "_report" / "report" / "index.html").read_text()


def test_a_report_that_cannot_be_put_in_place_stays_where_it_is_made(example: Path):
    shutil.rmtree(example / "_report")
    (example / "_report").write_text("a file")
    made = make(example)
    with pytest.raises(RenderError, match=f"^the report stays in {made}: .*_report is a file"):
        finish(example, made)
    assert (made / "report" / "index.html").exists()


def test_the_pdf_carries_text_alternatives_and_the_title(example: Path):
    _, pdf = render(example)
    reader = PdfReader(pdf)
    assert reader.metadata is not None
    assert reader.metadata.title == "Norms: a study"
    objects = [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]
    alternatives = [str(item["/Alt"]) for item in objects if isinstance(item, dict) and "/Alt" in item]
    assert 'A blue "rectangle"' in alternatives
    assert alternatives.count('Curves of batch: "low" & 5 < 6') == 3


def test_a_report_can_be_made_again_bit_for_bit(example: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1500000000")
    first = [file.read_bytes() for file in render(example)]
    again = render(example)
    assert [file.read_bytes() for file in again] == first
    information = PdfReader(again[1]).metadata
    assert information
    assert information.creation_date
    assert information.creation_date.timestamp() == 1500000000


def test_the_page_reads_on_a_phone_in_the_dark_and_by_keyboard(example: Path, browser: Browser):
    wide = "| " + " | ".join(f"column{n}" for n in range(20)) + " |\n" + "|--" * 20 + "|\n" + "| 1234567 " * 20 + "|\n"
    change(example / "report" / "index.qmd", "## Introduction", f"{wide}\n## Introduction")
    page, pdf = render(example)
    with browser.new_context(viewport={"width": 390, "height": 800}, color_scheme="dark") as context:
        opened = context.new_page()
        opened.goto(page.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") == 390
        assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 25, 29)"
        assert opened.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(18, 52, 86)"
        opened.keyboard.press("Tab")
        assert opened.evaluate("document.activeElement.textContent") == "Skip to the text"
    assert "column19" in checks.pdf_text(pdf)


CLAIM = """
::: {.content-visible when-meta="claims.depth.sooner.holds"}
It **comes sooner**, as @fig-curves shows.
:::
::: {.content-visible when-meta="claims.depth.sooner.fails"}
It comes later.
:::
::: {.content-visible unless-meta="claims.depth.sooner.open"}
Chance is ruled out.
:::

It is [the same]{.content-visible when-meta="claims.depth.sooner.open"}[another]{.content-visible
unless-meta="claims.depth.sooner.open"} answer.
"""


@pytest.mark.parametrize(
    ("value", "said", "unsaid"),
    [
        (True, ["comes sooner, as Figure 1", "ruled out", "another answer"], ["comes later", "the same answer"]),
        (False, ["comes later", "ruled out", "another answer"], ["comes sooner", "the same answer"]),
        (None, ["the same answer"], ["comes sooner", "comes later", "ruled out", "another answer"]),
    ],
)
def test_of_a_claims_wordings_the_one_that_holds_is_shown(
    example: Path, quarto: str | None, value: bool | None, said: list[str], unsaid: list[str]
):
    change(example / SECTION, "## More\n", f"## More\n{CLAIM}")
    for claim in (not value, value):  # what an earlier render has read is not kept
        claims = yaml.safe_dump({"claims": worded({"depth": {"sooner": claim}})})
        (example / "report" / "_metadata.yml").write_text(claims)
        page, pdf = render(example, quarto=quarto)
    for text in (page_text(page), checks.pdf_text(pdf)):
        assert [words for words in said if words not in text] == []
        assert [words for words in unsaid if words in text] == []


def test_a_claim_that_nobody_makes_is_named(example: Path):
    change(example / SECTION, "## More\n", f"## More\n{CLAIM}")
    with pytest.raises(RenderError, match=r"_more.qmd: claims.depth.sooner.holds is neither true nor false"):
        render(example)


FOLDED = """
::: {.folded summary='All of the "results", <5 & more'}
Few will read this; see @tbl-folded and @fig-folded.

::: {#fig-folded}
{{< embed shown/layer.ipynb#curves >}}

What is folded.
:::

::: {#tbl-folded}
{{< embed shown/layer.ipynb#results >}}

Folded.
:::

:::
"""


@pytest.fixture
def folding(example: Path) -> Path:
    """The small project with something folded in its middle."""
    for name in ("folded.lua", "report.typst"):
        shutil.copy(ROOT / "report" / name, example / "report")
    change(
        example / "_quarto.yml", "citeproc: true", "citeproc: true\nfilters: [{path: report/folded.lua, at: pre-ast}]"
    )
    change(example / "_quarto.yml", "typst: {", "typst: {include-in-header: report/report.typst, ")
    change(example / SECTION, "### Deeper", f"{FOLDED}\n### Deeper")
    change(example / SECTION, "## References", "## Appendix\n\n::: {.unfolded}\n:::\n\n## References")
    change(example / INDEX, "or number [-", "@tbl-folded, @fig-folded, or number [-")
    return example


def test_what_is_folded_is_closed_on_the_page_and_in_the_appendix_of_the_pdf(folding: Path, quarto: str | None):
    page, pdf = render(folding, quarto=quarto)
    checks.everything(folding / "_report")
    (details,) = checks.page(page).xpath("//details[@class='folded']")
    assert details.get("open") is None
    assert details.xpath("string(summary)") == 'All of the "results", <5 & more'
    assert [str(label) for label in details.xpath(".//@id[. = 'fig-folded' or . = 'tbl-folded']")] == [
        "fig-folded",
        "tbl-folded",
    ]
    text = checks.pdf_text(pdf)
    *_, pointer, heading = (match.start() for match in re.finditer("All of the .results., <5 & more", text))
    places = [text.index(words) for words in ("Few will read", "Figure 2: What is folded", "Table 1: Folded.")]
    assert pointer < text.rindex("Deeper") < text.rindex("Appendix") < heading < min(places)


def test_what_is_folded_keeps_the_numbers_of_the_page_in_the_pdf(folding: Path, quarto: str | None):
    page, pdf = render(folding, quarto=quarto)
    for kind in ("fig", "tbl"):
        captions = checks.captions(folding / "_report", kind)
        assert len(captions) in (3, 6)
        for caption in captions:
            assert caption in checks.pdf_text(pdf)
    for text in (page_text(page), checks.pdf_text(pdf)):
        assert "Table 2, Table 3, Equation 1 and Section 2.1, Table 1, Figure 2, or number 4 alone." in text
        assert "see Table 1 and Figure 2." in text


def test_what_is_folded_opens_for_print_and_where_a_link_leads_into_it(folding: Path, browser: Browser):
    (folding / "report" / "interactive").mkdir()
    shutil.copy(ROOT / "report" / "interactive" / "reading.js", folding / "report" / "interactive")
    change(folding / "_quarto.yml", '["/report/shown/**"]', '["/report/shown/**", "/report/interactive/*.js"]')
    change(folding / "_quarto.yml", "html: {", f"html: {{include-in-header: {SCRIPT}, ")
    page, _ = render(folding)
    assert '<meta name="second"' in page.read_text()
    with browser.new_context() as context:
        opened = context.new_page()
        opened.goto(page.as_uri())
        is_open = "document.querySelector('details.folded').open"
        assert not opened.evaluate(is_open)
        opened.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert opened.evaluate(is_open)
        opened.evaluate("dispatchEvent(new Event('afterprint'))")
        assert not opened.evaluate(is_open)
        opened.locator("a[href='#tbl-folded']").first.click()
        opened.wait_for_function(is_open)


def edit(pattern: str, replacement: str, name: str = "report/index.html", count: int = 1) -> Callable[[Path], None]:
    """Damage to a report: what matches in a page is replaced."""

    def damage(report: Path) -> None:
        text = (report / name).read_text(encoding="utf-8")
        changed = re.sub(pattern, replacement, text, count=count, flags=re.DOTALL)
        assert changed != text
        (report / name).write_text(changed, encoding="utf-8")

    return damage


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (edit("report/index.html", "", "index.html", 0), "root page"),
        (edit("All of it", "@fig-x"), "unresolved in the page"),
        (edit("All of it", "{{&lt; var x &gt;}}"), "unresolved in the page"),
        (edit("Table\u00a02:", "Table\u00a03:"), "the caption of tbl-plain"),
        (edit(">Figure\u00a02</a>", ">Figure\u00a03</a>"), "the reference to fig-both"),
        (edit(">Section\u00a02.1</a>", ">Section\u00a02.2</a>"), "the reference to sec-deeper"),
        (edit(">Equation\u00a01</a>", ">Equation\u00a02</a>"), "the reference to eq-norm"),
        (edit('header-section-number">2.1<', 'header-section-number">2.2<'), "sec-deeper is section 2.1"),
        (edit('alt="[^"]*"', 'alt=""'), "no text alternative"),
        (edit('alt="[^"]*"', 'alt=""', "report/shown/batch-preview.html"), "no text alternative"),
        (edit('src="drawn.svg"', 'src="lost.svg"'), "lost.svg is not there"),
        (edit('href="shown/batch/metrics.csv"', 'href="shown/metrics.csv"'), "shown/metrics.csv, which is not there"),
        (edit("batch-preview.html#curves", "batch-preview.html#curve"), "no such anchor"),
        (edit("</head>", '<script src="https://example.org/x.js"></script></head>'), "loads"),
        (edit("</head>", "<style>@import url(//example.org/x.css)</style></head>"), "loads"),
        (edit("<h2", "<h1>More</h1><h2"), "not exactly one h1"),
        (edit("<h2 ", "<h4>Deep</h4><h2 "), "a level is skipped"),
        (edit(' id="ref-ioffe2015"', ""), "cited, not listed"),
        (edit('<figure id="fig-curves"', '<figure id="tbl-curves"'), "the caption of"),
    ],
)  # fmt: skip
def test_the_checks_find_what_is_damaged(whole: Path, tmp_path: Path, damage: Callable[[Path], None], problem: str):
    report = tmp_path / "_report"
    shutil.copytree(whole, report)
    damage(report)
    with pytest.raises(AssertionError, match=problem):
        checks.everything(report)
