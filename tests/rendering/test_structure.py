"""Quarto's constructs in Pandoc's document: what is numbered, referred to, captioned, shown and set side by side."""

import io
import re
from pathlib import Path

import panflute as pf
import pytest
from lxml import html

from normstudy.rendering.engines import RenderError, pandoc
from normstudy.rendering.sources import Article
from normstudy.rendering.structure import Filter, Target

DRAWN = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"></svg>'


@pytest.fixture
def article(tmp_path: Path) -> Article:
    """An article without text, beside a drawing."""
    (tmp_path / "index.qmd").touch()
    (tmp_path / "drawn.svg").write_text(DRAWN)
    settings = {"claims": {"grows": True, "falls": False, "said": "so"}}
    return Article(tmp_path, tmp_path / "index.qmd", tmp_path / "made", settings, {})


def made(article: Article, text: str, target: Target = "html", *options: str, number_sections: bool = True) -> str:
    """What Pandoc writes of a text."""
    document = io.StringIO()
    pf.dump(Filter(article, target, number_sections).apply(text), document)
    return pandoc(document.getvalue(), "-f", "json", "-t", target, "--wrap=none", *options)


def page(markup: str) -> html.HtmlElement:
    return html.fromstring(f"<main>{markup}</main>")


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", page(markup).text_content().replace("\xa0", " ")).strip()


@pytest.mark.parametrize(
    "levels",
    [
        [1, 2, 2, 1, 2, 3],
        [2, 3, -3, 3, 2, -2, 3, 4, 3],  # a negative one is not numbered
        [2, 4, 4, 2, 4],  # a level is left out
    ],
    ids=str,
)
def test_a_reference_has_the_number_that_stands_before_the_section(article: Article, levels: list[int]):
    text = [f"{'#' * abs(level)} Title {{#sec-{at}{' -' * (level < 0)}}}\n" for at, level in enumerate(levels)]
    text += [f"[@sec-{at}]{{.reference}}" for at in range(len(levels))]
    whole = page(made(article, "\n".join(text), "html", "--number-sections"))
    references = [each.text_content().replace("\xa0", " ") for each in whole.find_class("reference")]
    numbers = iter(whole.xpath("//@data-number"))
    assert references == [f"Section {next(numbers)}" if level > 0 else "Title" for level in levels]


@pytest.mark.parametrize(("target", "first"), [("html", "<h2"), ("typst", "= Title")])
def test_the_highest_heading_has_the_level_that_its_output_begins_with(article: Article, target: Target, first: str):
    assert made(article, "### Title\n\n#### Below", target).startswith(first)


def test_where_sections_are_not_numbered_a_reference_has_the_title(article: Article):
    text = made(article, "## The *title* {#sec-a}\n\nSee @sec-a.", number_sections=False)
    assert words(text) == "The title See The title."


FIGURES = """
![A drawing](drawn.svg){#fig-one}

| a |
|---|
| 1 |

: A table {#tbl-one}

::: {#fig-two}
![](drawn.svg)

Another *drawing*.
:::

[$$ x $$]{#eq-one}

Before @fig-two comes @fig-one; [@fig-one; @tbl-one], @eq-one, number [-@fig-two].
"""


def test_each_kind_is_counted_apart_in_the_order_of_the_text(article: Article):
    text = words(made(article, FIGURES, "html", "--mathml"))
    assert "Before Figure 2 comes Figure 1; Figure 1, Table 1, Equation 1, number 2." in text
    assert "Figure 1: A drawing" in text
    assert "Table 1: A table" in text
    assert "Figure 2: Another drawing." in text


def test_a_reference_leads_to_what_it_names(article: Article):
    whole = page(made(article, FIGURES, "html", "--mathml"))
    ends = {link.get("href").removeprefix("#") for link in whole.find_class("quarto-xref")}
    assert ends == {"fig-one", "fig-two", "tbl-one", "eq-one"}
    assert all(len(whole.xpath(f"//*[@id='{end}']")) == 1 for end in ends)


