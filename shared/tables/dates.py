"""Dates and times as people write them."""

import re
from datetime import datetime, timedelta

_CLOCK = r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_CLOCK}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_CLOCK}")
_DAY_MONTH = re.compile(rf"(\d{{1,2}})[. -]\s*([A-Za-z]{{3,9}})\.?[, -]\s*(\d{{4}}){_CLOCK}")
_MONTH_DAY = re.compile(rf"([A-Za-z]{{3,9}})\.?[ -](\d{{1,2}})(?:st|nd|rd|th)?,?[ -]\s*(\d{{4}}){_CLOCK}")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def moment_of(text: str | None, form: str | None) -> datetime | None:
    """The moment in UTC, without a zone, that a date spells; None where nothing is spelled.

    The year comes first or last, or the month has its English name. `form` says whether the day ("dmy") or the month
    ("mdy") comes first where both are numbers; dots stand for the day first.

    Raises:
        ValueError: when it is not a date, or has no one reading.
    """
    if text is None:
        return None
    if found := _YEAR_FIRST.fullmatch(text):
        year, _, month, day, *clock = found.groups()
        return _moment(year, month, day, clock)
    if found := _COMPACT.fullmatch(text):
        return _moment(found[1], found[2], found[3], [])
    if found := _YEAR_LAST.fullmatch(text):
        first, mark, second, year, *clock = found.groups()
        order = "dmy" if mark == "." and form is None else form
        if order is None:
            raise ValueError("day and month may be meant either way")
        day, month = (first, second) if order == "dmy" else (second, first)
        return _moment(year, month, day, clock)
    if found := _DAY_MONTH.fullmatch(text):
        day, name, year, *clock = found.groups()
        return _moment(year, _month(name), day, clock)
    if found := _MONTH_DAY.fullmatch(text):
        name, day, year, *clock = found.groups()
        return _moment(year, _month(name), day, clock)
    raise ValueError("not a date")


def _month(name: str) -> str:
    word = name.lower()
    for number, month in enumerate(_MONTHS, start=1):
        if word in {month, month[:3], "sept" if number == 9 else month}:
            return str(number)
    raise ValueError("not a month")


def _moment(year: str, month: str, day: str, clock: list[str | None]) -> datetime:
    hour, minute, second, fraction, half, zone = clock or [None] * 6
    hours = int(hour or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            raise ValueError("not an hour of half a day")
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    parts = (int(year), int(month), int(day), hours, int(minute or 0), int(second or 0))
    # A table keeps UTC, without a zone.
    moment = datetime(*parts, int((fraction or "").ljust(6, "0")))  # noqa: DTZ001
    if zone and zone != "Z":
        sign = -1 if zone[0] == "-" else 1
        moment -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return moment
