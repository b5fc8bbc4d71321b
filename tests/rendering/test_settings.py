"""The settings of a report: which files they come from, which come first, and where their paths lead."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normstudy.rendering import settings
from normstudy.rendering.engines import RenderError

PLAIN = st.integers() | st.text(max_size=3)
SETTINGS = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        PLAIN | st.lists(PLAIN, max_size=2), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
)


def write(root: Path, **files: str) -> Path:
    """Write files of a project; __ is a slash, and each is a YAML file but for index, the article."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path = path.with_suffix(".qmd" if path.name == "index" else ".yml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return root


def test_the_article_is_the_first_source_that_is_rendered(tmp_path: Path):
    write(tmp_path, _quarto="project: {render: [styles.css, report/index.qmd, report/other.qmd]}")
    assert settings.article_of(tmp_path) == Path("report/index.qmd")


def test_without_settings_there_is_no_project(tmp_path: Path):
    with pytest.raises(RenderError, match=r"there is no _quarto\.yml$"):
        settings.article_of(tmp_path)


def test_the_nearer_a_setting_stands_to_the_text_the_more_it_counts(tmp_path: Path):
    write(
        tmp_path,
        _quarto="{a: project, b: project, c: project, d: project}",
        **{"_quarto-digits": "{b: profile, c: profile, d: profile}", "_quarto-mnist": "{a: another}"},
        report___metadata="{c: folder, d: folder}",
        report__index="---\nd: article\n---\nText",
    )
    found = settings.read(tmp_path, Path("report/index.qmd"), "digits")
    assert found == {"a": "project", "b": "profile", "c": "folder", "d": "article"}
    without = settings.read(tmp_path, Path("report/index.qmd"), None)
    assert without == {"a": "project", "b": "project", "c": "folder", "d": "article"}


def test_an_article_needs_no_settings_beside_it(tmp_path: Path):
    write(tmp_path, _quarto="a: 1", report__index="Text", **{"_quarto-digits": "# nothing yet"})
    assert settings.read(tmp_path, Path("report/index.qmd"), "digits") == {"a": 1}


def test_a_file_beside_the_article_may_set_nothing(tmp_path: Path):
    write(tmp_path, _quarto="{a: 1}", report___metadata="# nothing yet", report__index="Text")
    assert settings.read(tmp_path, Path("report/index.qmd"), None) == {"a": 1}


def test_paths_lead_from_the_file_that_they_stand_in(tmp_path: Path):
    write(
        tmp_path,
        _quarto="bibliography: report/a.bib\nformat: {html: {css: report/a.css}}",
        report___metadata="bibliography: [b.bib]",
        report__index="---\nbibliography: /report/c.bib\nformat: {html: {css: [b.css]}}\ntitle: d.bib\n---\nText",
    )
    found = settings.read(tmp_path, Path("report/index.qmd"), None)
    assert found["bibliography"] == ["/report/a.bib", "/report/b.bib", "/report/c.bib"]
    assert found["format"]["html"]["css"] == ["/report/a.css", "/report/b.css"]
    assert found["title"] == "d.bib", "this names no file"


def test_text_in_the_place_of_a_path_stays_text_and_a_path_with_more_about_it_is_a_path():
    given = {"include-in-header": [{"text": "a/b"}, "a.html"], "filters": [{"path": "a.lua", "at": "post-quarto"}]}
    found = settings.rooted(given, Path("/report"))
    assert found == {"include-in-header": [{"text": "a/b"}, "/report/a.html"], "filters": ["/report/a.lua"]}


@pytest.mark.parametrize("end", ["---", "..."])
def test_the_header_and_the_text_below_it(end: str):
    text = "A\n\n---\n\nB\n"
    assert settings.split_header(f"---\na: 1\nb: [x]\n{end}\n{text}") == ({"a": 1, "b": ["x"]}, text)


@pytest.mark.parametrize("text", ["", "Text", "Text\n---\na: 1\n---\n", "\n---\na: 1\n---\n", "--- a\nb\n---\n"])
def test_where_the_text_begins_at_once_there_is_no_header(text: str):
    assert settings.split_header(text) == ({}, text)


def test_a_header_without_settings_is_a_header():
    assert settings.split_header("---\n# none\n---\nText") == ({}, "Text")


@given(SETTINGS)
def test_what_sets_nothing_changes_nothing(some: dict[str, Any]):
    assert settings.merged(some, {}) == settings.merged({}, some) == settings.merged(some, None) == some


@given(SETTINGS, SETTINGS)
def test_maps_are_merged_key_by_key(one: dict[str, Any], other: dict[str, Any]):
    found = settings.merged(one, other)
    assert found.keys() == one.keys() | other.keys()
    for key in found:
        if key in one and key in other:
            assert found[key] == settings.merged(one[key], other[key])
        else:
            assert found[key] == (one | other)[key]


@given(st.lists(PLAIN), st.lists(PLAIN), PLAIN)
def test_lists_follow_one_another_and_of_other_values_the_later_holds(one: list[Any], other: list[Any], value: Any):
    assert settings.merged(one, other) == [*one, *other]
    assert settings.merged(one, value) == value
    assert settings.merged(value, other) == other


@pytest.mark.parametrize(
    ("value", "expected"), [(None, []), ("a", ["a"]), (["a", "b"], ["a", "b"]), ([], []), ("", [""])]
)
def test_a_setting_as_a_list(value: Any, expected: list[Any]):
    assert settings.listed(value) == expected
