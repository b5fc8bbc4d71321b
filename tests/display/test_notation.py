"""Numbers in one style, whatever they are: no hyphen for a minus, no minus before nothing, no e for a power of ten."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from normstudy.display import notation
from normstudy.display.notation import NUMBER
from tests import checks
from tests.commands import ROOT

ANY = st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf])
DIGITS = st.integers(0, 6)
SHARES = st.floats(0, 1)


def read(written: str) -> float:
    """The number that somebody reads."""
    found = re.fullmatch(r"([+−]?)([\d,.]+|∞)(?:×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?", written)
    assert found, written
    power = (found[3] or "⁰").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    value = math.inf if found[2] == "∞" else float(f"{found[2].replace(',', '')}e{power}")
    return -value if found[1] == "−" else value


def in_style(written: str) -> None:
    """What no written number has."""
    assert "-" not in written
    assert not re.search(r"[0-9]e|nan|inf", written)
    assert not re.search(r"[+−][0.,]*(?![\d.,∞])", written), f"{written} has a sign before nothing"
    assert not re.search(r"(?<![\d.,])\d{4}|\d%", written)
    assert NUMBER.fullmatch(written), f"{written} is not aligned as a number"


def test_the_style_by_examples():
    assert notation.count(7978) == "7,978"
    assert notation.decimal(-0.02, 2) == "−0.02"
    assert notation.decimal(-0.004, 2) == "0.00"
    assert notation.decimal(0.3, 2, sign=True) == "+0.30"
    assert notation.decimal(0.004, 2, sign=True) == "0.00"
    assert notation.significant(3.71e-5) == "3.7×10⁻⁵"
    assert notation.significant(0.0799) == "0.080"
    assert notation.significant(0.00093) == "0.00093"
    assert notation.significant(228.4) == "230"
    assert notation.significant(-2.4e12, 1) == "−2×10¹²"
    assert notation.exact(3e-5) == "3×10⁻⁵"
    assert [notation.exact(value) for value in (0.0005, 0.015, 10.0, 128, 0)] == ["0.0005", "0.015", "10", "128", "0"]
    assert notation.percent(0.995) == "99.50\u00a0%"
    assert notation.percent(0.28, 0) == "28\u00a0%"
    assert notation.interval(-0.31, 0.05, 2, sign=True) == "−0.31\u00a0to\u00a0+0.05"
    assert notation.with_interval(97.8, 97.57, 98.04, 2) == "97.80 (97.57\u00a0to\u00a098.04)"
    assert notation.estimate(97.8, 97.57, 98.04, 2, unit="%") == "97.80\u00a0% [97.57,\u00a098.04]"
    assert notation.estimate(-0.5, -0.62, 0.1, 1, sign=True) == "−0.5 [−0.6,\u00a0+0.1]"
    assert notation.INTERVAL == "95\u00a0% interval"


def test_a_part_of_a_whole_is_said_as_one_would():
    assert [notation.out_of(part, 1234, "run") for part in (0, 1, 1200, 1234)] == [
        "none of the 1,234 runs",
        "1 of the 1,234 runs",
        "1,200 of the 1,234 runs",
        "all 1,234 runs",
    ]
    assert notation.out_of(1, 1, "run") == "the only run"
    assert [notation.counted(number, "image") for number in (0, 1, 2)] == ["0 images", "1 image", "2 images"]


def test_what_is_not_known_is_a_dash():
    nan = math.nan
    assert notation.decimal(nan, 2) == notation.significant(nan) == notation.interval(nan, 1, 2) == "–"
    assert notation.with_interval(0.5, nan, nan, 2) == "0.50"
    assert notation.estimate(0.5, nan, nan, 2, unit="%") == "0.50\u00a0%"
    assert notation.probability(nan) == "–"


@pytest.mark.parametrize(
    ("p", "written"),
    [
        (0, "< 0.001"),
        (0.00099, "< 0.001"),
        (0.001, "0.001"),
        (0.0089, "0.009"),
        (0.03, "0.03"),
        (0.049, "0.049"),
        (0.0499, "0.0499"),
        (0.05, "0.05"),
        (0.0501, "0.05"),
        (0.84, "0.84"),
        (1, "1.00"),
    ],
)
def test_a_probability_shows_on_which_side_of_the_level_it_lies(p: float, written: str):
    assert notation.probability(p) == written


@given(SHARES)
@example(math.nextafter(0.05, 0))
def test_no_probability_is_nothing_or_crosses_the_level(p: float):
    written = notation.probability(p)
    in_style(written)
    value = read(written.removeprefix("< "))
    assert value > 0
    assert (value < 0.05) == (p < 0.05)


@given(ANY, DIGITS, st.booleans())
@example(-0.0, 2, True)
@example(-0.004, 2, False)
@example(-1e-300, 4, True)
def test_decimals_are_in_style_and_say_the_number(value: float, digits: int, sign: bool):
    written = notation.decimal(value, digits, sign=sign)
    in_style(written)
    if not math.isnan(value):
        assert read(written) == pytest.approx(value, rel=0.005, abs=0.5000001 * 10**-digits)
        assert written.startswith("+") == (sign and read(written) > 0)


@given(ANY, st.integers(1, 6), st.booleans())
@example(9.9999e-5, 2, False)
@example(0.99999e9, 2, False)
@example(-5e-324, 1, True)
def test_significant_digits_are_in_style_and_say_the_number(value: float, digits: int, sign: bool):
    written = notation.significant(value, digits, sign=sign)
    in_style(written)
    if not math.isnan(value):
        assert read(written) == pytest.approx(value, rel=0.501 * 10 ** (1 - digits))


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5.960464477539063e-08)
def test_a_setting_keeps_all_its_digits(value: float):
    written = notation.exact(value)
    in_style(written)
    assert read(written) == value


@given(st.integers())
def test_a_count_is_in_style(number: int):
    in_style(notation.count(number))


@given(ANY, ANY, DIGITS, st.booleans())
def test_intervals_are_in_style(low: float, high: float, digits: int, sign: bool):
    in_style(notation.interval(low, high, digits, sign=sign))


@given(SHARES, DIGITS)
def test_a_percentage_stays_with_its_sign(share: float, digits: int):
    written = notation.percent(share, digits)
    in_style(written)
    assert written.endswith("\u00a0%")


def test_words_are_no_numbers():
    for word in ("", "batch", "L1 + L2", "3×3 16", "1 2 3", "0.50 (0.1 to 0.9)", "nan", "1e-05", "-1"):
        assert not NUMBER.fullmatch(word)
    assert NUMBER.fullmatch("28×28")


@pytest.mark.parametrize(
    "file", ["README.md", "report/results/README.md", "report/interactive/README.md", "tests/benchmarks/README.md"]
)
def test_what_is_read_about_the_project_is_in_the_same_style(file: str):
    text = re.sub(r"```.*?```|`[^`]*`", "", (ROOT / file).read_text(encoding="utf-8"), flags=re.DOTALL)
    checks.in_one_style(file, text.replace(" %", "\u00a0%"))
