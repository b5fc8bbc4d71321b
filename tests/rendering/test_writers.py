"""Pages and PDFs of an article, and what leads from one to another; `test_render` has whole reports."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from pypdf import PdfReader

from normstudy.rendering import writers
from normstudy.rendering.engines import RenderError
from normstudy.rendering.sources import Article

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>'


def write_article(root: Path) -> Article:
    """An article in a project's folder `report`, beside files that it may ask for."""
    files = {
        "report/index.qmd": "---\ntitle: T\n---\nThe text.\n",
        "report/look.css": "h1 {}",
        "report/first.bib": "@book{one, author = {Ada}, title = {First}, year = {1843}}",
        "report/second.bib": "@book{two, author = {Bea}, title = {Second}, year = {1844}}",
        "report/above.txt": "<!-- from a file -->",
        "shared/act.js": "act()",
        "shared/icon.svg": SQUARE,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    folder = root / "made" / "report"
    folder.mkdir(parents=True)
    return Article(root, root / "report" / "index.qmd", folder, {"title": "T"}, {"number": 7})


@pytest.fixture
def article(tmp_path: Path) -> Article:
    """An article that no page was made of yet."""
    return write_article(tmp_path)


def embed(article: Article, name: str) -> str:
    """Write a notebook with a heading, a text and a picture; return what embeds it in the article."""
    picture = {"output_type": "display_data", "data": {"image/svg+xml": SQUARE}, "metadata": {}}
    cells = [
        {"cell_type": "markdown", "source": ["## A heading\n", "\n", f"Of *{name}*."], "id": "words"},
        {
            "cell_type": "code",
            "source": ["#| label: drawn\n", "#| fig-alt: A square\n", "draw()"],
            "outputs": [picture],
        },
    ]
    file = article.root / "report" / "shown" / f"{name}.ipynb"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"cells": cells}))
    return f"{{{{< embed shown/{name}.ipynb#drawn >}}}}"


def page(article: Article, text: str = "The text.", **overrides: Any) -> html.HtmlElement:
    """The article's page with this text, and its settings changed."""
    return html.parse(writers.write(article, text, article.page, overrides)).getroot()


def words(element: html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


class TestTheBar:
    def test_names_the_page_that_it_stands_on_and_leads_to_all_others(self, article: Article):
        article.expand(article.source)
        for name in ("one", "other"):
            article.substitute(embed(article, name), article.source)
        notebooks = "[one](shown/one-preview.html), [other](shown/other-preview.html)"
        assert writers.bar(article, article.page) == f"Report · [PDF](index.pdf) · Notebooks: {notebooks}"

    def test_leads_from_a_page_below_back_to_the_article(self, article: Article):
        for name in ("one", "other"):
            article.substitute(embed(article, name), article.source)
        assert writers.bar(article, article.folder / "shown" / "one-preview.html") == (
            "[Report](../index.html) · [PDF](../index.pdf) · Notebooks: one, [other](other-preview.html)"
        )

    def test_leads_to_the_source_where_it_is_known(self, article: Article):
        article.substitute(embed(article, "one"), article.source)
        article.settings["website"] = {"title": "T"}
        without = writers.bar(article, article.page)
        article.settings["website"] |= {"repo-url": "https://a.example/b"}
        assert writers.bar(article, article.page) == f"{without} · [Source](https://a.example/b)"

    def test_knows_the_article_by_the_name_that_its_settings_give_it(self, article: Article):
        article.settings["output-file"] = "study"
        article.substitute(embed(article, "one"), article.source)
        assert "[Report](../study.html) · [PDF](../study.pdf)" in writers.bar(article, article.folder / "shown" / "x")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Article, list[Path]]:
    """An article that embeds two notebooks, and what was made of it. Not to be changed."""
    article = write_article(tmp_path_factory.mktemp("whole"))
    text = f"Before.\n\n{embed(article, 'one')}\n\n## Numbered\n\n{embed(article, 'other')}\n"
    article.source.write_text(f"---\ntitle: T\n---\n{text}")
    article.settings |= {"number-sections": True, "toc": True, "subtitle": "S", "author": "Ada", "abstract": "A"}
    return article, writers.make(article)