def test_a_table_has_its_caption_above_and_a_figure_below(article: Article):
    whole = page(made(article, FIGURES, "html", "--mathml"))
    orders = {figure.get("id"): [child.tag for child in figure] for figure in whole.xpath("//figure")}
    assert orders["tbl-one"] == ["figcaption", "div"]
    assert orders["fig-one"][-1] == orders["fig-two"][-1] == "figcaption"


def test_the_pdf_has_the_same_numbers_captions_and_ends(article: Article):
    typst = made(article, FIGURES, "typst")
    for label, number in (("fig-one", "Figure~1"), ("fig-two", "Figure~2"), ("tbl-one", "Table~1")):
        assert f") <{label}>" in typst
        assert f"#strong[{number}:]" in typst
        assert f"#link(<{label}>)[{number}]" in typst
    assert '#[#set math.equation(numbering: (..n) => "(1)")\n$ x $ <eq-one>]' in typst
    assert re.findall("figure\\(kind: (\\w+)", typst) == ["image", "table", "image"]


def test_a_table_without_a_label_scrolls_and_has_no_number(article: Article):
    text = made(article, "| a |\n|---|\n| 1 |")
    assert '<div class="scroll" tabindex="0">' in text
    assert words(text) == "a 1"


@pytest.mark.parametrize("how", ["layout-ncol=2", "layout='[[1, 1], [1]]'"])
def test_parts_stand_in_columns(article: Article, how: str):
    text = f"::: {{{how}}}\nOne.\n\nTwo.\n:::"
    (grid,) = page(made(article, text)).find_class("grid")
    assert grid.get("style") == "--columns: 2"
    assert [cell.text_content().strip() for cell in grid] == ["One.", "Two."]
    assert "#grid(columns: 2," in made(article, text, "typst")


def visible(condition: str, text: str) -> str:
    return f"::: {{.content-visible {condition}}}\n{text}\n:::\n\n"


def test_what_is_meant_for_one_output_is_in_no_other(article: Article):
    text = visible('when-format="html"', "Page.") + visible('unless-format="html"', "PDF.") + visible("", "Both.")
    assert words(made(article, text)) == "Page. Both."
    assert made(article, text, "typst").split() == ["PDF.", "Both."]


def test_what_depends_on_a_claim_is_there_where_it_holds(article: Article):
    conditions = [f'{when}-meta="claims.{name}"' for when in ("when", "unless") for name in ("grows", "falls")]
    text = "".join(visible(condition, condition.replace('"', "")) for condition in conditions)
    assert words(made(article, text)) == "when-meta=claims.grows unless-meta=claims.falls"


@pytest.mark.parametrize("name", ["claims.said", "claims.unknown"])
def test_a_claim_that_is_neither_true_nor_false_is_named(article: Article, name: str):
    with pytest.raises(RenderError, match=f"^index.qmd: {name} is neither true nor false$"):
        made(article, visible(f'when-meta="{name}"', "Text."))


def test_what_is_hidden_is_not_counted(article: Article):
    text = visible('when-format="typst"', "![Hidden](drawn.svg){#fig-hidden}") + "![Shown](drawn.svg){#fig-shown}"
    assert words(made(article, text)) == "Figure 1: Shown"


def test_a_picture_has_its_text_alternative_and_its_size_and_lies_beside_the_page(article: Article):
    text = made(article, '![A *caption*](drawn.svg){#fig-a}\n\n![](drawn.svg){fig-alt="In \\"words\\"" width=50%}')
    first, second = page(text).xpath("//img")
    assert (first.get("alt"), first.get("width"), first.get("height")) == ("A caption", "96", "48")
    assert second.get("alt") == 'In "words"'
    assert "height" not in second.attrib, "it has a width of its own"
    assert first.get("loading") == second.get("loading") == "lazy"
    assert (article.folder / first.get("src")).read_text() == DRAWN


def test_a_picture_has_its_text_alternative_in_the_pdf_too(article: Article):
    typst = made(article, '![](drawn.svg){fig-alt="In \\"words\\"" width=100}', "typst")
    assert typst.strip() == r'#box(image("drawn.svg", alt: "In \"words\"", width: 100pt * 0.75));'
