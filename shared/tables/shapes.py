"""What a single cell looks like: a number with which marks, a date in which order, or a word."""

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from shared.tables.dates import ZONE, moment_of
from shared.tables.missing import MISSING, NO_DAY, NO_VALUE
from shared.tables.number_forms import CURRENCY, LAKHS


class CellShape(StrEnum):
    """The shapes of cells. `_THREE` has three digits behind its only mark, so that it may part thousands."""

    INTEGER = "integer"
    PHONE = "phone"
    BIG = "big"
    CODE = "code"
    POINT = "point"
    POINT_THREE = "point_three"
    EXPONENT = "exponent"
    COMMA = "comma"
    COMMA_THREE = "comma_three"
    GROUPS_COMMA = "groups_comma"
    GROUPS_POINT = "groups_point"
    GROUPS_BLANK = "groups_blank"
    GROUPS_APOSTROPHE = "groups_apostrophe"
    NOT_FINITE = "not_finite"
    BOOLEAN = "boolean"
    ISO = "iso"
    ZONED = "zoned"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    DAY_OR_MONTH_FIRST = "day_or_month_first"
    OTHER_DATE = "other_date"
    PART_OF_DATE = "part_of_date"
    NO_VALUE = "no_value"
    CENSORED = "censored"
    WORD = "word"


NUMBERS = frozenset(
    {
        CellShape.INTEGER,
        CellShape.PHONE,
        CellShape.POINT,
        CellShape.POINT_THREE,
        CellShape.EXPONENT,
        CellShape.COMMA,
        CellShape.COMMA_THREE,
    }
    | {
        CellShape.GROUPS_COMMA,
        CellShape.GROUPS_POINT,
        CellShape.GROUPS_BLANK,
        CellShape.GROUPS_APOSTROPHE,
        CellShape.NOT_FINITE,
    }
)
DATES = frozenset(
    {
        CellShape.ISO,
        CellShape.ZONED,
        CellShape.DAY_FIRST,
        CellShape.MONTH_FIRST,
        CellShape.DAY_OR_MONTH_FIRST,
        CellShape.OTHER_DATE,
    }
)


class Look(NamedTuple):
    """The shape of a cell, and what is around its number: `percent`, or a currency as it is written."""

    shape: CellShape
    around: str = ""


_BLANK = r"[ \u00a0\u202f\u2009]"
_GROUPS_POINT = r"[1-9]\d{0,2}(?:(?:\.\d{3}){2,}(?:,\d*)?|\.\d{3},\d*)"
_GROUPS_COMMA = rf"(?:[1-9]\d{{0,2}}(?:(?:,\d{{3}}){{2,}}(?:\.\d*)?|,\d{{3}}\.\d*)|(?!0){LAKHS}(?:\.\d*)?)"
# Each alternative has the name of a shape; the first that takes the whole cell wins.
_SHAPES = re.compile(
    rf"""
    (?P<integer>[+-]?(?:0|[1-9]\d{{0,17}}))
    | (?P<big>[+-]?[1-9]\d{{18,}})
    | (?P<iso>\d{{4}}-\d\d-\d\d(?:[ Tt]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?)?)
    | (?P<zoned>\d{{4}}-\d\d-\d\d[ Tt]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?\s?(?:{ZONE}))
    | (?P<point_three>[+-]?[1-9]\d{{0,2}}\.\d{{3}})
    | (?P<comma_three>[+-]?[1-9]\d{{0,2}},\d{{3}})
    | (?P<exponent>[+-]?\d+[eE][+-]?\d+)
    | (?P<point>[+-]?(?:(?:0|[1-9]\d*)\.\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<comma>[+-]?(?:(?:0|[1-9]\d*),\d*|,\d+)(?:[eE][+-]?\d+)?)
    | (?P<groups_comma>[+-]?{_GROUPS_COMMA})
    | (?P<groups_point>[+-]?{_GROUPS_POINT})
    | (?P<groups_blank>[+-]?[1-9]\d{{0,2}}(?:{_BLANK}\d{{3}})+(?:[.,]\d*)?)
    | (?P<groups_apostrophe>[+-]?[1-9]\d{{0,2}}(?:['\u2019]\d{{3}})+(?:[.,]\d*)?)
    | (?P<part_of_date>\d{{4}}-\d\d|\d{{1,2}}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\ ?(?i:[ap]m))?
        |\d{{1,2}}([./-])\d{{1,2}}\15\d\d|\d\d?[ -][A-Za-z]{{3,9}}[ -]\d\d)
    | (?P<day_or_month_first>\d{{1,2}}([/-])\d{{1,2}}\17\d{{4}}.*)
    | (?P<other_date>\d{{4}}([/.-])\s?\d{{1,2}}\19\s?\d{{1,2}}.*|\d{{1,2}}\.\d{{1,2}}\.\d{{4}}.*|\d{{4}}[年년].*
        |(?:\d\d?[. /-]?\s*)?[A-Za-z]{{3,9}}\b.*\d{{4}}.*|\d\d?[A-Za-z]{{3}}\d{{4}}.*)
    | (?P<code>[+-]?0\d[\d.,+-]*)
    | (?P<censored>[<>\u2264\u2265~]=?\s*[+-]?\d[\d.,]*)
    """,
    re.VERBOSE | re.DOTALL,
)
_DIGIT = re.compile(r"\d")
_WORDS = {"true": CellShape.BOOLEAN, "false": CellShape.BOOLEAN} | dict.fromkeys(
    ("inf", "infinity", "nan"), CellShape.NOT_FINITE
)
_PHONE = re.compile(r"\+\d{7,15}")
_PERCENT = re.compile(rf"([^%]*\d){_BLANK}*%")
_CURRENCY_PATTERN = re.sub(r"\\x\{([0-9A-Fa-f]+)\}", lambda found: f"\\u{int(found[1], 16):04x}", CURRENCY)
_CURRENCY = re.compile(
    rf"([+-]?){_BLANK}*(?P<before>{_CURRENCY_PATTERN})?{_BLANK}*([+-]?[\d.,].*?){_BLANK}*(?P<after>{_CURRENCY_PATTERN})?"
)
_PARENTHESES = re.compile(r"\(\s*([^-+()]*)\)")
_GAPS = frozenset((*MISSING, *NO_VALUE, *NO_DAY))
_LARGEST = 2**63 - 1
# No number with a sign around it has more characters, and the patterns are slow where many blanks are within.
_LONGEST_SIGNED = 64


