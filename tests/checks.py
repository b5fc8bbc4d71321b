"""What a finished report promises, whichever renderer made it: functions that read a report's folder and raise."""

import re
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import html
from pypdf import PdfReader

from normstudy.normalizations import NORMALIZATIONS

ARTICLE = "report/index"
KINDS = {"fig": "Figure", "tbl": "Table", "sec": "Section", "eq": "Equation"}


@cache
def page(path: Path) -> html.HtmlElement:
    """A page, parsed."""
    return html.fromstring(path.read_bytes().decode())


@cache
def sheet_texts(path: Path) -> list[str]:
    """The text of each sheet of a PDF, each run of white space one space."""
    return [re.sub(r"\s+", " ", sheet.extract_text()) for sheet in PdfReader(path).pages]


def pdf_text(path: Path) -> str:
    """The text of a PDF, each run of white space one space."""
    return re.sub(r"\s+", " ", " ".join(sheet_texts(path))).replace("- ", "-")


def article(folder: Path) -> html.HtmlElement:
    """The article's page."""
    return page(folder / f"{ARTICLE}.html")


def body(folder: Path) -> str:
    """The article's text without its scripts."""
    return " ".join(article(folder).xpath("//body//text()[not(ancestor::script or ancestor::style or ancestor::pre)]"))


def prose(path: Path) -> str:
    """What is read on a page, and the text alternatives of its pictures: no code, no formulas, no list of sources."""
    aside = "ancestor::script or ancestor::style or ancestor::pre or ancestor::code or ancestor::*[local-name()='math']"
    texts = page(path).xpath(f"//body//text()[not({aside} or ancestor::*[@id='refs'])]")
    alternatives = [alt.replace(" %", "\u00a0%") for alt in page(path).xpath("//body//img/@alt")]  # these have no lines
    return "\n".join([*map(str, texts), *alternatives])


def pages(folder: Path) -> list[Path]:
    """Every page of the report."""
    return sorted(path for path in folder.rglob("*.html") if "site_libs" not in path.parts)


OTHER_STYLES = {
    "a percent sign that may part from its number": r"\d ?%",
    "an e for a power of ten": r"\d[eE][-+−]?\d",
    "a hyphen for a minus sign": r"(?<![\w.,)\]])[-–]\d",
    "a sign before nothing": r"(?<!\w)[-+−]0(?:\.0*)?(?![\d.,])",
    "thousands that are not apart": r"(?<![\d.,:])(?!(?:19|20)\d\d(?!\d))\d{4,}",
    "a probability of nothing": r"\bp = 0(?:\.0*)?(?![\d.])|\bp < 0\.000",
    "no number": r"\b(?:nan|NaN|inf|None)\b(?! of)",
    "some of the same number": r"\b(\d+) of the \1\b",
}


def numbers_are_in_one_style(folder: Path) -> None:
    """No page has a number that is written in another way than `normstudy.notation` writes it."""
    for path in pages(folder):
        in_one_style(path.name, prose(path))


def in_one_style(name: str, text: str) -> None:
    """No number in a text is written in another way than `normstudy.notation` writes it."""
    for style, pattern in OTHER_STYLES.items():
        found = [match[0] for match in re.finditer(rf".{{0,30}}(?:{pattern}).{{0,10}}", text)]
        assert not found, f"{name}: {style}: {found[:5]}"


def normalizations_are_in_one_order(folder: Path) -> None:
    """Heads and first columns of tables name the normalizations in the order of the study."""
    places = {name: place for place, name in enumerate(NORMALIZATIONS)}
    for path in pages(folder):
        for table in page(path).xpath("//main//table"):
            for cells in (table.xpath("./thead/tr/th"), table.xpath("./tbody/tr/*[1]")):
                named = [text for cell in cells if (text := cell.text_content().strip()) in places]
                assert named == sorted(named, key=places.__getitem__), f"{path.name}: {named}"


def data_are_for_machines(folder: Path) -> None:
    """Tables that can be downloaded hold plain numbers, whatever the page makes of them."""
    tables = list(folder.rglob("*.csv"))
    assert tables
    for path in tables:
        found = re.findall(r"−\d|[\u00a0⁻]|\d to \d|< 0\.", path.read_text(encoding="utf-8"))
        assert not found, f"{path.name}: {found[:5]}"


