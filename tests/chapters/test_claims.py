"""Whether predictions hold: from single differences to several cases, and how the report prints them."""

import math

import pandas as pd
import pytest

from normstudy.chapters import claims


def test_a_difference_bears_a_prediction_out_only_beyond_chance():
    rows = pd.DataFrame({"mean": [1.0, -1.0, 1.0, 1.0], "p": [0.049, 0.01, 0.05, math.nan]})
    assert claims.signs(rows, +1) == [True, False, None, None]
    assert claims.signs(rows, -1) == [False, True, None, None]


@pytest.mark.parametrize(
    ("holds", "overall", "somewhere"),
    [
        ([True, True], True, True),
        ([True, None], None, True),
        ([None, False], False, None),
        ([True, None, False], False, True),
        ([False, False], False, False),
        ([], None, False),
    ],
    ids=str,
)
def test_one_case_contradicts_all_and_bears_out_some(
    holds: list[bool | None], overall: bool | None, somewhere: bool | None
):
    assert claims.overall(holds) is overall
    assert claims.somewhere(holds) is somewhere


def test_a_section_concludes_of_each_prediction_whether_it_holds_in_every_case_and_in_some_one():
    found = claims.concluded({"first": {"batch": True, "layer": None}, "second": {"batch": None}})
    assert found == {"first": None, "first_somewhere": True, "second": None, "second_somewhere": None}


def test_cases_are_named_by_what_became_of_them():
    found = claims.cases({"batch": True, "layer": None, "group": True, "instance": True})
    assert found == {"holds": "batch, group and instance", "fails": "no other", "open": "layer"}


def test_differences_are_printed_in_points_with_their_intervals():
    pairs = pd.DataFrame({"first": ["batch"], "second": ["none"], "mean": 0.012, "low": 0.01, "high": 0.014, "p": 0.02})
    assert claims.differences(pairs).to_numpy().tolist() == [
        ["batch", "none", "+1.20 (+1.00\u00a0to\u00a0+1.40)", "0.02"],
    ]
