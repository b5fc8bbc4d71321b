"""What is done to Quarto's pages so that they are whole from disk."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from normstudy.rendering.pages import make_whole

HEAD = (
    '<script src="../site_libs/quarto-html/quarto.js" type="module"></script>'
    '<script src="../site_libs/quarto-html/tabsets/tabsets.js" type="module"></script>'
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    scripts = tmp_path / "site_libs" / "quarto-html"
    (scripts / "tabsets").mkdir(parents=True)
    (scripts / "quarto.js").write_text('import * as tabsets from "./tabsets/tabsets.js";\ntabsets.init();\n')
    (scripts / "tabsets" / "tabsets.js").write_text("export function init() {}\n")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text(f'{HEAD}<img src="a.svg"><img loading="eager" src="b.svg">')
    (tmp_path / "theme.css").write_text(
        '@import"https://fonts.example/css2?family=Lato:wght@400;700&display=swap";b{}@import url(https://fonts.example/x);a{}'
    )
    return tmp_path


def test_module_scripts_become_one_classic_script(output: Path):
    make_whole(output)
    page = (output / "report" / "index.html").read_text()
    assert 'type="module"' not in page
    assert page.count("<script") == 1
    classic = (output / "site_libs" / "quarto-html" / "quarto.classic.js").read_text()
    assert "import " not in classic
    assert "export " not in classic


def test_pictures_load_when_they_are_about_to_be_seen(output: Path):
    make_whole(output)
    page = (output / "report" / "index.html").read_text()
    assert '<img loading="lazy" src="a.svg">' in page
    assert '<img loading="eager" src="b.svg">' in page


def test_pictures_have_the_size_that_their_files_say(output: Path):
    page = output / "report" / "index.html"
    (page.parent / "a b.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"></svg>')
    (page.parent / "damaged.svg").write_text("<svg")
    given = [
        '<img alt="a width=1" src="a%20b.svg">',
        '<img src="a b.svg" width="50%">',
        '<img src="damaged.svg">',
        "<img >",
    ]
    page.write_text("".join(given))
    make_whole(output)
    first, *others = re.findall("<img [^>]*>", page.read_text())
    assert 'width="96" height="48"' in first
    assert [other.replace('loading="lazy" ', "") for other in others] == given[1:]


def test_what_scrolls_can_be_reached_by_keyboard_and_the_toggle_has_a_name(output: Path):
    page = output / "report" / "index.html"
    page.write_text(
        '<div class="cell-output cell-output-display"></div><script>'
        "a.classList.add('quarto-color-scheme-toggle'); window.document.body.appendChild(a);</script>"
    )
    make_whole(output)
    text = page.read_text()
    assert 'class="cell-output cell-output-display" tabindex="0"' in text
    assert "a.ariaLabel = 'Switch between the light and the dark page';" in text
    assert "querySelector('main').append(a)" in text


def test_a_notebooks_page_leads_back_to_the_article_and_its_bars_have_names(output: Path):
    page = output / "report" / "shown" / "a-preview.html"
    page.parent.mkdir()
    page.write_text(
        '<div id="quarto-embed-header" class="headroom"><a onclick="window.quartoBackToArticle(); return false;" '
        'class="btn">Back to Article</a></div><nav class="navbar "><button role="menu" aria-expanded="false"></button>'
    )
    make_whole(output)
    text = page.read_text()
    assert '<a href="../../index.html" class="btn">' in text
    assert 'role="navigation" aria-label="Notebook"' in text
    assert '<nav aria-label="Report" class="navbar ">' in text
    assert 'role="menu"' not in text


def test_fonts_of_other_hosts_are_not_asked_for(output: Path):
    make_whole(output)
    assert (output / "theme.css").read_text() == "b{}a{}"


def test_doing_it_twice_changes_nothing_more(output: Path):
    make_whole(output)
    once = {file: file.read_bytes() for file in output.rglob("*") if file.is_file()}
    make_whole(output)
    assert {file: file.read_bytes() for file in output.rglob("*") if file.is_file()} == once


def other_import(output: Path) -> None:
    script = output / "site_libs" / "quarto-html" / "quarto.js"
    script.write_text('import { other } from "./other.js";\n' + script.read_text())


def other_script(output: Path) -> None:
    page = output / "report" / "index.html"
    page.write_text(page.read_text().replace("quarto-html/quarto.js", "quarto-html/page.js"))


def other_attributes(output: Path) -> None:
    page = output / "report" / "index.html"
    page.write_text(page.read_text().replace("<script src=", "<script defer src="))


def no_tabsets(output: Path) -> None:
    (output / "site_libs" / "quarto-html" / "tabsets" / "tabsets.js").unlink()


def no_scripts(output: Path) -> None:
    shutil.rmtree(output / "site_libs")


def not_text(output: Path) -> None:
    script = output / "site_libs" / "quarto-html" / "quarto.js"
    script.write_bytes(script.read_bytes() + b"\xff")


@pytest.mark.parametrize("change", [other_import, other_script, other_attributes, no_tabsets, no_scripts, not_text])
def test_scripts_of_an_unknown_shape_stay_as_they_are_and_one_line_says_what_that_costs(
    output: Path, change: Callable[[Path], None]
):
    change(output)
    page = output / "report" / "index.html"
    before = page.read_text().replace('<img src="a.svg">', '<img loading="lazy" src="a.svg">')
    (line,) = make_whole(output)
    assert line.startswith("Opened from disk")
    assert "\n" not in line
    assert page.read_text() == before


def test_known_scripts_need_no_remark(output: Path):
    assert make_whole(output) == []


def test_a_page_that_is_no_text_stays_as_it_is(output: Path):
    page = output / "report" / "shown.html"
    page.write_bytes(b"\xff\x00 <p>")
    assert make_whole(output) == []
    assert page.read_bytes() == b"\xff\x00 <p>"
