"""How the finished report looks, as far as that can be measured: the pages of the PDF, what leads through the pages."""

import re
import shutil
import struct
import tomllib
import unicodedata
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typst
import yaml
from playwright.sync_api import Browser
from pypdf import PdfReader

from normstudy.pipeline.notebooks import NAMES
from normstudy.rendering.render import find_quarto
from tests import checks
from tests.browser import open_page, served, settle
from tests.commands import ROOT, WITHOUT_QUARTO, command
from tests.pdf import LEFT, TOP, addresses, drawn, figures_without_picture, filled, headings, text, words


@pytest.fixture
def pdf(report: Path) -> Path:
    return report / "report" / "index.pdf"


@pytest.mark.parametrize(("picture", "without"), [("none", ["1:", "3:"]), ("circle(fill: blue)", [])])
def test_a_figure_without_its_picture_is_noticed(tmp_path: Path, picture: str, without: list[str]):
    captioned = f"figure({picture}, caption: [one])"
    beside = "figure(rect(width: 80pt, height: 50pt, fill: red), caption: [another])"
    source = f"#lorem(150)\n#{captioned}\n#lorem(30)\n#grid(columns: 2, {beside}, {captioned})"
    (tmp_path / "three.typ").write_text(source)
    typst.compile(tmp_path / "three.typ", output=tmp_path / "three.pdf")
    assert figures_without_picture(tmp_path / "three.pdf") == without


def lonely(pdf: Path) -> list[str]:
    """The headings that have nothing below them on their page."""
    found = []
    for heading, number, top in headings(pdf):
        below = [word for word in words(pdf)[number] if word[1] > top + 20 and word[4] != str(number + 1)]
        if not below and filled(pdf)[number] * (842 - 2 * TOP) + TOP <= top + 40:
            found.append(f"{heading}: page {number + 1}")
    return found


def test_what_is_folded_begins_where_there_is_room_for_its_table_too(tmp_path: Path):
    def folded(rows: int) -> str:
        cells = ", ".join(["[one], [two \\ lines \\ or three]"] * rows)
        table = f"table(columns: 2, align: (left, left), table.header([a head \\ of two], [lines]), {cells})"
        caption = "figure.caption(position: top)[#lorem(30)]"
        named = 'kind: "quarto-float-tbl", supplement: "Table"'
        return f"#folded([Fold {rows}], 0, 1, [#figure([#block[#{table}]], caption: {caption}, {named})])"

    style = (ROOT / "report" / "report.typst").read_text(encoding="utf-8")
    parts = ['#set page(margin: 2.5cm, numbering: "1")', style, "= One", *map(folded, range(40, 70)), "#unfolded()"]
    (tmp_path / "folds.typ").write_text("\n".join(parts))
    typst.compile(tmp_path / "folds.typ", output=tmp_path / "folds.pdf")
    assert len(list(headings(tmp_path / "folds.pdf"))) == 31
    assert lonely(tmp_path / "folds.pdf") == []


