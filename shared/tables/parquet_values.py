"""From the values of a Parquet column to those that tables are made of here.

Nothing changes in silence: a value is kept as it is, or counted as rounded, or its file is refused.
"""

from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import InvalidTable
from shared.tables.controls import PATTERN, find_control
from shared.tables.floats import count_rounded
from shared.tables.moments import count_finer, first_outside, in_microseconds

# Decimals of up to so many digits never share a float.
_DIGITS_OF_FLOATS = 15


class Kept(NamedTuple):
    """Cells as a table has them, and how many of them are not kept to the last digit."""

    cells: pa.Array
    rounded: int = 0


class Unfit(Exception):
    """A value that no table here can hold: where it is among its cells, what it is, and how to fix it."""

    def __init__(self, position: int, what: str, hint: str) -> None:
        super().__init__(what)
        self.position = position
        self.what = what
        self.hint = hint


# Raises Unfit.
Keep = Callable[[pa.Array], Kept]


def keep_of(name: str, kind: pa.DataType, *, exact: bool = True) -> Keep:
    """The conversion for the cells of a column whose values are of this type.

    `exact` keeps integers of more than 63 bits as text; the first rules made floats of them.

    Raises:
        InvalidTable: when they are not plain numbers, booleans, strings, dates or moments.
    """
    if pa.types.is_dictionary(kind):
        keep = keep_of(name, kind.value_type, exact=exact)
        return lambda cells: keep(cells.dictionary_decode())
    found = next((keep for is_of, keep in _KEEPS if is_of(kind)), None)
    if found is None:
        raise InvalidTable(
            f"Column '{name}' holds values of type {kind}, which are not plain numbers, booleans, strings, dates or "
            "moments. Flatten, convert or drop the column.",
            errors=[{"loc": ["file", name], "msg": f"type {kind}"}],
        )
    whole = pa.types.is_uint64(kind) or (pa.types.is_decimal(kind) and kind.scale == 0)
    return _whole_numbers if exact and whole else found


def check_controls(cells: pa.Array) -> None:
    """Raise Unfit for the first of some strings that holds a control character."""
    position = pc.index(pc.match_substring_regex(cells, PATTERN), value=True).as_py()
    if position >= 0 and (control := find_control(cells[position].as_py())):
        raise Unfit(position, control.name, "Remove or replace all such characters.")


def _as_they_are(cells: pa.Array) -> Kept:
    return Kept(cells)


def _integers(cells: pa.Array) -> Kept:
    return Kept(pc.cast(cells, pa.int64()))


def _floats(cells: pa.Array) -> Kept:
    numbers = pc.cast(cells, pa.float64())
    # NaN is how most programs write a missing number here.
    return Kept(pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers))


def _exact_numbers(cells: pa.Array) -> Kept:
    """Decimals, and integers that may be beyond 64 bits: integers if they can be, else the nearest floats."""
    if pa.types.is_integer(cells.type) or cells.type.scale <= 0:
        try:
            return _integers(cells)
        except pa.ArrowInvalid:
            # One is too large.
            pass
    spelled = pc.cast(cells, pa.string())
    # By way of the spelling, because the cast from decimals does not find the nearest float.
    numbers = pc.cast(spelled, pa.float64())
    digits = pc.utf8_trim(pc.replace_substring(spelled, ".", ""), characters="-0")
    long = pc.fill_null(pc.greater(pc.utf8_length(digits), _DIGITS_OF_FLOATS), False)
    return Kept(numbers, count_rounded(spelled.filter(long), numbers.filter(long)))


def _whole_numbers(cells: pa.Array) -> Kept:
    """Integers, as text where one is beyond 64 bits."""
    try:
        return _integers(cells)
    except pa.ArrowInvalid:
        return Kept(pc.cast(cells, pa.string()))


def _strings(cells: pa.Array) -> Kept:
    texts = pc.cast(cells, pa.string())
    try:
        # Nobody has looked at their bytes so far.
        texts.validate(full=True)
    except pa.ArrowInvalid:
        raise Unfit(_first_broken(texts), "text that is not UTF-8", "Write the text as UTF-8.") from None
    return Kept(texts)


def _first_broken(texts: pa.Array) -> int:
    for position, cell in enumerate(texts.cast(pa.binary())):
        try:
            (cell.as_py() or b"").decode()
        except UnicodeDecodeError:
            return position
    raise AssertionError("the texts were refused for one that is not UTF-8")


def _moments(cells: pa.Array) -> Kept:
    position = first_outside(cells)
    if position is not None:
        raise Unfit(position, "a date or time outside of the years 1 to 9999", "Write null where there is no value.")
    return Kept(in_microseconds(cells), count_finer(cells))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


# The first entry that takes a type is used.
_KEEPS: tuple[tuple[Callable[[pa.DataType], bool], Keep], ...] = (
    (pa.types.is_boolean, _as_they_are),
    (pa.types.is_null, _as_they_are),
    (pa.types.is_uint64, _exact_numbers),
    (pa.types.is_decimal, _exact_numbers),
    (pa.types.is_integer, _integers),
    (pa.types.is_floating, _floats),
    (_is_text, _strings),
    (pa.types.is_timestamp, _moments),
    (pa.types.is_date, _moments),
)
