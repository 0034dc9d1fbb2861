"""From the values of one name in JSON to an Arrow array."""

import json
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.floats import EXACT, is_rounded


class Nested(Exception):
    """A value is an object or an array."""


class Overflow(Exception):
    """A number is larger than every float."""


def change_of_type(values: list[Any]) -> int | None:
    """Where a value has another type than those before it; whole and other numbers are alike."""
    first = None
    for place, value in enumerate(values):
        if value is None:
            continue
        kind = float if type(value) is int else type(value)
        first = first or kind
        if kind is not first:
            return place
    return None


def array_of(values: list[Any], *, exact: bool) -> pa.Array:
    """The values as one Arrow array of their common type, as JSON texts if they have none.

    `exact` makes texts of integers of more than 64 bits, too.

    Raises:
        UnicodeEncodeError: for a string that is not Unicode.
        Nested: for an object or an array.
        Overflow: for a number beyond all floats.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds & {list, tuple}:
        raise Nested
    if not kinds:
        return pa.nulls(len(values))
    if kinds <= {int, float}:
        return _numbers(values, kinds, exact=exact)
    if len(kinds) > 1:
        if not all(map(is_finite, values)):
            raise Overflow
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
        return pa.array(values, pa.string())
    return pa.array(values, pa.bool_() if kinds == {bool} else pa.string())


def _numbers(values: list[Any], kinds: set[type], *, exact: bool) -> pa.Array:
    try:
        array = pa.array(values, pa.int64() if kinds == {int} else pa.float64())
    except (OverflowError, pa.ArrowInvalid):
        # A whole number that is too large. Beside fractions, the nearest float is all that JSON promises; where it
        # differs, it is counted as rounded.
        if not all(map(is_finite, values)):
            raise Overflow from None
        if exact and kinds == {int}:
            return pa.array([None if value is None else str(value) for value in values], pa.string())
        array = pa.array([None if value is None else float(value) for value in values], pa.float64())
    if not pc.all(pc.is_finite(array), min_count=0).as_py():
        raise Overflow
    return array


def is_rounded_integer(value: Any) -> bool:
    """Whether a float has not all digits of an integer."""
    return type(value) is int and abs(value) > EXACT and is_rounded(Decimal(value), float(value))


def is_finite(value: Any) -> bool:
    """Whether a value is no number beyond all floats."""
    try:
        return not isinstance(value, int | float) or math.isfinite(value)
    except OverflowError:
        return False