class TestPdf:
    def test_every_figure_has_its_picture(self, pdf: Path):
        assert figures_without_picture(pdf) == []

    def test_the_first_page_shows_what_was_found(self, pdf: Path):
        assert ("Figure", "1:") in [(word[4], label[4]) for word, label in pairwise(words(pdf)[0])]

    def test_nothing_runs_over_a_margin(self, pdf: Path):
        for number, (page, sheet) in enumerate(zip(words(pdf), PdfReader(pdf).pages, strict=True), 1):
            right, bottom = float(sheet.mediabox.width) - LEFT, float(sheet.mediabox.height) - TOP
            body = [word for word in page if word[4] != str(number)]
            over = [
                word for word in body if word[0] < LEFT - 3 or word[2] > right + 3 or not TOP < word[3] < bottom + 3
            ]
            assert not over, f"page {number}: {over}"

    def test_no_words_collide(self, pdf: Path):
        for number, page in enumerate(words(pdf), 1):
            page = [word for word in page if not unicodedata.combining(word[4][0])]  # a hat stands over its letter
            for (left, top, right, bottom, word), (left_2, top_2, right_2, bottom_2, other) in combinations(page, 2):
                beside = min(right, right_2) - max(left, left_2) < 1.5
                height = min(bottom - top, bottom_2 - top_2)
                assert beside or min(bottom, bottom_2) - max(top, top_2) < 0.6 * height, (
                    f"page {number}: {word} {other}"
                )

    def test_no_page_is_half_empty_but_the_last(self, pdf: Path):
        *others, _ = filled(pdf)
        assert min(others) > 0.6, others
        assert sum(others) / len(others) > 0.9, others

    def test_no_heading_stands_alone_at_the_foot_of_a_page(self, pdf: Path):
        assert lonely(pdf) == []

    def test_no_figure_stands_before_the_heading_of_its_section(self, pdf: Path, report: Path):
        letters = partial(re.sub, r"[\W\d_]+", "")
        places = {letters(heading): (number, top) for heading, number, top in headings(pdf)}
        captions = {
            label[4]: (number, word[1])
            for number, page in enumerate(words(pdf))
            for word, label in pairwise(page)
            if word[4] == "Figure" and re.fullmatch(r"\d+:", label[4])
        }
        _, *figures = checks.article(report).xpath("//main//*[starts-with(@id, 'fig-')][.//figcaption]")
        assert len(figures) > 20
        for figure in figures:
            above = figure.xpath("ancestor::details[@class='folded']/summary | preceding::*[self::h2 or self::h3]")[-1]
            (number,) = re.findall(r"Figure\s(\d+:)", figure.xpath(".//figcaption")[-1].text_content())
            assert places[letters(above.text_content())] < captions[number], f"Figure {number}"

    def test_no_row_of_a_table_is_parted(self, pdf: Path):
        continued = [page for page in words(pdf) if [word[4] for word in page[:3]] == ["epochs", "variant", "network"]]
        assert continued
        for head, *page in continued:
            top, _, first = min((round(word[1]), *word[::4]) for word in page if word[1] > head[3] + 12)
            assert first.isdecimal(), f"{first} {top} points from the page's edge"

    def test_no_caption_is_parted_from_its_table(self, pdf: Path):
        for number, page in enumerate(words(pdf), 1):
            for word, label in pairwise(page):
                if word[4] == "Table" and re.fullmatch(r"\d+:", label[4]):
                    assert any(other[1] > word[1] + 30 for other in page if other[4] != str(number)), label[4]

    def test_sections_are_numbered_as_on_the_page(self, pdf: Path, report: Path):
        for span in checks.article(report).xpath("//main//span[@class='header-section-number']"):
            number = span.text_content().strip()
            assert re.search(rf"(?<![\d.]){re.escape(number)} [A-Z]", text(pdf)), number

    def test_a_link_is_told_by_its_colour(self, pdf: Path):
        operators = b"".join(sheet.get_contents().get_data() for sheet in PdfReader(pdf).pages)
        assert re.search(rb"\s0?\.043\d* 0?\.36\d* 0?\.678\d* (rg|sc|scn)\s", operators)

    def test_no_link_is_relative(self, pdf: Path):
        assert all(link.startswith("https:") for link in addresses(pdf)), set(addresses(pdf))

    def test_a_caption_ends_without_the_links_that_lead_nowhere(self, pdf: Path):
        assert not re.search(r"Data · Notebook|· Notebook|\. Notebook", text(pdf))

    def test_it_speaks_of_nothing_that_only_a_screen_can_do(self, pdf: Path):
        assert not re.search(r"\b(click|tap|point at|hover|drag|draw a|this page)\b", text(pdf))

    def test_a_picture_alone_in_the_last_row_is_as_wide_as_those_above(self, pdf: Path, report: Path):
        figure = checks.article(report).get_element_by_id("fig-group-confusion")
        number = re.search(r"Figure\s(\d+:)", figure.text_content())[1]
        for page, sheet in zip(words(pdf), PdfReader(pdf).pages, strict=True):
            for start in (one for one, two in pairwise(page) if (one[4], two[4]) == ("Figure", number)):
                line = [word for word in page if abs(word[1] - start[1]) < 1]
                assert max(word[2] for word in line) < float(sheet.mediabox.width) / 2

    def test_the_four_graphs_are_on_one_page(self, pdf: Path, report: Path):
        caption = checks.article(report).get_element_by_id("fig-curves").text_content()
        number = re.search(r"Figure\s(\d+:)", caption)[1]
        (place,) = (
            (sheet, int(one[1]))
            for sheet, page in enumerate(words(pdf))
            for one, two in pairwise(page)
            if (one[4], two[4]) == ("Figure", number)
        )
        sheet, foot = drawn(pdf)[place[0]], place[1]
        middle, height = sheet.shape[1] // 2, 170  # a graph's, in points
        for rows in (slice(foot - 2 * height, foot - height), slice(foot - height, foot)):
            for columns in (slice(0, middle), slice(middle, None)):
                assert sheet[rows, columns].sum() > 1000

    def test_what_the_page_folds_is_in_it(self, pdf: Path, report: Path):
        folded = "//details[contains(@class, 'folded')][not(.//*[@id='refs'])]"  # which is not folded there
        summaries = checks.article(report).xpath(f"{folded}/summary")
        assert len(summaries) > 5
        for summary in summaries:
            title = re.sub(r"\W+", "", summary.text_content())[:25]  # a line or a page may part the rest
            assert re.sub(r"\W+", "", text(pdf)).count(title) >= 2, summary.text_content()  # named, and there


