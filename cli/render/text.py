"""Values as people read them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

# What stands in a preview where a row has no value.
MISSING = "missing"

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
_SIZES = ("B", "kB", "MB", "GB", "TB")


def clean(text: str) -> str:
    """A text without characters that would steer a terminal; line breaks and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def json_text(document: Any, *, indent: int | None) -> str:
    """A document as JSON, with escapes for what would steer a terminal. It stays the same document."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    # Such characters are in strings only: outside of them there are blanks and line breaks.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def cell(value: Any) -> str:
    """A value in a table, on one line; numbers have all their digits."""
    return _on_one_line(value, json.dumps)


def rounded(value: Any) -> str:
    """A measure in a table: as `cell`, with the digits that matter to a reader."""
    return _on_one_line(value, _rounded)


def data_text(value: Any) -> str:
    """A value of a dataset, exactly: no two values look the same, except for a text that looks like a number.

    In quotes and with escapes, as in JSON, are texts that nobody would see or that would be taken for something else.
    """
    if value is None:
        return MISSING
    if isinstance(value, str) and value.strip() and not _is_misread(value):
        return value
    return json_text(value, indent=None)


def _is_misread(text: str) -> bool:
    return text == MISSING or text != text.strip() or text.startswith('"') or not text.isprintable()


def _on_one_line(value: Any, number: Callable[[float], str]) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return ", ".join(_on_one_line(part, number) for part in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}={_on_one_line(part, number)}" for name, part in value.items()) or "-"
    return clean(str(value)).replace("\n", "\\n").replace("\t", " ")


def _rounded(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def size(count: int) -> str:
    """A number of bytes."""
    value = float(count)
    for unit in _SIZES:
        if value < 1000 or unit == _SIZES[-1]:
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"


def moment(text: str | None) -> str:
    """A time of the API, in the zone of the reader."""
    return "-" if text is None else datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def stamp(text: str) -> str:
    """A time of the API as it stands before the lines of a log: in UTC, to the millisecond."""
    return datetime.fromisoformat(text).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def age(text: str) -> str:
    """How long ago a time of the API was: `3 min`."""
    seconds = max(0.0, (datetime.now(UTC) - datetime.fromisoformat(text)).total_seconds())
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def duration(start: str | None, end: str | None) -> str:
    """The time between two times of the API."""
    if start is None or end is None:
        return "-"
    return f"{(datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds():.1f} s"


def count(amount: int, noun: str) -> str:
    """A number of things: `1 row`, `1,200 rows`."""
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"
