"""From cells to typed values, one chunk of one column at a time.

Both the check of an upload and the later reading of the table go through `convert`, which is why they agree.
"""

import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.columns import ColumnKind
from shared.tables.missing import MISSING
from shared.tables.moments import MOMENT, in_microseconds

ARROW = {
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.CATEGORY: pa.string(),
    ColumnKind.TEXT: pa.string(),
    ColumnKind.DATETIME: MOMENT,
}

_WITH_COMMA = r"^-?\d+(,\d+)?$"

STRINGS = frozenset({ColumnKind.CATEGORY, ColumnKind.TEXT})


def convert(cells: pa.Array, kind: ColumnKind, *, typed: bool, decimal_comma: bool = False) -> pa.Array:
    """The cells as values of a kind, null where missing.

    `typed` says that the file itself tells strings from numbers; else each cell is a string that may spell anything,
    and with `decimal_comma` 1,5 is a number too if no cell is written with a point.

    Raises:
        pa.ArrowInvalid: when a cell is not of that kind.
    """
    if cells.null_count == len(cells):
        # Cells without any value fit every kind, whatever their type.
        return pa.nulls(len(cells), ARROW[kind])
    if cells.type == ARROW[kind] and (typed or kind not in STRINGS):
        return finite(cells) if kind is ColumnKind.NUMBER else cells
    if not pa.types.is_string(cells.type):
        return _recast(cells, kind)
    if typed and kind is not ColumnKind.DATETIME:
        raise pa.ArrowInvalid("a string of a typed file is a string")
    return without_blanks(cells) if kind in STRINGS else _read(cells, kind, typed=typed, decimal_comma=decimal_comma)


def without_blanks(cells: pa.Array) -> pa.Array:
    """The strings with null for those that are a marker of a missing value, or blank, once trimmed."""
    trimmed = pc.utf8_trim_whitespace(cells)
    # A marker is short; comparing lengths first spares the look-up of nearly every text.
    suspects = pc.less_equal(pc.binary_length(trimmed), max(map(len, MISSING)))
    if not pc.any(suspects).as_py():
        return cells
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), cells)


def finite(numbers: pa.Array) -> pa.Array:
    """The numbers with null for infinities and NaN: no estimator takes them and JSON cannot say them."""
    good = pc.is_finite(numbers)
    if pc.all(good, min_count=0).as_py():
        return numbers
    return pc.if_else(good, numbers, pa.scalar(None, pa.float64()))


def _all_match(cells: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(cells, pattern), min_count=0).as_py())


def _recast(cells: pa.Array, kind: ColumnKind) -> pa.Array:
    """Typed values as another kind: whole numbers as numbers, anything as text."""
    whole_as_number = kind is ColumnKind.NUMBER and pa.types.is_integer(cells.type)
    if whole_as_number or kind in STRINGS:
        return pc.cast(cells, ARROW[kind], safe=not whole_as_number)
    raise pa.ArrowInvalid(f"{cells.type} is not {kind}")


def _read(cells: pa.Array, kind: ColumnKind, *, typed: bool, decimal_comma: bool) -> pa.Array:
    """The values that strings spell."""
    try:
        return _parse(cells, kind)
    except pa.ArrowInvalid:
        # Blanks around numbers are common and rarely matter; looking for them first would cost more.
        if typed:
            raise
    trimmed = pc.utf8_trim_whitespace(without_blanks(cells))
    try:
        return _parse(trimmed, kind)
    except pa.ArrowInvalid:
        if kind is not ColumnKind.NUMBER or not decimal_comma or not _all_match(trimmed, _WITH_COMMA):
            raise
        return finite(pc.cast(pc.replace_substring(trimmed, ",", ".", max_replacements=1), pa.float64()))


def _parse(cells: pa.Array, kind: ColumnKind) -> pa.Array:
    if kind is ColumnKind.INTEGER:
        # Arrow would take 0x10 for sixteen.
        if pc.any(pc.match_substring(cells, "x", ignore_case=True)).as_py():
            raise pa.ArrowInvalid("hexadecimal")
        return pc.cast(cells, pa.int64())
    if kind is ColumnKind.NUMBER:
        return finite(pc.cast(cells, pa.float64()))
    if kind is ColumnKind.BOOLEAN:
        lower = pc.ascii_lower(cells)
        if not pc.all(pc.is_in(lower, value_set=pa.array(["true", "false", None])), min_count=0).as_py():
            raise pa.ArrowInvalid("not a boolean")
        return pc.equal(lower, "true")
    return _moments(cells)


def _moments(cells: pa.Array) -> pa.Array:
    for kind in (MOMENT, pa.timestamp("us", "UTC"), pa.timestamp("ns")):
        try:
            parsed = pc.cast(cells, kind)
        except pa.ArrowInvalid:
            continue
        return in_microseconds(parsed)
    raise pa.ArrowInvalid("not a moment")