@pytest.fixture(params=[390, 1280], ids=["phone", "desktop"])
def screen(request: pytest.FixtureRequest) -> dict[str, int]:
    return {"width": request.param, "height": 844}


def within(report: Path) -> list[Path]:
    """The report's pages, without the one at the root, which leads to the article."""
    return [page for page in checks.pages(report) if page.parent != report]


SEEN = """element => {
  const {x, y, width, height} = element.getBoundingClientRect();
  const top = document.elementFromPoint(x + width / 2, y + height / 2);
  return Boolean(width) && (element.contains(top) || Boolean(top?.contains(element)))
}"""  # it has a place, and nothing covers it


CUT = """() => [...document.querySelectorAll('main img, main table, main pre, main math')].filter(each => {
  const { left, right, width } = each.getBoundingClientRect();
  if (!width || (left >= -1 && right <= innerWidth + 1)) return false;
  const place = each.closest('.scrolls');
  return !place || getComputedStyle(place, '::before').content === 'none';
}).map(each => `${each.tagName} ${each.closest('[id]')?.id}`)"""
"""What is wider than the screen, and does not say that it scrolls."""

SMALL = """() => [...document.querySelectorAll('figure img')].filter(image => {
  const least = parseFloat(image.style.getPropertyValue('--least'));
  const { width } = image.getBoundingClientRect();
  return width && width + 1 < least;
}).map(image => image.alt.slice(0, 60))"""
"""Pictures that are shown smaller than their text can be read at."""


