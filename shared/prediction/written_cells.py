"""From the text of a cell to the JSON value that the model's signature asks for: as the catalog reads such a cell."""

import math
import re
from collections.abc import Callable
from typing import Any

from shared.estimators.signature import InputColumn
from shared.tables.missing import is_missing

Convert = Callable[[str], Any]

_WITH_COMMA = re.compile(r"-?\d+(,\d+)?")
_WHOLE = re.compile(r"[+-]?\d{1,18}")


class WrongCell(Exception):
    """The text is not a value that the column takes; the sentence says why."""


class NotFinite(Exception):
    """The text is a number as the catalog reads it, but infinite or none; the sentence says so.

    In training such a cell counts as missing.
    """


def converter(column: InputColumn, *, decimal_comma: bool) -> Convert:
    """How to read the cells of one input of a signature; raises WrongCell and NotFinite.

    With `decimal_comma`, 1,5 is a number too: it is where the delimiter is not a comma.
    """
    if not column.used:
        return _leave_out
    kind = column.kind
    if kind in {"integer", "number"}:
        return _present(lambda text: _number(text, decimal_comma=decimal_comma))
    if kind == "boolean":
        return _present(_boolean)
    if kind == "category":
        return _present(_category(column.categories or []))
    if kind == "datetime":
        return _present(str.strip)
    return _present(str)


def _present(convert: Convert) -> Convert:
    return lambda text: None if is_missing(text) else convert(text)


def _leave_out(_text: str) -> None:
    return None


def _number(text: str, *, decimal_comma: bool) -> float | int:
    text = text.strip()
    if _WHOLE.fullmatch(text):
        return int(text)
    if decimal_comma and _WITH_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        # Python would take 1_000, which the catalog does not.
        value = float(text.replace("_", "?"))
    except ValueError:
        raise WrongCell(f"'{text[:40]}' is not a number") from None
    if not math.isfinite(value):
        raise NotFinite(f"'{text[:40]}' is {'not a number' if math.isnan(value) else 'infinite or too large'}")
    return value


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in {"true", "false"}:
        raise WrongCell(f"'{text[:40]}' is neither true nor false")
    return word == "true"


def _category(categories: list[Any]) -> Convert:
    """Texts, unless the training table held numbers or booleans: then the ones that are written like this."""
    values = {str(value).lower() if isinstance(value, bool) else str(value): value for value in categories}
    if all(isinstance(value, str) for value in categories):
        return str
    return lambda text: values.get(text.strip(), values.get(text.strip().lower(), text))