@lru_cache(maxsize=65_536)
def look_of(text: str) -> Look:
    """What a cell without blanks around it looks like."""
    if text in _GAPS:
        return Look(CellShape.NO_VALUE)
    if _DIGIT.search(text) is None:
        return Look(_WORDS.get(text.lower().lstrip("+-"), CellShape.WORD))
    shape = _shape(text)
    if shape is not CellShape.WORD or len(text) > _LONGEST_SIGNED:
        return Look(shape)
    plain = text.replace("\N{MINUS SIGN}", "-")
    if found := _PARENTHESES.fullmatch(plain):
        plain = f"-{found[1].strip()}"
    if plain != text and (shape := _shape(plain)) in NUMBERS:
        return Look(shape)
    return _undressed(plain)


def _undressed(text: str) -> Look:
    """A number in percent or with a currency; else a word."""
    if (found := _PERCENT.fullmatch(text)) and (shape := _shape(found[1])) in NUMBERS:
        return Look(shape, "percent")
    if (found := _CURRENCY.fullmatch(text.removeprefix("-"))) and (found["before"] or found["after"]):
        shape = _shape(found[3].removeprefix("+").removeprefix("-"))
        if shape in NUMBERS:
            return Look(shape, found["before"] or found["after"])
    return Look(CellShape.WORD)


def _shape(text: str) -> CellShape:
    found = _SHAPES.fullmatch(text)
    if found is None:
        return CellShape.WORD
    # The group that was closed last is the one around all others.
    shape = CellShape(str(found.lastgroup))
    if shape is CellShape.INTEGER:
        return CellShape.PHONE if _PHONE.fullmatch(text) else shape
    if shape is CellShape.BIG:
        return CellShape.INTEGER if -_LARGEST - 1 <= int(text[:40]) <= _LARGEST and len(text) <= 40 else shape
    if shape is CellShape.POINT and text in {".", "+.", "-."}:
        return CellShape.WORD
    return _dated(text, shape) if shape in DATES else shape


def _dated(text: str, shape: CellShape) -> CellShape:
    """The shape of a date that a calendar has."""
    if shape is not CellShape.DAY_OR_MONTH_FIRST:
        # The order matters only where both are numbers, with dots between them.
        is_date = _is_moment(text, "dmy") or (text[0].isdigit() and _is_moment(text, "mdy"))
        return shape if is_date else CellShape.WORD
    match _is_moment(text, "dmy"), _is_moment(text, "mdy"):
        case True, True:
            return shape
        case True, False:
            return CellShape.DAY_FIRST
        case False, True:
            return CellShape.MONTH_FIRST
        case _:
            return CellShape.WORD


def _is_moment(text: str, form: str) -> bool:
    try:
        moment_of(text, form)
    except (ValueError, OverflowError):
        return False
    return True