class TestSite:
    def test_every_page_is_whole_nothing_is_cut_without_a_hint_and_no_text_of_a_figure_is_too_small(
        self, report: Path, browser: Browser, screen: dict[str, int]
    ):
        context = browser.new_context(viewport=screen)
        for path in within(report):
            page = open_page(context, path.as_uri())
            assert page.locator("h1").first.evaluate(SEEN), f"the title of {path.name} is covered"
            if path.name != "index.html":
                back = page.locator("a").filter(has_text=re.compile("^\\s*(Back to Article|Report)\\s*$")).first
                assert back.evaluate(SEEN), f"the way back from {path.name} is covered"
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") == screen["width"], path.name
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            settle(page)
            assert path.name != "index.html" or page.locator("figure img[style*=least]").count() > 10
            assert page.evaluate(SMALL) == [], path.name
            assert page.evaluate(CUT) == [], path.name
            assert not page.errors, path.name
            page.close()

    def test_in_the_dark_pictures_are_as_they_are_on_a_light_ground(self, report: Path, browser: Browser):
        page = open_page(browser.new_context(color_scheme="dark"), (report / "report" / "index.html").as_uri())
        looks = page.evaluate(
            "[...document.querySelectorAll('figure img')].map(image => {"
            "  const { filter, backgroundColor } = getComputedStyle(image); return `${filter} ${backgroundColor}` })"
        )
        assert set(looks) == {"none rgb(255, 255, 255)"}

    def test_every_page_leads_to_every_other(self, report: Path):
        everywhere = {*within(report), report / "report" / "index.pdf"}
        assert len(everywhere) == 2 + len(NAMES)
        for path in within(report):
            links = {(path.parent / urlsplit(link).path).resolve() for link in checks.page(path).xpath("//a/@href")}
            ways = links | ({report / "report" / "index.html"} if report / "index.html" in links else set())
            assert ways | {path} >= everywhere, f"{path.name} does not lead to {everywhere - ways}"

    def test_the_contents_list_sections_and_their_parts(self, report: Path):
        sections = checks.article(report).xpath("//main//*[self::h2 or self::h3][span[@class='header-section-number']]")
        entries = [
            re.sub(r"\s+", " ", entry.text_content()).strip()
            for entry in checks.article(report).xpath("//nav[@id='TOC']//a")
        ]
        assert len(sections) > 20
        for section in sections:
            assert re.sub(r"\s+", " ", section.text_content()).strip() in entries

    def test_contents_and_pdf_are_within_reach(self, report: Path, browser: Browser, screen: dict[str, int]):
        page = open_page(browser.new_context(viewport=screen), (report / "report" / "index.html").as_uri())
        assert page.locator("nav a[href='#sec-variants']:visible").count() == 1
        short = page.locator("#TOC-body:visible").count()  # Quarto's, on a phone: the parts alone
        assert page.locator("nav a[href='#sec-results']:visible").count() == 1 - short
        pdf = page.locator("a[href$='index.pdf']:visible")
        if not pdf.count():
            page.locator(".navbar-toggler").click()
        pdf.first.wait_for(timeout=2000)
        assert {text.strip() for text in page.locator("a[href$='index.pdf']").all_text_contents()} == {"PDF"}

    def test_pictures_side_by_side_are_of_one_size(self, report: Path, browser: Browser, screen: dict[str, int]):
        page = open_page(browser.new_context(viewport=screen), (report / "report" / "index.html").as_uri())
        page.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        pictures = [page.locator(f"#fig-{name}-confusion img") for name in ("batch", "layer", "group")]
        for picture in pictures:
            picture.scroll_into_view_if_needed()
        widths = [picture.evaluate("image => image.getBoundingClientRect().width") for picture in pictures]
        assert max(widths) - min(widths) < 2, widths

    def test_the_button_that_copies_code_covers_none_of_it(
        self, report: Path, browser: Browser, screen: dict[str, int]
    ):
        page = open_page(
            browser.new_context(viewport=screen), (report / "report" / "shown" / "batch-preview.html").as_uri()
        )
        covered = """() => [...document.querySelectorAll('.code-copy-button')].flatMap((button) => {
            const words = document.createRange();
            words.selectNodeContents(button.parentElement.querySelector('pre code'));
            const { left, bottom } = button.getBoundingClientRect();
            return [...words.getClientRects()].filter((line) => line.right > left && line.top < bottom);
        }).length"""
        assert page.evaluate(covered) == 0

    def test_no_source_is_offered_where_none_is_known(self, report: Path, browser: Browser, screen: dict[str, int]):
        with served(report, "") as address, browser.new_context(viewport=screen) as context:
            for site in (report.as_uri(), address):  # on a server, scripts of the page write its links anew
                page = open_page(context, f"{site}/report/index.html")
                page.wait_for_load_state("networkidle")
                assert not page.get_by_role("link", name="Source", exact=True).count()
                assert not page.locator(".nav-item:visible").filter(has_not_text=re.compile(r"\w")).count()

    def test_every_page_has_the_projects_icon_and_says_what_it_is_about(self, report: Path):
        for path in within(report):
            (icon,) = checks.page(path).xpath("//link[contains(@rel, 'icon')]/@href")
            assert (path.parent / icon).resolve() == report / "report" / "favicon.svg"
            (description,) = checks.page(path).xpath("//meta[@name='description']/@content")
            assert "batch, layer and group normalization" in description

    def test_the_report_says_its_version_and_date_and_how_to_cite_it(self, report: Path, pdf: Path):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
        changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        header = yaml.safe_load((ROOT / "report" / "index.qmd").read_text(encoding="utf-8").split("---\n")[1])
        assert citation["version"] == header["citation"]["version"] == project["version"]
        assert citation["date-released"] == header["date"]
        assert citation["license"] == header["license"] == project["license"]
        assert citation["title"] == f"{header['title']}: {header['subtitle']}"
        assert f"\n## {project['version']}, {header['date']}\n" in changes
        cited = f"{citation['title']}. Version {project['version']}, {header['date']}."
        assert cited in re.sub(r"\s+", " ", checks.body(report).replace("\xa0", " "))
        assert cited in checks.pdf_text(pdf)


