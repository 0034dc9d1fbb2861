"""Single values of an input: which JSON values a column takes, and what to say about the others."""

import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

from shared.estimators.signature import InputColumn
from shared.tables.controls import find_control

_SHOWN = 40

# Says what is wrong with a value that is there; None when nothing is.
Check = Callable[[Any], str | None]
# The text that a number is taken as, and whether it is one that the training met, as far as that is known.
Spelling = Callable[[float], tuple[str, bool]]


def check_of(column: InputColumn) -> Check:
    """The check for the cells of a column; a column that the model leaves aside takes anything."""
    if not column.used:
        return _anything
    texts = all(isinstance(category, str) for category in column.categories or [])
    check = _CHECKS.get(column.kind, _text_or_number if texts else _word_or_number)
    # Categories with control characters, which an earlier release took in tables and this one refuses.
    known = [category for category in column.categories or [] if isinstance(category, str) and find_control(category)]
    return (lambda value: None if value in known else check(value)) if known else check


def text_of_number(column: InputColumn) -> Spelling | None:
    """How to turn numbers into texts of a column, telling if the training met them; None where they stay numbers."""
    if not column.used or column.kind in _CHECKS:
        return None
    categories = column.categories or []
    if not all(isinstance(category, str) for category in categories):
        return None
    known = frozenset(categories)

    def spell(number: float) -> tuple[str, bool]:
        written = str(number)
        # 3 and 3.0 are one number in JSON, and two texts in a table.
        whole = str(int(number)) if number == int(number) else written
        for text in (written, whole, f"{whole}.0"):
            if text in known:
                return text, True
        return whole, column.all_categories is None

    return spell


def short(text: str) -> str:
    """A text as it may be repeated in a sentence."""
    whole = text[:_SHOWN].encode(errors="replace").decode()
    return f"{whole}…" if len(text) > _SHOWN else whole


def shown(value: Any) -> str:
    """A value as it may be repeated in a sentence: named, short, and never half a character."""
    if isinstance(value, str):
        return f"the text '{short(value)}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_SHOWN else "an integer of more than 40 digits"
    return "a list" if isinstance(value, list) else "an object"


def _number(value: Any) -> str | None:
    # Integer columns take fractions too: the model computes with floating point numbers anyway.
    if type(value) is float:
        return None if math.isfinite(value) else f"{value} is not a finite number"
    if type(value) is not int:
        return f"{shown(value)} is not a number"
    try:
        float(value)
    except OverflowError:
        return f"{shown(value)} is too large"
    return None


def _boolean(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"{shown(value)} is neither true nor false"


def _word(value: Any) -> str | None:
    if not isinstance(value, str):
        return f"{shown(value)} is not a text"
    # No table holds it, so no model has learnt anything of it.
    control = find_control(value)
    return control and f"the text holds {control.name}, which no table here can hold"


def _text_or_number(value: Any) -> str | None:
    return _number(value) if type(value) in {int, float} else _word(value)


def _word_or_number(value: Any) -> str | None:
    return _word(value) if isinstance(value, str) else None if isinstance(value, bool) else _number(value)


def not_a_moment(text: str) -> str:
    """What is wrong with a text that should be a date or time."""
    return f"{shown(text)} is not a date or time such as '2026-01-31' or '2026-01-31T12:00:00Z'"


def _moment(value: Any) -> str | None:
    if isinstance(value, datetime):
        return None
    if not isinstance(value, str):
        return f"{shown(value)} is not a date or time as text"
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return not_a_moment(value)
    return None


def _anything(value: Any) -> str | None:
    del value
    return None


# A column of another kind holds texts.
_CHECKS: dict[str, Check] = {
    "integer": _number,
    "number": _number,
    "boolean": _boolean,
    "datetime": _moment,
}
