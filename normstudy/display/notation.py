"""How numbers are written, everywhere: 7,978; 99.50 %; −0.02; 3×10⁻⁵; 97.57 to 98.04."""

import math
import re
from collections.abc import Sequence
from decimal import Decimal

NO_BREAK = "\u00a0"
INTERVAL = f"95{NO_BREAK}% interval"
UNKNOWN = "–"  # what is not a number, such as the interval of a single value
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_ONE = r"[+−]?(?:\d[\d,]*(?:\.\d+)?(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?|∞)"
NUMBER = re.compile(rf"(?:< )?{_ONE}(?:\u00a0[%])?|{_ONE}\u00a0to\u00a0{_ONE}|\d+×\d+|{UNKNOWN}")
"""A number or an interval as it is written here, or a size such as 28×28."""


def count(number: int) -> str:
    """A whole number, its thousands apart."""
    return f"{number:,}".replace("-", "−")


def counted(number: int, noun: str) -> str:
    """So many of something: `noun` in the singular, which takes an s."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def out_of(part: int, whole: int, noun: str) -> str:
    """Some of a whole: none of the 6 pairs, 1 of the 6 pairs, all 6 pairs."""
    if part == whole:
        return f"the only {noun}" if whole == 1 else f"all {counted(whole, noun)}"
    return f"{count(part) if part else 'none'} of the {counted(whole, noun)}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: a, b and c; none of them: nothing."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part) or "nothing"


def decimal(value: float, digits: int, *, sign: bool = False) -> str:
    """A number with so many digits after the point; with `sign`, one above 0 has a plus. What rounds to 0 has no sign.

    From a thousand million on it is written as a power of ten.
    """
    if not math.isfinite(value):
        return UNKNOWN if math.isnan(value) else _signed("∞", value, sign)
    if abs(value) >= 1e9:
        return significant(value, 3, sign=sign)
    return _signed(f"{abs(value):,.{digits}f}", value, sign)


def significant(value: float | Decimal, digits: int = 2, *, sign: bool = False) -> str:
    """A number with so many significant digits; as a power of ten if it is below 0.0001, or from a thousand million."""
    if not math.isfinite(value) or value == 0:
        return decimal(float(value), 0, sign=sign)
    mantissa, _, power = f"{abs(value):.{digits - 1}e}".partition("e")
    exponent = int(power)
    if not -4 <= exponent < 9:
        return _signed(f"{mantissa}×10{str(exponent).translate(SUPERSCRIPTS)}", value, sign)
    return _signed(f"{Decimal(f'{mantissa}e{exponent}'):,.{max(0, digits - 1 - exponent)}f}", value, sign)


def exact(value: float) -> str:
    """A number with all the digits that it takes to say it, such as a setting."""
    shortest = Decimal(repr(float(value))).normalize()
    return significant(shortest, len(shortest.as_tuple().digits))


def percent(share: float, digits: int = 2) -> str:
    """A share, 0 to 1, in percent; the sign does not part from its number at the end of a line."""
    return f"{decimal(100 * share, digits)}{NO_BREAK}%"


def interval(low: float, high: float, digits: int, *, sign: bool = False) -> str:
    """From a number to another; unknown if one of them is."""
    if math.isnan(low) or math.isnan(high):
        return UNKNOWN
    return span(decimal(low, digits, sign=sign), decimal(high, digits, sign=sign))


def span(low: str, high: str) -> str:
    """From a written number to another, which no end of a line parts."""
    return f"{low}{NO_BREAK}to{NO_BREAK}{high}"


def with_interval(value: float, low: float, high: float, digits: int, *, sign: bool = False) -> str:
    """A number and its interval in brackets; without them if there is none."""
    found = interval(low, high, digits, sign=sign)
    return decimal(value, digits, sign=sign) + ("" if found == UNKNOWN else f" ({found})")


def estimate(value: float, low: float, high: float, digits: int, *, sign: bool = False, unit: str = "") -> str:
    """A number and its interval as sentences have them: 98.41 % [98.20, 98.62]; of a single seed, the number alone."""
    said = decimal(value, digits, sign=sign) + (NO_BREAK + unit if unit else "")
    if math.isnan(low) or math.isnan(high):
        return said
    return f"{said} [{decimal(low, digits, sign=sign)},{NO_BREAK}{decimal(high, digits, sign=sign)}]"


def probability(p: float) -> str:
    """The p of a test as tables have it: as many digits, from two on, as it takes to see on which side of 0.05 it lies.

    Below 0.01 there are three, and below 0.001 it is only said to be.
    """
    if p < 0.001:
        return "< 0.001"
    digits = 3 if p < 0.01 else 2
    while (round(p, digits) < 0.05) != (p < 0.05):
        digits += 1
    return decimal(p, digits)


def _signed(written: str, value: float | Decimal, sign: bool) -> str:
    if not re.search(r"[1-9∞]", written):
        return written
    return ("−" if value < 0 else "+" if sign else "") + written
