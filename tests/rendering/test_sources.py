"""An article's sources and notebooks as Markdown: shortcodes, embedded cells, copied files, and complaints."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normstudy.rendering.engines import RenderError
from normstudy.rendering.sources import Article, fenced

PIXEL = "iVBORw0KGgo="


@pytest.fixture
def article(tmp_path: Path) -> Article:
    """An article in a project's folder `report`, whose page goes to another."""
    files = {
        "report/index.qmd": "---\ntitle: T\n---\nIt is {{< var batch.accuracy >}} of {{< meta title >}}.\n",
        "report/more.qmd": "More.\n",
        "report/a file.csv": "1",
        "shared/b.csv": "2",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    variables = {"batch": {"accuracy": 99.5}, "none": None}
    return Article(tmp_path, tmp_path / "report" / "index.qmd", tmp_path / "made" / "report", {"title": "T"}, variables)


def code(source: str, *outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source.splitlines(keepends=True), "outputs": list(outputs), **more}


def shown(data: dict[str, str], **metadata: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def write_notebook(article: Article, *cells: dict[str, Any]) -> Path:
    file = article.root / "report" / "shown" / "a.ipynb"
    file.parent.mkdir()
    file.write_text(json.dumps({"cells": cells}))
    return file


@given(st.text("`~a \n"))
def test_a_fence_is_longer_than_any_in_the_text(text: str):
    first, *inside, last = fenced(text, "python").split("\n")
    assert first == f"{last}python"
    assert re.fullmatch("`{3,}", last)
    assert last not in text
    assert "\n".join(inside) == text.rstrip()


def test_a_source_has_its_includes_and_values_in_place_and_no_header(article: Article):
    with article.source.open("a") as file:
        file.write("{{< include more.qmd >}}{{< include /report/more.qmd >}}")
    assert article.expand(article.source) == "It is 99.5 of T.\nMore.\nMore.\n"
    assert article.texts.keys() == {article.source, article.source.with_name("more.qmd")}


def test_an_equation_with_a_label_is_a_span_of_that_name(article: Article):
    article.source.write_text("$$ a $$ {#eq-one}\n\n$$ b $$\n\n$$\nc\n$$ {#eq-two-three}\n")
    assert article.expand(article.source) == "[$$ a $$]{#eq-one}\n\n$$ b $$\n\n[$$\nc\n$$]{#eq-two-three}\n"


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("var batch.speed", "there is no such value"),
        ("var batch.accuracy.first", "there is no such value"),
        ("var none", "there is no such value"),
        ("meta author", "there is no such value"),
        ("include less.qmd", "there is no such file"),
        ("embed shown/b.ipynb", "there is no such notebook"),
        ("video x.mp4", "not a shortcode that can be rendered without Quarto"),
    ],
)
def test_a_shortcode_that_stands_for_nothing_is_named_with_its_file(article: Article, code: str, problem: str):
    with pytest.raises(RenderError) as error:
        article.substitute(f"Text {{{{< {code} >}}}}", article.source.with_name("more.qmd"))
    assert str(error.value) == f"report/more.qmd: {{{{< {code} >}}}}: {problem}"


def test_a_complaint_names_the_file_in_which_the_whole_word_stands(article: Article):
    other = article.source.with_name("more.qmd")
    article.texts |= {article.source: "@fig-both and #fig-a-b", other: "@fig-b, #fig-a."}
    assert str(article.complaint("@fig-b", "x")) == "report/more.qmd: x"
    assert str(article.complaint("#fig-a", "x")) == "report/more.qmd: x"
    assert str(article.complaint("@fig-both", "x")) == "report/index.qmd: x"
    assert str(article.complaint("elsewhere", "x")) == "report/index.qmd: x", "the article answers for the rest"


@pytest.mark.parametrize("url", ["https://a.example/b.csv", "mailto:a@b.example", "//a.example/b", "#sec-a", ""])
def test_what_lies_elsewhere_is_not_copied(article: Article, url: str):
    assert article.copy(url) == url
    assert not article.folder.exists()


@pytest.mark.parametrize(
    ("url", "page_s", "content"),
    [
        ("a%20file.csv", "a%20file.csv", "1"),
        ("a file.csv#row=2", "a%20file.csv#row=2", "1"),
        ("/shared/b.csv", "../shared/b.csv", "2"),
        ("../shared/./b.csv", "../shared/b.csv", "2"),
    ],
)
def test_a_linked_file_lies_beside_the_page_as_it_lay_beside_the_source(
    article: Article, url: str, page_s: str, content: str
):
    assert article.copy(url) == page_s
    assert (article.folder / unquote(page_s.partition("#")[0])).read_text() == content


@pytest.mark.parametrize("name", ["c# 1.csv", "50%.csv", "50%23.csv", "100%25.csv", "why?.csv", "a:b.csv", 'é "&.csv'])
def test_a_file_of_any_name_is_found_by_its_encoded_url_and_so_is_its_copy(article: Article, name: str):
    article.source.with_name(name).write_text("3")
    for fragment in ("", "#", "#row=%232"):
        assert article.copy(quote(name) + fragment) == quote(name) + fragment
    assert (article.folder / name).read_text() == "3"


