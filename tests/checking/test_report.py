"""What a check says: in lines, in one line a file, as an exit code, and as a page."""

import re
from typing import Any

import pytest
from lxml import html

from normstudy.checking import report

LAYER = {
    "name": "norm",
    "shape": [2, 3, 5, 5],
    "kind": "mean and deviation",
    "names": ["batch"],
    "extent": "all images, one channel, all places",
    "groups": 3,
    "count": 3,
    "sheet": [[0, 1, 2], [0, 1, 2]],
    "constant": False,
    "parameters": {"norm.weight": [3], "norm.bias": [3]},
    "running": "unbiased",
}
FOUND = {
    "parameters": 7978,
    "layers": [LAYER],
    "company": False,
    "l1": ["conv.weight", "linear.weight"],
    "l2": ["linear.weight"],
    "right": True,
    "faults": [],
    "remarks": [],
}
FAULT = {"layer": "norm", "expected": "gamma < 1", "found": "<class 'int'>"}
OTHER = {"layer": "the network", "expected": "logits", "found": "probabilities"}
WRONG = {**FOUND, "right": False, "faults": [FAULT, OTHER], "remarks": ["5 > 3"]}
BROKEN = {
    "broken": "raises KeyError",
    "layers": [],
    "right": False,
    "faults": [{"layer": "the network", "expected": "a network that can be run", "found": "raises KeyError"}],
    "remarks": [],
}
UNCHECKED = {"model": "a&b.py", "error": "a&b.py is not a file"}


def layer(**changes: Any) -> dict[str, Any]:
    return LAYER | changes


def found(**changes: Any) -> dict[str, Any]:
    return FOUND | changes


def checked(model: str = "model.py", **variants: Any) -> dict[str, Any]:
    return {"model": model, "variants": variants or {"batch": FOUND}}


def page(*all_checked: dict[str, Any]) -> html.HtmlElement:
    return html.document_fromstring(report.page(all_checked))


def texts(parsed: html.HtmlElement, path: str) -> list[str]:
    return [each.text_content() for each in parsed.xpath(path)]


def test_a_right_network_is_said_with_its_table_and_what_stands_beside_it():
    first, table, evaluation, running, penalties = report.lines(checked())
    head, _, row = table.splitlines()
    assert first == "batch: right, 7,978 parameters"
    assert re.split(r"\s{2,}", head) == ["", *report.COLUMNS]
    assert re.split(r"\s{2,}", row) == ["", *next(report.rows("batch", FOUND))]
    assert evaluation == "  evaluation mode: an answer does not depend on the other images"
    assert running == "  running statistics: a batch adds the unbiased variance"
    assert penalties == "  penalties: L1 moves 2 weights, L2 moves 1 weights"


def test_faults_come_before_remarks():
    *_, first, second, last = report.lines(checked(batch=FOUND, layer=WRONG))
    assert first == "  fault: norm: expected gamma < 1; found <class 'int'>"
    assert second == "  fault: the network: expected logits; found probabilities"
    assert last == "  remark: 5 > 3"


def test_each_argument_has_its_lines_in_order():
    heads = [line for line in report.lines(checked(batch=FOUND, layer=WRONG)) if not line.startswith(" ")]
    assert heads == ["batch: right, 7,978 parameters", "layer: wrong, 7,978 parameters"]


def test_of_what_cannot_be_run_only_the_fault_is_said():
    assert list(report.lines(checked(group=BROKEN))) == [
        "group: wrong",
        "  fault: the network: expected a network that can be run; found raises KeyError",
    ]


def test_without_layers_there_is_no_table():
    assert list(report.lines(checked(batch=found(layers=[]))))[1:] == [
        "  evaluation mode: an answer does not depend on the other images",
        "  penalties: L1 moves 2 weights, L2 moves 1 weights",
    ]


def test_a_name_that_looks_like_a_number_stays_as_it_is():
    table = list(report.lines(checked(batch=found(layers=[layer(name="1.10"), layer(name="2")]))))[1]
    assert [line[2:6].rstrip() for line in table.splitlines()[2:]] == ["1.10", "2"]


def test_a_layer_s_row_says_what_the_columns_name():
    large = layer(shape=[6, 2000, 1, 1], parameters={}, names=["position"], groups=1, count=6)
    fixed = layer(name="last", kind="fixed", names=[])
    assert list(report.rows("batch", found(layers=[large, fixed]))) == [
        ("norm", "6×2000×1×1", "per position", "2,000", "6", "none"),
        ("last", "2×3×5×5", "fixed statistics", "3", "–", "3 + 3, per channel"),
    ]
    (counted,) = report.rows("layer", found(layers=[layer(count=1234)]))
    assert counted[3:5] == ("2", "1,234")
    assert all(len(row) == len(report.COLUMNS) for row in report.rows("group", FOUND))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["unbiased"], "the unbiased variance"),
        (["biased", "", "unmoved"], "the biased variance, nothing"),
        (["unbiased", "unbiased", "other"], "the unbiased variance"),
        (["unmoved mean", "far", "unmoved variance"], "no mean, no variance"),
    ],
    ids=str,
)
def test_what_running_statistics_take_up_is_said_once_each(words: list[str], said: str):
    others = list(report.others(found(layers=[layer(running=word) for word in words])))
    assert others[1] == f"running statistics: a batch adds {said}"


