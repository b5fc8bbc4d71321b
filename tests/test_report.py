"""The whole way on digits, read back: what the finished report promises, by either renderer."""

import gzip
import re
import shutil
import struct
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from playwright.sync_api import Browser

from normstudy.experiments.parameters import VARIANTS
from normstudy.pipeline.notebooks import NAMES
from tests import checks
from tests.browser import open_page, settle
from tests.commands import ROOT, command
from tests.picture import SIZE, take

DESKTOP = {"width": 1280, "height": 900}
END = "element => element.getBoundingClientRect().bottom + scrollY"


def picture(report: Path, label: str) -> str:
    """The SVG of a figure in the article."""
    source = checks.article(report).get_element_by_id(label).xpath(".//img/@src")[0]
    return (report / "report" / unquote(source)).read_text(encoding="utf-8")


def test_every_part_resolves_and_is_described(report: Path):
    checks.everything(report)


def test_the_four_graphs_show_all_three_variants(report: Path):
    alternatives = checks.article(report).get_element_by_id("fig-curves").xpath(".//img/@alt")
    for metric, alternative in zip(
        ("Training loss", "Test loss", "Training accuracy", "Test accuracy"), alternatives, strict=True
    ):
        assert alternative.startswith(f"{metric} over the epochs"), alternative
        for variant in VARIANTS:
            assert re.search(rf"\b{variant} from \d", alternative), alternative


def test_the_first_screens_have_the_graphs_the_results_and_mistakes_of_each_variant(report: Path, browser: Browser):
    page = open_page(browser.new_context(viewport=DESKTOP), (report / "report" / "index.html").as_uri())
    ends = [page.locator(f"#{label}").evaluate(END) for label in ("fig-summary", "fig-curves", "tbl-results")]
    assert ends == sorted(ends)
    assert ends[1] <= 2700
    strips = checks.article(report).get_element_by_id("fig-strips").xpath(".//img/@alt")
    for variant, alternative in zip(VARIANTS, strips, strict=True):
        assert alternative.startswith(f"The mistakes that {variant} makes"), alternative
    for label in ("fig-curves", "tbl-results", "fig-strips"):
        links = checks.article(report).get_element_by_id(label).xpath(".//a[contains(@class, 'quarto-xref')]/@href")
        assert any(link.startswith("#sec-") for link in links), label


@pytest.mark.parametrize("variant", VARIANTS)
def test_twenty_misclassified_images_are_shown_for_each_variant(report: Path, variant: str):
    assert picture(report, f"fig-{variant}-misclassified").count("<image ") == 20


def test_the_report_names_its_dataset(report: Path):
    assert "digits" in checks.body(report)
    assert "digits" in checks.pdf_text(report / "report" / "index.pdf")


def test_what_was_found_is_in_the_text_with_its_numbers(report: Path):
    text = re.sub(r"\s+", " ", checks.body(report))
    without = r"\d of \d networks without normalization get 90.% of the test images right"
    assert re.search(rf"With \d+ more blocks, trained for \d+ epochs?, {without}", text)
    assert re.search(r"accuracies on 1,198 test images are: batch \d\d\.\d\d.%, layer \d\d\.\d\d.% and group", text)


def test_each_claim_that_the_text_is_bound_to_is_made_by_the_run(report: Path):
    study = report.parent
    made = yaml.safe_load((study / "report" / "_metadata.yml").read_text(encoding="utf-8"))["claims"]
    sources = [*(study / "report").glob("*.qmd"), *(study / "report" / "sections").glob("*.qmd")]
    bound = {
        tuple(name.split("."))
        for source in sources
        for name in re.findall(r'(?:when|unless)-meta="claims\.([^"]+)"', source.read_text(encoding="utf-8"))
    }
    assert len(bound) > 10
    assert [name for name in bound if name[2] not in made[name[0]][name[1]]] == []


def test_no_value_for_the_text_names_a_file_so_that_quarto_would_change_it_as_a_path(report: Path):
    values = [yaml.safe_load((report.parent / "_variables.yml").read_text(encoding="utf-8"))]
    texts = []
    while values:
        value = values.pop()
        values += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        texts += [value] if isinstance(value, str) and value else []
    assert len(texts) > 100
    assert [text for text in texts if (report.parent / text).exists()] == []


def test_results_can_be_downloaded(report: Path):
    for variant in VARIANTS:
        for name in (
            "metrics.csv",
            "weights.safetensors",
            "predictions.csv",
            "parameters.yaml",
            "mistakes.safetensors",
        ):
            assert (report / "report" / "shown" / variant / name).stat().st_size > 0


def test_the_page_opens_from_disk_without_a_request_or_an_error(report: Path, browser: Browser):
    requests: list[str] = []
    errors: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((report / "report" / "index.html").as_uri())
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        settle(page)  # which fails if a picture is broken
    assert not errors
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


PLACES = """() => {
    const links = [...document.querySelectorAll("nav a[href^='#'], a.quarto-xref")].filter(link => link.hash);
    const place = link => document.getElementById(decodeURIComponent(link.hash.slice(1))).getBoundingClientRect().top;
    return Object.fromEntries(links.map(link => [link.hash, place(link) + scrollY]));
}"""
"""How far down a page each target stands that a link of the contents or a reference leads to."""