def everything(folder: Path) -> None:
    """Every check that needs to know nothing of the article."""
    root_leads_to_article(folder)
    nothing_unresolved(folder)
    references_are_links(folder)
    pictures_are_described(folder)
    pictures_have_their_size(folder)
    links_lead_somewhere(folder)
    nothing_is_loaded_from_elsewhere(folder)
    page_is_accessible(folder)
    citations_are_listed(folder)
    numbers_are_in_one_style(folder)
    normalizations_are_in_one_order(folder)
    data_are_for_machines(folder)
    pdf_has_the_same_parts(folder)


def root_leads_to_article(folder: Path) -> None:
    """The page at the root leads to the article."""
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert f"{ARTICLE}.html" in text, "the root page does not lead to the article"


def nothing_unresolved(folder: Path) -> None:
    """No shortcode, reference, citation or variable is left as it was written, in the page or the PDF."""
    for name, text in (("page", body(folder)), ("PDF", pdf_text(folder / f"{ARTICLE}.pdf"))):
        left = re.findall(
            r"\?@\S+|\?\?|\{\{<.*?>\}\}|@(?:fig|tbl|sec|eq)-\S+|\?var:\S+|\?meta:\S+|\{#\S+\}|:::|\[@\S+", text
        )
        assert not left, f"unresolved in the {name}: {left}"


def labels(folder: Path, kind: str) -> list[str]:
    """The labels of the article's figures (`fig`), tables (`tbl`), sections (`sec`) or equations (`eq`), in order."""
    return [str(label) for label in article(folder).xpath(f"//main//*[starts-with(@id, '{kind}-')]/@id")
            if "-caption-" not in label]  # fmt: skip


def captions(folder: Path, kind: str) -> list[str]:
    """The captions of the article's figures or tables, in order, each run of white space one space."""
    found = (article(folder).get_element_by_id(label).xpath(".//figcaption | .//caption")
             for label in labels(folder, kind))  # fmt: skip
    return [re.sub(r"\s+", " ", captions[0].text_content()).strip() for captions in found]


def section_numbers(folder: Path) -> dict[str, str]:
    """The number of each numbered section, counted; a heading that bears another is an error."""
    numbers: dict[str, str] = {}
    counts = [0] * 5
    numbered = "span[contains(@class, 'header-section-number')]"
    for heading in article(folder).xpath(f"//main//*[self::h2 or self::h3 or self::h4 or self::h5][{numbered}]"):
        level = int(heading.tag[1]) - 2
        counts[level:] = [counts[level] + 1] + [0] * (4 - level)
        number = ".".join(map(str, counts[: level + 1]))
        label = heading.get("id") or heading.getparent().get("id")
        assert heading.xpath(f"string({numbered})").strip() == number, f"{label} is section {number}"
        numbers[label] = number
    return numbers


def references_are_links(folder: Path) -> None:
    """All that has a number is numbered in order, and every reference is a link whose number is its target's."""
    numbers = section_numbers(folder) | {label: str(number) for number, label in enumerate(labels(folder, "eq"), 1)}
    for kind in ("fig", "tbl"):
        assert len(set(labels(folder, kind))) == len(labels(folder, kind)), "a label is there twice"
        for number, (label, caption) in enumerate(zip(labels(folder, kind), captions(folder, kind), strict=True), 1):
            assert caption.startswith(f"{KINDS[kind]} {number}:"), f"the caption of {label} is {caption!r}"
            numbers[label] = str(number)
    for link in article(folder).xpath("//a[contains(@class, 'quarto-xref')]"):
        label, text = link.get("href").lstrip("#"), link.text_content().replace("\xa0", " ")
        assert article(folder).xpath(f"//*[@id='{label}']"), f"{text} refers to {label}, which is not there"
        assert label in numbers, f"{text} refers to {label}, which has no number"
        right = (numbers[label], f"{KINDS[label.split('-')[0]]} {numbers[label]}")
        assert text in right, f"the reference to {label} reads {text!r}"


def pictures_are_described(folder: Path) -> None:
    """Every picture of every page has a text alternative and is there."""
    for path in pages(folder):
        for picture in page(path).xpath("//img"):
            assert (picture.get("alt") or "").strip(), f"{path.name}: {picture.get('src')} has no text alternative"
            if not picture.get("src").startswith("data:"):
                assert (path.parent / unquote(picture.get("src"))).is_file(), f"{picture.get('src')} is not there"


