"""Words that a person takes for numbers, dates or times, in forms that are not read."""

import re

from shared.tables.evidence import Evidence
from shared.tables.findings import FindingCode
from shared.tables.notes import Note, first_of, shown
from shared.tables.shapes import CellShape, look_of

_LONGEST = 48
# Codes such as 12A have many letters behind their numbers, measures few.
_MOST_UNITS = 3

_MARKED = r"(?:\d{1,3}(?:[.,'\u2019\u00a0\u202f ]\d{2,3})+(?:[.,]\d+)?|\d+[.,]\d+)"
_MEASURE = re.compile(
    rf"""
    [+-]?(?:{_MARKED}|\d+)\s*(?P<unit>[^\d\s.,:/+-][^\d\s]{{0,11}}|-|\.?--)
    | (?:[^\W\d]{{1,5}}(?:\.\s*|\s+)|[^\w\s]\s*)\(?{_MARKED}\)?
    | [+-]\ \d+ | [^\w\s]\s*-
    """,
    re.VERBOSE,
)
_OTHER_DIGITS = re.compile(r"[+-]?\d[\d.,\u066b\u066c]*")
# In English, German, French, Spanish and Italian.
_MONTH = (
    "jan(?:uary|uar|v|vier)?|ene(?:ro)?|gen(?:naio)?|feb(?:ruary|ruar|rero|braio)?|f[ée]v(?:r|rier)?|m[aä]r(?:ch|z|zo|s)?"
    "|a[pvb]r(?:il|ile)?|ma[iy]o?|mag(?:gio)?|ju[nl][eyi]?o?|juin|juil(?:let)?|giu(?:gno)?|lug(?:lio)?|aug(?:ust)?"
    "|ago(?:sto)?|ao[uû]t|sept?(?:ember|embre|iembre)?|set(?:tembre)?|o[ck]t(?:ober|obre|ubre)?|ott(?:obre)?"
    "|nov(?:ember|embre|iembre)?|d[ée][cz](?:ember|embre)?|dic(?:iembre|embre)?"
)
_DATE = re.compile(
    rf"""
    \d{{4}}[-/\ ]?(?:Q|T|W|KW|H)-?\d\d?
    | (?:Q|T|W|KW|H)\d\d?[-/\ ]\d{{2,4}}
    | \d{{4}}-\d\d-\d\d.*
    | \d{{8}}T\d{{4,6}}.*
    | (?:.*[^a-z])?(?:{_MONTH})(?:[^a-z].*)?\d\d.*
    | \d{{4}}[./]\ ?\d\d?[./]\ ?\d\d?.*
    | P(?:\d+[YMWD])+(?:T(?:[\d.]+[HMS])+)?
    | PT(?:[\d.]+[HMS])+
    | -?\d+\ days?.*
    | \d+:\d\d(?::\d\d.*)?
    """,
    re.VERBOSE | re.IGNORECASE,
)


def note_of_words(evidence: Evidence) -> Note | None:
    """A note if most words of a column are numbers, dates or times in a form that is not read."""
    words = {text: count for text, count in evidence.odd.items() if len(text) <= _LONGEST}
    most = evidence.odd.total() / 2
    dates = {text: count for text, count in words.items() if _is_date(text)}
    if sum(dates.values()) > most:
        return _note(
            FindingCode.NEARLY_DATES,
            evidence,
            dates,
            "only part of a date or a time, or in a form that is not read",
            "Write whole dates, such as 2026-01-31, to have them read",
        )
    units = {text: found["unit"] for text in words if (found := _MEASURE.fullmatch(text))}
    measures = {text: words[text] for text in units}
    if sum(measures.values()) > most and len(set(units.values())) <= _MOST_UNITS:
        what, fix = "a number with something around it", "Write the number alone to have it read"
        return _note(FindingCode.NEARLY_NUMERIC, evidence, measures, what, fix)
    digits = {text: count for text, count in words.items() if _OTHER_DIGITS.fullmatch(text) and not text.isascii()}
    if sum(digits.values()) > most:
        what, fix = "a number in other digits than 0 to 9", "Write it with these to have it read"
        return _note(FindingCode.NEARLY_NUMERIC, evidence, digits, what, fix)
    return None


def _is_date(text: str) -> bool:
    return look_of(text).shape is CellShape.PART_OF_DATE or _DATE.fullmatch(text) is not None


def _note(code: FindingCode, evidence: Evidence, found: dict[str, int], what: str, fix: str) -> Note:
    first, row = first_of(evidence, found)
    # Of very many different words, only the first ones are known.
    is_whole = evidence.odd.total() + evidence.no_values.total() >= evidence.present
    detail = f"Cells such as {shown(first)} are kept as they are written: each is {what}. {fix}."
    return Note(code, row, sum(found.values()) if is_whole else None, detail)