ARRIVAL = """async link => {
    for (const folded of document.querySelectorAll("details")) folded.open = folded.hasAttribute("data-open");
    const named = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    const target = named.matches("section") ? named.querySelector("h1, h2, h3") : named;
    link.click();
    for (let still = 0, before = null; still < 6; ) {
        await new Promise(requestAnimationFrame);
        const now = target.getBoundingClientRect().top;
        still = now === before ? still + 1 : 0;
        before = now;
    }
    const { left, top } = target.getBoundingClientRect();
    const there = document.elementFromPoint(left + 2, Math.max(top, 0) + 2);
    const covered = !target.contains(there) && !there?.contains(target);
    return [top, document.documentElement.scrollHeight - scrollY - innerHeight, covered];
}"""
"""How far below the top of the window a link's target, or its heading, comes to rest, how far the page could be
scrolled on, and whether something covers it. What was folded at first is folded before."""

BAR = 57
"""Height of the bar that Quarto keeps at the top of the window, and leaves room for twice: above a section, and when it
goes there. The margin above a heading comes on top."""


def test_each_entry_of_the_contents_and_each_reference_leads_to_its_place(report: Path, browser: Browser):
    """Whichever pictures are there: when those that are passed come in, no target moves."""
    astray = {}
    with browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto((report / "report" / "index.html").as_uri())
        page.evaluate("for (const open of document.querySelectorAll('details[open]')) open.dataset.open = ''")
        targets = page.evaluate(PLACES)
        for target in reversed(targets):
            top, left, covered = page.locator(f"nav a[href='{target}'], a.quarto-xref[href='{target}']").first.evaluate(
                ARRIVAL
            )
            if covered or not (-2 <= top <= 2 * BAR + 25 or (top > 0 and left <= BAR)):
                astray[target] = round(top)
        page.reload()
        targets = page.evaluate(PLACES)
        settle(page)
        moved = {target: place for target, place in page.evaluate(PLACES).items() if abs(place - targets[target]) > 2}
    assert len(targets) > 40
    assert astray == {}
    assert moved == {}


def test_a_picture_of_the_first_screen_can_be_taken(report: Path, browser: Browser, tmp_path: Path):
    take(browser, report / "report" / "index.html", tmp_path / "picture.png")
    for file, most in ((tmp_path / "picture.png", 350_000), (ROOT / "report" / "picture.png", 300_000)):
        content = file.read_bytes()
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">II", content[16:24]) == (SIZE["width"], SIZE["height"])
        assert 20_000 < len(content) < most  # what is blank is smaller


def test_no_page_is_wider_than_a_phone(report: Path, browser: Browser):
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.goto((report / "report" / "index.html").as_uri())
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_second_run_executes_no_notebook(study: Path, tmp_path: Path):
    again = shutil.copytree(study, tmp_path / "again")
    before = {file: file.stat().st_mtime_ns for file in (again / "report" / "executed").rglob("*.ipynb")}
    run = command(again, "normstudy", "run", "-p", "dataset", "digits")
    assert run.returncode == 0
    assert run.stdout.count("up to date") == len(NAMES)
    assert before == {file: file.stat().st_mtime_ns for file in (again / "report" / "executed").rglob("*.ipynb")}


def test_the_article_is_not_longer_than_it_needs_to_be(report: Path, browser: Browser):
    page = open_page(browser.new_context(viewport=DESKTOP), (report / "report" / "index.html").as_uri())
    settle(page)
    assert page.evaluate("document.documentElement.scrollHeight") <= 24_000


def test_few_probabilities_stand_in_what_is_not_folded(report: Path):
    folded = "ancestor::details[contains(@class, 'folded')] or ancestor::script or ancestor::style"
    text = "".join(checks.article(report).xpath(f"//main//text()[not({folded})]"))
    assert len(re.findall(r"\bp\s*[=<]", text)) <= 12


MEGABYTE = 1_000_000


def test_the_page_is_light_and_loads_pictures_when_they_are_reached(report: Path, browser: Browser):
    loaded: list[Path] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.on("request", lambda request: loaded.append(Path(unquote(urlsplit(request.url).path))))
        page.goto((report / "report" / "index.html").as_uri())
        page.wait_for_timeout(500)
        first = [file for file in dict.fromkeys(loaded) if file.is_file()]
        for _ in range(page.evaluate("document.documentElement.scrollHeight") // 700 + 1):
            page.mouse.wheel(0, 700)
            page.wait_for_timeout(10)
        page.wait_for_timeout(500)
    everything = [file for file in dict.fromkeys(loaded) if file.is_file()]
    assert sum(len(gzip.compress(file.read_bytes())) for file in first) < 1 * MEGABYTE
    assert sum(file.stat().st_size for file in everything) < 4 * MEGABYTE
    pictures = {file for file in everything if file.suffix == ".svg"}
    assert len(pictures) >= 10
    assert pictures - set(first), "every picture is loaded before it is reached"