def test_a_link_to_what_the_report_makes_itself_needs_no_source(article: Article):
    with pytest.raises(RenderError, match=r"made\.html is not there"):
        article.copy("made.html")
    article.folder.mkdir(parents=True)
    (article.folder / "made.html").touch()
    assert article.copy("made.html") == "made.html"


def test_nothing_outside_the_project_is_copied(article: Article):
    for url in ("../../b.csv", "/../b.csv"):
        with pytest.raises(RenderError, match="lies outside the project"):
            article.copy(url)


def test_the_page_has_the_name_that_is_asked_for_or_its_source_s(article: Article):
    assert article.page == article.folder / "index.html"
    article.settings["output-file"] = "report.pdf"
    assert article.page == article.folder / "report.html"


def test_a_cell_goes_by_its_label_and_all_cells_by_none(article: Article):
    write_notebook(
        article,
        {"cell_type": "markdown", "source": ["# Head"], "id": "h"},
        code("#| label: one\n1", shown({"text/markdown": "**1**"})),
        code("2", shown({"text/plain": "2"}), id="two"),
    )
    assert article.substitute("{{< embed shown/a.ipynb#one >}}", article.source) == (
        ':::::: {.cell}\n\n**1**\n\n::: {.content-visible when-format="html"}\n'
        "[Source: [a.ipynb](shown/a-preview.html#one)]{.source}\n:::\n\n::::::"
    )
    again = article.substitute("{{< embed /report/shown/a.ipynb#two >}}", article.source)
    assert again == ":::::: {.cell}\n\n```\n2\n```\n\n\n\n::::::", "the link is there once"
    whole = article.substitute("{{< embed shown/a.ipynb >}}", article.source)
    assert [part for part in ("# Head", "**1**", "```\n2\n```") if part in whole] == ["# Head", "**1**", "```\n2\n```"]
    with pytest.raises(RenderError, match="the notebook has no such cell"):
        article.substitute("{{< embed shown/a.ipynb#three >}}", article.source)


def test_code_is_shown_where_it_is_asked_for_without_its_options(article: Article):
    notebook = write_notebook(article, code("#| label: one\n#| echo: true\nplot()\n# end", shown({"text/plain": "2"})))
    article.notebooks[notebook] = json.loads(notebook.read_text())
    assert article.cells(notebook, echo=True) == [("one", "```python\nplot()\n# end\n```\n\n```\n2\n```")]
    assert article.cells(notebook, echo=False) == [("one", "```\n2\n```")]


@pytest.mark.parametrize(
    ("output", "markdown"),
    [
        ({"output_type": "stream", "text": ["a\n", "b\n"]}, "```\na\nb\n```"),
        ({"output_type": "error", "ename": "ValueError", "evalue": "no"}, "```\nValueError: no\n```"),
        (shown({"text/plain": "a", "text/markdown": "*a*", "image/png": PIXEL}), "*a*"),
        (shown({"text/html": "<b>a</b>", "text/plain": "a"}), "```\na\n```"),
    ],
    ids=["stream", "error", "markdown", "plain"],
)
def test_of_an_output_s_forms_the_one_is_shown_that_says_most(article: Article, output: dict[str, Any], markdown: str):
    assert article.output(output, "name", "") == markdown
    assert not article.folder.exists()


def test_a_picture_is_a_file_beside_the_page_with_the_alternative_that_it_carries(article: Article):
    both = shown({"image/svg+xml": "<svg/>", "image/png": PIXEL}, **{"image/svg+xml": {"alt": 'a "b"\n< \\c'}})
    assert article.output(both, "one", "of the cell") == (
        '![](index_files/one.svg){fig-alt="a &quot;b&quot; &lt; &#92;c"}'
    )
    assert (article.folder / "index_files" / "one.svg").read_text() == "<svg/>"
    alone = article.output(shown({"image/png": PIXEL}), "two", "of the cell")
    assert alone == '![](index_files/two.png){fig-alt="of the cell"}'
    assert (article.folder / "index_files" / "two.png").read_bytes() == b"\x89PNG\r\n\x1a\n"


def test_pictures_of_all_cells_have_names_of_their_own(article: Article):
    drawn = shown({"image/svg+xml": "<svg/>"})
    write_notebook(article, code("#| fig-alt: First\n1", drawn, drawn), code("2", drawn))
    whole = article.substitute("{{< embed shown/a.ipynb >}}", article.source)
    found = re.findall(r'!\[\]\((.*?)\)\{fig-alt="(.*?)"\}', whole)
    assert [alternative for _, alternative in found] == ["First", "First", ""]
    assert len({name for name, _ in found}) == 3
    assert all((article.folder / name).is_file() for name, _ in found)
