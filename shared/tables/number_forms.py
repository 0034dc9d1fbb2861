"""The forms in which people write numbers: marks, signs, percent, currencies, accountants' parentheses."""

from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.columns import CellReading

# Pattern by thousands mark. A blank may be one that does not break, or a narrow one; an apostrophe may be curly.
GROUP_MARKS = {",": ",", ".": r"\.", " ": r"[ \x{A0}\x{202F}\x{2009}]", "'": r"['\x{2019}]"}

# In India, groups of two stand before the last three digits.
LAKHS = r"\d{1,2}(?:,\d\d)+,\d{3}"

_BLANKS = r"[ \x{A0}\x{202F}\x{2009}]*"
_MINUS = "\N{MINUS SIGN}"
CURRENCY = (
    r"(?:R\$|US\$|[$\x{A2}-\x{A5}\x{20A0}-\x{20C0}]|AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|"
    r"RUB|SEK|TRY|USD|ZAR|Fr\.|kr\.?|z\x{142}|K\x{10D}|Ft)"
)


@lru_cache(maxsize=256)
def body_of(decimal: str, thousands: str | None) -> str:
    """The pattern of a number without sign, with these marks."""
    mark = r"\." if decimal == "." else ","
    exponent = r"(?:[eE][+-]?\d+)?"
    whole = r"\d+" if thousands is None else rf"(?:\d{{1,3}}(?:{GROUP_MARKS[thousands]}\d{{3}})+|\d+)"
    if thousands == ",":
        whole = rf"(?:{LAKHS}|{whole})"
    return rf"(?:{whole}(?:{mark}\d*)?|{mark}\d+){exponent}"


@lru_cache(maxsize=256)
def pattern_of(decimal: str, thousands: str | None, form: str | None) -> str:
    """The pattern of a whole cell with a number; its groups are sign, second sign and body."""
    before = after = ""
    if form == "currency":
        before, after = rf"(?:{CURRENCY})?{_BLANKS}", rf"{_BLANKS}(?:{CURRENCY})?"
    elif form == "percent":
        after = rf"{_BLANKS}%?"
    return rf"^([+-]?){_BLANKS}{before}([+-]?)({body_of(decimal, thousands)}){after}$"


def has_other_minus(cells: pa.Array) -> bool:
    """Whether a typographer's minus is there."""
    return bool(pc.any(pc.match_substring(cells, _MINUS)).as_py())


def plain_numbers(cells: pa.Array, reading: CellReading) -> pa.Array:
    """Trimmed strings of numbers as Arrow takes them, with a point and no other mark.

    Raises:
        pa.ArrowInvalid: when one is not a number as the reading has them.
    """
    if has_other_minus(cells):
        cells = pc.replace_substring(cells, _MINUS, "-")
    if pc.any(pc.starts_with(cells, "(")).as_py():
        cells = pc.replace_substring_regex(cells, r"^\(\s*([^-+()]*)\)$", r"-\1")
    pattern = pattern_of(reading.decimal, reading.thousands, reading.format)
    fits = pc.match_substring_regex(cells, pattern)
    if not pc.all(fits, min_count=0).as_py() and not _all_not_finite(cells.filter(pc.invert(fits))):
        raise pa.ArrowInvalid("not a number")
    numbers = pc.replace_substring_regex(cells, pattern, r"\1\2\3")
    if reading.thousands is not None:
        numbers = pc.replace_substring_regex(numbers, GROUP_MARKS[reading.thousands], "")
    return numbers if reading.decimal == "." else pc.replace_substring(numbers, ",", ".")


def _all_not_finite(cells: pa.Array) -> bool:
    return bool(pc.all(pc.match_substring_regex(cells, r"(?i)^[+-]?(inf|infinity|nan)$"), min_count=0).as_py())
