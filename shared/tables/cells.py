"""The one reader of cells: what training made of a cell, a prediction makes of it, too.

A cell is a string of a text file or of a request. Values of Parquet and JSON that are no strings need no reading.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from shared.tables.columns import CellReading, Column, ColumnKind
from shared.tables.dates import moment_of
from shared.tables.leading_zeros import has_codes
from shared.tables.missing import MISSING, NO_DAY, NO_VALUE
from shared.tables.moments import MOMENT, in_microseconds
from shared.tables.number_forms import plain_numbers
from shared.tables.reading import Reading
from shared.tables.string_bytes import is_ascii, may_have_blanks_around
from shared.tables.values import ARROW, STRINGS, convert, finite

# What cannot be seen, with the blanks that may be beside it.
_AROUND = "\u200b\u2060\ufeff \u00a0\t\r\n"
_MOMENTS = (MOMENT, pa.timestamp("us", "UTC"), pa.timestamp("ns"))
_TRUE = ("true", "yes", "y", "t", "on", "1")
_FALSE = ("false", "no", "n", "f", "off", "0")


class Cells(NamedTuple):
    """Values of a column, null where a cell is missing or wrong; `wrong` says which are wrong, None if none is."""

    values: pa.Array
    wrong: pa.Array | None


def cells_of(column: Column, reading: Reading) -> CellReading:
    """How the cells of a column of a dataset version are read, also of one that an older release took."""
    if column.cells is not None:
        return column.cells
    comma = reading.delimiter not in {None, ","}
    return CellReading(rules=1, kind=column.kind, typed=reading.typed, decimal="," if comma else ".")


def read_cells(cells: pa.Array, reading: CellReading) -> Cells:
    """The values of some cells, and which cells are not of the column's kind."""
    try:
        return Cells(values_of(cells, reading), None)
    except pa.ArrowInvalid:
        pass
    if len(cells) == 1:
        return Cells(pa.nulls(1, ARROW[reading.kind]), pa.array([True]))
    encoded = cells.dictionary_encode()
    if len(encoded.dictionary) < len(cells):
        # A word that is not of the kind mostly comes again and again.
        values, wrong = read_cells(encoded.dictionary, reading)
        marks = None if wrong is None else pc.fill_null(wrong.take(encoded.indices), False)
        return Cells(values.take(encoded.indices), marks)
    middle = len(cells) // 2
    halves = [read_cells(cells[:middle], reading), read_cells(cells[middle:], reading)]
    wrong = [pa.repeat(False, len(half.values)) if half.wrong is None else half.wrong for half in halves]
    return Cells(pa.concat_arrays([half.values for half in halves]), pa.concat_arrays(wrong))


def values_of(cells: pa.Array, reading: CellReading) -> pa.Array:
    """The values of some cells, null where missing.

    Raises:
        pa.ArrowInvalid: when a cell is not of the column's kind.
    """
    if reading.rules == 1:
        return convert(cells, reading.kind, typed=reading.typed, decimal_comma=reading.decimal == ",")
    if cells.null_count == len(cells):
        return pa.nulls(len(cells), ARROW[reading.kind])
    if not pa.types.is_string(cells.type):
        return _without_numbers(convert(cells, reading.kind, typed=True), reading)
    values = _READERS[reading.kind](cells, reading)
    # By rules 2, a number of a text stood for a missing value only as it was spelled: -999, and not -999.0.
    return _without_numbers(values, reading) if reading.rules > 2 else values


def count_not_finite(cells: pa.Array, values: pa.Array, reading: CellReading) -> int:
    """How many cells of a column of numbers are null among the values because they are infinite or too large."""
    if values.null_count == cells.null_count:
        return 0
    if pa.types.is_string(cells.type):
        present = without_gaps(cells, reading)
        if values.null_count == present.null_count:
            return 0
        cells = _floats(present, reading)
    wrong: int = len(cells) - cells.null_count - pc.sum(pc.is_finite(cells), min_count=0).as_py()
    return wrong


def _without_numbers(values: pa.Array, reading: CellReading) -> pa.Array:
    """Numbers with null for those that stand for a missing value."""
    numbers = reading.gap_numbers()
    if not numbers:
        return values
    gaps = pc.is_in(pc.cast(values, pa.float64(), safe=False), value_set=pa.array(sorted(numbers)))
    return pc.if_else(gaps, pa.scalar(None, values.type), values)


