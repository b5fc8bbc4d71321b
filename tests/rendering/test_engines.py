"""Pandoc and Typst as programs: what they make, and in what one line they say why not."""

import re
from pathlib import Path

import pypandoc
import pytest
from pypdf import PdfReader

from normstudy.rendering.engines import RenderError, pandoc, typeset
from tests.commands import stand_in

SQUARE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="5" height="5"/></svg>'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Typst's markup in a folder below a project's, with a picture beside it and one in the project's own."""
    (tmp_path / "project" / "inner").mkdir(parents=True)
    for name in ("outside.svg", "project/above.svg", "project/inner/beside.svg"):
        (tmp_path / name).write_text(SQUARE)
    file = tmp_path / "project" / "inner" / "source.typ"
    file.write_text("The *text*.\n")
    return file


def typeset_beside(source: Path) -> PdfReader:
    """The PDF of a source in a folder of its project."""
    pdf = source.with_suffix(".pdf")
    typeset(source, pdf, source.parents[1])
    return PdfReader(pdf)


class TestPandoc:
    def test_turns_a_text_into_another(self):
        assert pandoc("*Größe* → ✓", "-f", "markdown", "-t", "html") == "<p><em>Größe</em> → ✓</p>\n"

    def test_takes_files_among_its_arguments(self, tmp_path: Path):
        file = tmp_path / "a text.md"
        file.write_text("*From* a file.\n")
        assert pandoc("", "-t", "html", file) == "<p><em>From</em> a file.</p>\n"

    @pytest.mark.parametrize(
        ("text", "options", "problem"),
        [
            ("[@nobody; @none]", ["--citeproc", "-t", "html"], r"\[WARNING\] Citeproc: citation nobody not found"),
            (r"$\frac{$", ["--mathml", "-t", "html"], r"\[WARNING\] Could not convert TeX math .*"),
            ("x", ["--never"], "Unknown option --never."),
            ("x", ["/nowhere.md"], r"pandoc: /nowhere\.md: .*does not exist.*"),
        ],
        ids=["citation", "formula", "option", "file"],
    )
    def test_says_in_one_line_what_it_only_warns_of_and_what_it_cannot_do(
        self, text: str, options: list[str], problem: str
    ):
        with pytest.raises(RenderError) as error:
            pandoc(text, *options)
        assert re.fullmatch(problem, str(error.value))

    @pytest.mark.parametrize(
        ("script", "problem"),
        [
            ("exit 3", "Pandoc failed"),
            ("echo >&2; exit 3", "Pandoc failed"),
            ("echo made; echo >&2; echo no room >&2; echo really >&2; exit 1", "no room"),
        ],
    )
    def test_that_fails_gives_its_first_words_or_is_said_to_have_failed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, problem: str
    ):
        program = stand_in(tmp_path / "pandoc", f"cat > /dev/null; {script}")
        monkeypatch.setattr(pypandoc, "get_pandoc_path", lambda: program)
        with pytest.raises(RenderError) as error:
            pandoc("x")
        assert str(error.value) == problem

    def test_may_say_something_and_still_be_done(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        program = stand_in(tmp_path / "pandoc", "cat; echo by the way >&2")
        monkeypatch.setattr(pypandoc, "get_pandoc_path", lambda: program)
        assert pandoc("x\ny") == "x\ny"


class TestTypst:
    def test_makes_a_pdf_with_pictures_that_lie_in_the_project(self, source: Path):
        source.write_text('The *text*.\n#image("beside.svg", alt: "beside")\n#image("/above.svg", alt: "above")\n')
        made = typeset_beside(source)
        assert made.pages[0].extract_text().strip() == "The text."
        alternatives = [made.get_object(number) for number in range(1, made.trailer["/Size"])]
        assert {each["/Alt"] for each in alternatives if isinstance(each, dict) and "/Alt" in each} == {
            "beside", "above"
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("markup", "problem"),
        [
            ("#nothing", "unknown variable: nothing"),
            ('#assert(false, message: "one\\ntwo")', "assertion failed: one"),
            ('#image("lost.svg")', r"file not found \(searched at .*lost\.svg\)"),
            ('#image("../../outside.svg")', "path .* would escape the project root"),
        ],
        ids=["name", "lines", "file", "outside"],
    )
    def test_says_in_one_line_what_it_does_not_understand_and_makes_nothing(
        self, source: Path, markup: str, problem: str
    ):
        source.write_text(f"The text.\n{markup}\n")
        with pytest.raises(RenderError) as error:
            typeset_beside(source)
        assert re.fullmatch(problem, str(error.value))
        assert not source.with_suffix(".pdf").exists()

    @pytest.mark.parametrize(("seconds", "bears"), [("0", 0), ("1500000000", 1500000000)])
    def test_gives_a_pdf_the_date_that_is_asked_for(
        self, source: Path, monkeypatch: pytest.MonkeyPatch, seconds: str, bears: int
    ):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", seconds)
        information = typeset_beside(source).metadata
        assert information is not None
        assert information.creation_date is not None
        assert information.creation_date.timestamp() == bears

    @pytest.mark.parametrize("date", ["", "yesterday", "-1", "1e9", "²"])
    def test_takes_what_is_no_number_of_seconds_for_no_date(
        self, source: Path, monkeypatch: pytest.MonkeyPatch, date: str
    ):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
        information = typeset_beside(source).metadata
        assert information is not None
        assert information.creation_date is not None
        assert information.creation_date.year > 2001