def test_running_statistics_that_are_none_or_unknown_are_not_spoken_of():
    assert len(list(report.others(found(layers=[layer(running=""), layer(running="other")])))) == 2


def test_what_depends_on_the_other_images_is_said():
    assert next(report.others(found(company=True))) == "evaluation mode: an answer depends on the other images"


def test_beside_what_cannot_be_run_there_is_nothing_to_say():
    assert list(report.others(BROKEN)) == []


@pytest.mark.parametrize(
    ("one", "line", "code"),
    [
        (checked(), "model.py: right", 0),
        (checked(batch=FOUND, layer=found(remarks=["5 > 3"])), "model.py: right", 0),
        (
            checked(batch=FOUND, layer={**WRONG, "faults": [OTHER]}),
            "model.py: wrong: layer: the network: expected logits; found probabilities",
            1,
        ),
        (
            checked(batch=WRONG, layer=FOUND, group=BROKEN),
            "model.py: wrong: batch: norm: expected gamma < 1; found <class 'int'> (and 2 more)",
            1,
        ),
        (
            checked(batch=FOUND, layer=WRONG),
            "model.py: wrong: layer: norm: expected gamma < 1; found <class 'int'> (and 1 more)",
            1,
        ),
        (UNCHECKED, "a&b.py: not checked: a&b.py is not a file", 2),
    ],
    ids=["right", "remarked", "one fault", "faults of several", "two faults", "not checked"],
)
def test_a_file_is_a_line_and_an_exit_code(one: dict[str, Any], line: str, code: int):
    assert report.line(one) == line
    assert report.code(one) == code


def test_a_summary_counts_files_by_their_codes():
    several = [checked(), checked(batch=WRONG), UNCHECKED, checked(), checked()]
    assert report.summary(several) == "5 files: 3 right, 1 wrong, 1 not checked"
    assert report.summary([]) == "0 files: 0 right, 0 wrong, 0 not checked"


def test_a_page_on_one_file_begins_with_it():
    parsed = page(checked())
    assert report.page([checked()]).startswith('<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">')
    assert texts(parsed, "//title") == texts(parsed, "//h1") == ["What the layers compute"]
    assert texts(parsed, "//h2") == ["model.py"]
    assert texts(parsed, "//ol") == []
    assert "files:" not in parsed.text_content()


def test_a_page_on_several_files_has_a_summary_and_leads_to_each():
    files = [checked("one.py"), checked("<two>.py", batch=WRONG), UNCHECKED]
    parsed = page(*files)
    assert f"{report.summary(files)}." in texts(parsed, "//p")
    assert texts(parsed, "//ol/li/a") == [report.line(each) for each in files]
    headings = {f"#{each.get('id')}": each.text_content() for each in parsed.xpath("//h2")}
    assert [headings[link] for link in parsed.xpath("//ol/li/a/@href")] == ["one.py", "<two>.py", "a&b.py"]


def test_a_page_has_the_same_rows_and_notes_as_the_lines():
    parsed = page(checked(batch=FOUND, layer=WRONG, group=BROKEN))
    assert texts(parsed, "//h3") == ["batch: right", "layer: wrong", "group: wrong"]
    tables = parsed.xpath("//table[not(@class)]")
    assert len(tables) == 2
    for table, norm_arg in zip(tables, ("batch", "layer"), strict=True):
        assert tuple(texts(table, ".//th")) == report.COLUMNS
        assert [tuple(texts(table, ".//td"))] == list(report.rows(norm_arg, FOUND))
    right, wrong, broken = (texts(notes, "li") for notes in parsed.xpath("//ul"))
    assert right == list(report.others(FOUND))
    assert wrong == [
        *right,
        "Fault: norm: expected gamma < 1; found <class 'int'>",
        "Fault: the network: expected logits; found probabilities",
        "Remark: 5 > 3",
    ]
    assert broken == ["Fault: the network: expected a network that can be run; found raises KeyError"]


def test_a_file_that_could_not_be_checked_has_its_error_on_the_page_alone():
    parsed = page(UNCHECKED)
    assert texts(parsed, "//h2 | //h2/following-sibling::*") == ["a&b.py", "a&b.py is not a file"]


def test_a_sheet_has_a_row_an_image_and_a_column_a_channel():
    (sheet,) = page(checked(batch=found(layers=[layer(name="<b>", sheet=[[0, 0, 1], [2, 2, 3]])]))).xpath("//figure")
    assert texts(sheet, ".//thead//th") == ["", "1", "2", "3"]
    assert [texts(row, "*") for row in sheet.xpath(".//tbody/tr")] == [["1", "1", "1", "2"], ["2", "3", "3", "4"]]
    assert texts(sheet, "figcaption") == sheet.xpath("table/@aria-label") == ["<b>: batch"]


def test_each_set_of_a_sheet_has_a_colour_and_one_beyond_the_last_begins_again():
    number = len(report.COLOURS)
    parsed = page(checked(batch=found(layers=[layer(shape=[1, number + 1, 5, 5], sheet=[[*range(number + 1)]])])))
    colours = [style.removeprefix("background:") for style in parsed.xpath("//td/@style")]
    assert colours == [*report.COLOURS, report.COLOURS[0]]
    assert len(set(report.COLOURS)) == number


@pytest.mark.parametrize("colour", report.COLOURS)
def test_black_writing_is_easy_to_read_on_each_colour(colour: str):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert (luminance + 0.05) / 0.05 >= 7  # WCAG 2.2's enhanced contrast