def without_gaps(cells: pa.Array, reading: CellReading) -> pa.Array:
    """The strings without blanks around them and in composed form, null where they stand for a missing value."""
    if not reading.typed and may_have_blanks_around(cells):
        cells = pc.utf8_trim_whitespace(cells)
    if not is_ascii(cells):
        cells = pc.utf8_normalize(cells if reading.typed else pc.utf8_trim(cells, characters=_AROUND), form="NFC")
    words, longest = _gaps_to_find(reading)
    # A word is short; comparing lengths first spares the look-up of nearly every text.
    suspects = pc.less_equal(pc.binary_length(cells), longest)
    if not pc.any(suspects).as_py():
        return cells
    return pc.if_else(pc.is_in(cells, value_set=words), pa.scalar(None, pa.string()), cells)


@lru_cache(maxsize=1024)
def _gaps_to_find(reading: CellReading) -> tuple[pa.Array, int]:
    """The words of `gap_words`, and of how many bytes the longest is; -1 where there is none."""
    words = gap_words(reading)
    return pa.array(words, pa.string()), max((len(word.encode()) for word in words), default=-1)


@lru_cache(maxsize=1024)
def gap_words(reading: CellReading) -> tuple[str, ...]:
    """The words that stand for a missing value in a column; an empty cell is one wherever cells are plain text."""
    chosen: tuple[str, ...] = () if reading.typed else MISSING
    if reading.gap_words is not None:
        chosen = ("", *reading.gap_words)
    if reading.kind in STRINGS or reading.kind is ColumnKind.BOOLEAN:
        return chosen
    days = NO_DAY if reading.kind is ColumnKind.DATETIME else ()
    return (*dict.fromkeys((*chosen, *MISSING, *NO_VALUE, *days, *reading.odd_words)),)


def _has_numbers_for_gaps(reading: CellReading) -> bool:
    """Whether a word that stands for a missing value may be a number, as -999 is."""
    return any(letter.isdigit() for word in reading.gap_words or () for letter in word)


def _words(cells: pa.Array, reading: CellReading) -> pa.Array:
    return without_gaps(cells, reading)


def _integers(cells: pa.Array, reading: CellReading) -> pa.Array:
    plain = reading.thousands is None and reading.format is None and not _has_numbers_for_gaps(reading)
    # Arrow would take 0x10 for sixteen.
    if plain and not has_codes(cells):
        try:
            return pc.cast(cells, pa.int64())
        except pa.ArrowInvalid:
            # Blanks, gaps and plus signs are looked for only where there may be some.
            pass
    numbers = plain_numbers(without_gaps(cells, reading), reading)
    return pc.cast(pc.utf8_ltrim(numbers, characters="+"), pa.int64())


def _numbers(cells: pa.Array, reading: CellReading) -> pa.Array:
    plain = reading.thousands is None and reading.format is None and reading.decimal == "."
    if plain and not _has_numbers_for_gaps(reading):
        try:
            return finite(pc.cast(cells, pa.float64()))
        except pa.ArrowInvalid:
            pass
    return finite(_floats(without_gaps(cells, reading), reading))


def _floats(present: pa.Array, reading: CellReading) -> pa.Array:
    return pc.cast(plain_numbers(present, reading), pa.float64())


def _booleans(cells: pa.Array, reading: CellReading) -> pa.Array:
    true, false = (_TRUE, _FALSE) if reading.format == "words" else (_TRUE[:1], _FALSE[:1])
    lower = pc.utf8_lower(without_gaps(cells, reading))
    if not pc.all(pc.is_in(lower, value_set=pa.array([*true, *false, None], pa.string())), min_count=0).as_py():
        raise pa.ArrowInvalid("not a boolean")
    return pc.if_else(pc.is_null(lower), pa.scalar(None, pa.bool_()), pc.is_in(lower, value_set=pa.array(true)))


def _moments(cells: pa.Array, reading: CellReading) -> pa.Array:
    present = without_gaps(cells, reading)
    for kind in _MOMENTS if _is_iso(present) else ():
        try:
            return in_microseconds(pc.cast(present, kind))
        except pa.ArrowInvalid:
            continue
    # Tables have few different days, so one at a time is fast enough.
    encoded = present.dictionary_encode()
    try:
        moments = [moment_of(text, reading.format) for text in encoded.dictionary.to_pylist()]
    except (ValueError, OverflowError) as error:
        raise pa.ArrowInvalid(str(error)) from None
    return pa.array(moments, MOMENT).take(encoded.indices)


def _is_iso(cells: pa.Array) -> bool:
    """Whether the first date begins with the year; Arrow takes long to see that none does."""
    first = cells.drop_null()[:1]
    return bool(pc.any(pc.match_substring_regex(first, r"^\d{4}-")).as_py())


_READERS: dict[ColumnKind, Callable[[pa.Array, CellReading], pa.Array]] = {
    ColumnKind.INTEGER: _integers,
    ColumnKind.NUMBER: _numbers,
    ColumnKind.BOOLEAN: _booleans,
    ColumnKind.DATETIME: _moments,
    ColumnKind.CATEGORY: _words,
    ColumnKind.TEXT: _words,
}