@pytest.fixture(scope="module", params=["pandoc", "quarto"])
def published(study: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report with the addresses of its site and its repository, made by each renderer."""
    if request.param == "quarto" and find_quarto() is None:
        pytest.skip("Quarto is not installed")
    project = tmp_path_factory.mktemp("published") / "project"
    shutil.copytree(study, project, ignore=shutil.ignore_patterns("_report", ".quarto"))
    settings = (project / "_quarto.yml").read_text(encoding="utf-8")
    for setting, address in (
        ("site-url", "https://example.org/normstudy"),
        ("repo-url", "https://example.org/source"),
    ):
        settings = re.sub(rf"# {setting}: .*", f"{setting}: {address}", settings)
    (project / "_quarto.yml").write_text(settings, encoding="utf-8")
    words = [*WITHOUT_QUARTO, "render", "--dataset", "digits"]
    made = command(project, *(words if request.param == "pandoc" else ["quarto", "render", "--profile", "digits"]))
    assert made.returncode == 0, made.stderr
    return project / "_report"


class TestPublished:
    def test_links_of_the_pdf_are_absolute(self, published: Path):
        links = set(addresses(published / "report" / "index.pdf"))
        assert "https://example.org/normstudy/report/shown/comparison/curves.csv" in links
        assert "https://example.org/normstudy/report/shown/batch.ipynb" in links
        assert all(link.startswith("https:") for link in links), links

    def test_every_page_leads_to_the_source(self, published: Path, browser: Browser, screen: dict[str, int]):
        for path in within(published):
            (address,) = checks.page(path).xpath("//a[normalize-space() = 'Source']/@href")
            assert address == "https://example.org/source"

    def test_another_site_finds_a_picture(self, published: Path):
        for path in within(published):
            for picture in checks.page(path).xpath("//meta[@property='og:image' or @name='twitter:image']/@content"):
                assert picture == "https://example.org/normstudy/report/card.png"
        signature, width, height = struct.unpack(">8s8xII", (published / "report" / "card.png").read_bytes()[:24])
        assert (signature, width, height) == (b"\x89PNG\r\n\x1a\n", 1200, 630)