def pictures_have_their_size(folder: Path) -> None:
    """Every picture of every page has a width and a height before it is loaded, so that the page does not move."""
    for path in pages(folder):
        for picture in page(path).xpath("//img"):
            sizes = [int(picture.get(side, 0)) for side in ("width", "height")]
            assert min(sizes) > 0, f"{path.name}: {picture.get('src')} has no width or height"


def links_lead_somewhere(folder: Path) -> None:
    """Every link within the report leads to a file and an anchor that are there."""
    for path in pages(folder):
        for link in page(path).xpath("//a[@href]"):
            url = urlsplit(link.get("href"))
            if url.scheme or url.netloc or link.get("role") == "button":
                continue
            target = (path.parent / unquote(url.path)) if url.path else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.name} links to {link.get('href')}, which is not there"
            if url.fragment and target.suffix == ".html":
                anchors = page(target).xpath("//@id | //a/@name")
                assert unquote(url.fragment) in anchors, f"{path.name} links to {link.get('href')}: no such anchor"


def nothing_is_loaded_from_elsewhere(folder: Path) -> None:
    """No page loads a script, a style, a picture or a font from a host."""
    for path in pages(folder):
        sources = page(path).xpath("//@src | //link[not(@rel='canonical')]/@href | //@data | //@poster")
        sources += re.findall(r"url\(\s*[\"']?([^)\"']+)", path.read_text(encoding="utf-8"))
        loaded = [source for source in sources if re.match(r"\s*(https?:)?//", source)]
        assert not loaded, f"{path.name} loads {loaded}"


def page_is_accessible(folder: Path) -> None:
    """The article has a language, one first heading, no jump in headings, landmarks, and tables with heads."""
    tree = article(folder)
    assert tree.get("lang"), "no language"
    assert len(tree.xpath("//h1")) == 1, "not exactly one h1"
    headings = tree.xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")
    levels = [1, *(int(heading.tag[1]) for heading in headings)]
    assert all(after <= before + 1 for before, after in pairwise(levels)), f"a level is skipped: {levels}"
    assert all(tree.xpath(f"//{landmark}") for landmark in ("main", "nav", "header")), "a landmark is missing"
    assert not [table for table in tree.xpath("//main//table") if not table.xpath(".//th")], "a table has no head"


def citations_are_listed(folder: Path) -> None:
    """Every source cited is in the list of references, once, in the page and in the PDF, under one heading."""
    cited = {key for keys in article(folder).xpath("//*[@data-cites]/@data-cites") for key in keys.split()}
    listed = Counter(
        str(name).removeprefix("ref-") for name in article(folder).xpath("//*[starts-with(@id, 'ref-')]/@id")
    )
    assert set(listed) >= cited, f"cited, not listed: {cited - set(listed)}"
    assert set(listed.values()) <= {1}, "a source is listed twice"
    if cited:
        text = pdf_text(folder / f"{ARTICLE}.pdf")
        assert "References" in text, "the PDF has no list of references"
        assert "Bibliography" not in text, "the PDF has two lists of references"
        for key in cited:
            words = re.findall(r"[A-Za-z]{4,}", article(folder).get_element_by_id(f"ref-{key}").text_content())
            assert all(word in text for word in words[:6]), f"the PDF does not list {key}"


def pdf_has_the_same_parts(folder: Path) -> None:
    """The PDF has every figure and table of the page, text on each sheet, and a drawing or picture with each figure."""
    sheets = list(PdfReader(folder / f"{ARTICLE}.pdf").pages)
    texts = sheet_texts(folder / f"{ARTICLE}.pdf")
    assert all(len(text) > 20 for text in texts), "a sheet of the PDF has no text"
    for kind in ("fig", "tbl"):
        for number in range(1, len(labels(folder, kind)) + 1):
            found = [i for i, text in enumerate(texts) if f"{KINDS[kind]} {number}:" in text]
            assert found, f"the PDF has no {KINDS[kind]} {number}"
            drawn = any(re.search(rb"\s(c|Do)\s", sheets[i].get_contents().get_data()) for i in found)
            assert kind == "tbl" or drawn, f"Figure {number} of the PDF has no picture"