class TestTheWhole:
    def test_is_the_article_s_page_and_pdf_and_a_page_for_each_notebook(self, whole: tuple[Article, list[Path]]):
        article, made = whole
        assert made == [article.folder / "index.html", article.folder / "index.pdf"]
        files = {file.relative_to(article.folder).as_posix() for file in article.folder.rglob("*.*") if file.is_file()}
        assert files == {
            "index.html", "index.pdf", "index_files/shown-one-1-0.svg", "index_files/shown-other-1-0.svg",
            *(f"shown/{name}{end}" for name in ("one", "other") for end in (".ipynb", "-preview.html")),
            *(f"shown/{name}_files/{name}-1-0.svg" for name in ("one", "other")),
        }  # fmt: skip
        assert "Before." in PdfReader(made[1]).pages[0].extract_text()

    def test_leads_from_each_page_to_each_other(self, whole: tuple[Article, list[Path]]):
        article, made = whole
        pages = [made[0], *(article.folder / "shown" / f"{name}-preview.html" for name in ("one", "other"))]
        for file in pages:
            links = {(file.parent / link).resolve() for link in html.parse(file).xpath("//header//a/@href")}
            assert links >= {*pages, made[1]} - {file}

    def test_shows_a_notebook_with_its_code_and_without_what_is_the_article_s(self, whole: tuple[Article, list[Path]]):
        article, made = whole
        shown = html.parse(article.folder / "shown" / "one-preview.html").getroot()
        assert shown.xpath("string(//title)") == shown.xpath("string(//h1)") == "Notebook one"
        assert words(shown.find(".//main")) == "A heading Of one. draw()"
        assert [cell.xpath("string(.//span/@id)") for cell in shown.find_class("cell")] == ["words", "drawn"]
        assert shown.xpath("//main//img/@alt") == ["A square"]
        assert words(shown.find(".//header")).endswith("Download one.ipynb")
        assert shown.xpath("//a[. = 'one.ipynb']/@href") == ["one.ipynb"]
        assert not shown.xpath("//*[@class='subtitle' or @class='abstract' or @id='TOC']")
        assert not shown.find_class("header-section-number")
        assert "Ada" not in words(shown)
        own = html.parse(made[0]).getroot()
        assert own.xpath("//*[@class='subtitle']/text()") == ["S"]
        assert own.xpath("//*[@id='TOC']//a/@href") == ["#numbered"]
        assert "draw()" not in words(own)


