"""Dates and times as people write them."""

import re
from datetime import datetime, timedelta

# How a time zone may be written behind a clock.
ZONE = r"[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?"
_CLOCK = (
    r"(?:[ Tt:]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6})\d*)?)?"
    rf"\s*(?P<half>[AaPp][Mm])?\s*(?P<zone>{ZONE})?)?"
)
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?\s+)?"
_DAY_NAME_YEAR = r"(?P<day>\d{1,2})[. /-]?\s*(?P<name>[A-Za-z]{3,9})\.?[, /-]?\s*(?P<year>\d{4})"
_NAME_DAY_YEAR = r"(?P<name>[A-Za-z]{3,9})\.?[ -](?P<day>\d{1,2})(?:st|nd|rd|th)?,?[ -]\s*(?P<year>\d{4})"
_FORMS = (
    re.compile(rf"(?P<year>\d{{4}})([-/.])\s?(?P<month>\d{{1,2}})\2\s?(?P<day>\d{{1,2}})\.?{_CLOCK}"),
    re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"),
    re.compile(rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_CLOCK}"),
    re.compile(rf"{_WEEKDAY}{_DAY_NAME_YEAR}{_CLOCK}"),
    re.compile(rf"{_WEEKDAY}{_NAME_DAY_YEAR}{_CLOCK}"),
    # As in China, Japan and Korea.
    re.compile(rf"(?P<year>\d{{4}})[年년]\s?(?P<month>\d{{1,2}})[月월]\s?(?P<day>\d{{1,2}})[日일]{_CLOCK}"),
)
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
    found = next(filter(None, (pattern.fullmatch(text) for pattern in _FORMS)), None)
    if found is None:
        raise ValueError("not a date")
    return _moment(found.groupdict(), form)


def _month(name: str) -> str:
    word = name.lower()
    for number, month in enumerate(_MONTHS, start=1):
        if word in {month, month[:3], "sept" if number == 9 else month}:
            return str(number)
    raise ValueError("not a month")


def _month_and_day(parts: dict[str, str], form: str | None) -> tuple[str, str]:
    if "name" in parts:
        return _month(parts["name"]), parts["day"]
    if "first" not in parts:
        return parts["month"], parts["day"]
    order = "dmy" if parts["mark"] == "." and form is None else form
    if order is None:
        raise ValueError("day and month may be meant either way")
    return (parts["other"], parts["first"]) if order == "dmy" else (parts["first"], parts["other"])


def _moment(parts: dict[str, str], form: str | None) -> datetime:
    month, day = _month_and_day(parts, form)
    hour, minute, second = (int(parts.get(part) or 0) for part in ("hour", "minute", "second"))
    half, zone = parts.get("half"), parts.get("zone")
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError("not an hour of half a day")
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    microseconds = int((parts.get("fraction") or "").ljust(6, "0"))
    # A table keeps UTC, without a zone.
    moment = datetime(int(parts["year"]), int(month), int(day), hour, minute, second, microseconds)  # noqa: DTZ001
    if zone and zone[0] in "+-":
        sign = -1 if zone[0] == "-" else 1
        moment -= sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:].removeprefix(":") or 0))
    return moment