class TestAPage:
    def test_has_title_author_and_text_in_which_values_are_put(self, article: Article):
        article.settings |= {
            "title": "The {{< var number >}} norms",
            "author": "Ada",
            "abstract": "Of {{< var number >}}.",
        }
        whole = page(article)
        assert words(whole.find(".//h1")) == "The 7 norms"
        assert words(whole.find(".//title")) == "The 7 norms"
        assert words(whole.find(".//main")) == "Of 7. The text."

    @pytest.mark.parametrize(
        ("author", "said"),
        [
            ("Ada", ["Ada"]),
            (["Ada", "Bea"], ["Ada, Bea"]),
            ({"name": "Ada", "email": "a@b.example"}, ["Ada"]),
            ([{"name": {"literal": "Ada L."}}, "Bea"], ["Ada L., Bea"]),
            (None, []),
        ],
    )
    def test_names_its_authors_in_whichever_way_they_are_given(self, article: Article, author: Any, said: list[str]):
        article.settings["author"] = author
        assert [words(line) for line in page(article).find_class("byline")] == said

    def test_without_a_title_has_that_of_its_source(self, article: Article):
        del article.settings["title"]
        whole = page(article)
        assert words(whole.find(".//title")) == words(whole.find(".//h1")) == "index"

    def test_has_settings_of_its_own_kind_and_an_override_counts_most(self, article: Article):
        article.settings |= {"subtitle": "all", "abstract": "all", "lang": "de"}
        article.settings["format"] = {
            "html": {"subtitle": "page", "abstract": "page"},
            "typst": {"subtitle": "PDF", "lang": "fr"},
        }
        whole = page(article, abstract="override")
        found = (whole.get("lang"), *(words(whole.find_class(name)[0]) for name in ("subtitle", "abstract")))
        assert found == ("de", "page", "override")

    def test_takes_its_style_its_icon_and_its_scripts_along(self, article: Article):
        article.settings |= {
            "css": "look.css",
            "website": {"favicon": "shared/icon.svg"},
            "include-in-header": [{"text": '<script src="/shared/act.js"></script>'}, {"text": '<meta name="second">'}],
        }
        whole = page(article)
        assert whole.xpath("//link/@href") == ["../shared/icon.svg", "look.css"]
        assert whole.xpath("//script/@src") == ["../shared/act.js"]
        assert whole.xpath("//script/following::meta/@name") == ["second"]
        for name in ("report/look.css", "shared/act.js", "shared/icon.svg"):
            assert (article.root / "made" / name).read_text() == (article.root / name).read_text()

    def test_has_what_is_to_stand_in_its_head_from_files(self, article: Article):
        article.settings["include-in-header"] = "/report/above.txt"
        assert page(article).xpath("//head/comment()")[-1].text == " from a file "

    @pytest.mark.parametrize(("setting", "deepest"), [({}, 3), ({"toc-depth": 2}, 2)])
    def test_has_contents_as_deep_as_is_asked_for_and_numbers_before_sections(
        self, article: Article, setting: dict[str, int], deepest: int
    ):
        article.settings |= setting
        headings = "".join(f"{'#' * level} Level {level}\n\n" for level in (1, 2, 3, 4))
        whole = page(article, headings, **{"toc": True, "number-sections": True})
        assert len(whole.xpath("//*[@id='TOC']//a")) == deepest - 1, "the highest is of level 2"
        assert whole.xpath("//main//*[@class='header-section-number']/text()") == ["1", "1.1", "1.1.1", "1.1.1.1"]
        whole = page(article, headings)
        assert not whole.xpath("//*[@id='TOC'] | //*[@class='header-section-number']")

    def test_lists_the_works_that_it_cites_from_all_bibliographies(self, article: Article):
        article.settings["bibliography"] = ["/report/first.bib", "/report/second.bib"]
        text = words(page(article, "So [@one; @two]."))
        assert "So (Ada 1843; Bea 1844)." in text
        assert "First" in text
        assert "Second" in text

    def test_says_of_a_table_s_heads_that_each_is_of_its_column(self, article: Article):
        whole = page(article, "| a | b |\n|---|--:|\n| 1 | 2 |\n\n| c |\n|---|\n| 3 |\n\n`<th>`")
        assert [(head.text, head.get("scope")) for head in whole.iter("th")] == [
            ("a", "col"),
            ("b", "col"),
            ("c", "col"),
        ]
        assert whole.xpath("//main//code/text()") == ["<th>"]


class TestAPDF:
    def test_is_made_with_the_settings_of_its_kind_and_its_markup_is_not_left_behind(self, article: Article):
        article.settings["format"] = {"typst": {"title": "Printed"}, "html": {"title": "Shown"}}
        made = writers.write(article, "The text.", article.folder / "index.pdf", {})
        assert [file.name for file in article.folder.iterdir()] == ["index.pdf"]
        text = PdfReader(made).pages[0].extract_text()
        assert "Printed" in text
        assert "The text." in text


@pytest.mark.parametrize(
    ("suffix", "text", "problem"),
    [
        (".html", "So [@nobody].", "report/more.qmd: @nobody is not in the bibliography"),
        (".pdf", "So [@nobody].", "report/more.qmd: @nobody is not in the bibliography"),
        (".pdf", "```{=typst}\n#nothing\n```", "report/index.qmd: unknown variable: nothing"),
    ],
)
def test_what_an_engine_does_not_understand_is_said_with_the_file_in_which_it_stands(
    article: Article, suffix: str, text: str, problem: str
):
    article.texts |= {article.source: "The text.", article.source.with_name("more.qmd"): "So [@nobody]."}
    with pytest.raises(RenderError) as error:
        writers.write(article, text, article.page.with_suffix(suffix), {})
    assert str(error.value) == problem
