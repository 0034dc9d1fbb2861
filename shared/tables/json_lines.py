"""JSON Lines as a stream of typed chunks, in bounded memory."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import DuplicateColumns, InvalidTable, TableTooLarge
from shared.tables.controls import PATTERN, find_control
from shared.tables.delimited_problems import ROW_BYTES
from shared.tables.inspected import TableLimits
from shared.tables.json_values import Nested, Overflow, array_of, change_of_type, is_finite, is_rounded_integer
from shared.tables.layout import Layout
from shared.tables.names import LONGEST_COLUMN_NAME, clean_name
from shared.tables.reading import Reading
from shared.tables.sheet_facts import SheetFacts
from shared.tables.text import NotUtf8, TextFile

_CHUNK_LINES = 20_000
_CHUNK_BYTES = 8 * 2**20
# Each row takes a cell of every column, also of those that it lacks.
_CHUNK_CELLS = 4_000_000

Row = dict[str, Any]


class _NotJson(ValueError):
    """NaN, Infinity or -Infinity, which many programs write although JSON has no such numbers."""


def _refuse_constant(name: str) -> None:
    raise _NotJson(name)


# Objects come as tuples of pairs, which tells them from arrays and shows names that come twice.
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=_refuse_constant)


class JsonChunks:
    """The chunks of one file. Later chunks may have more columns: `names` grows in the order of appearance.

    Strings stay strings whatever they spell; numbers that are not finite are refused. Iterating raises InvalidTable
    with the line of the first problem. `partial` takes the file for the beginning of a longer one.
    """

    typed = True
    unnamed_tail = 0
    layout: Layout | None = None
    sheet: SheetFacts | None = None

    def __init__(self, path: Path, reading: Reading, limits: TableLimits, *, partial: bool = False) -> None:
        self._text = TextFile(path, reading, limits, partial=partial)
        self._limits = limits
        self._partial = partial
        self.names: list[str] = []
        self.rounded: Counter[str] = Counter()
        self.mixed: dict[str, int] = {}
        self.cleaned: list[str] = []
        self.repeated_headers: list[int] = []
        self._rules = reading.rules
        self._rows_before = 0
        self._nameless = 0

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows: list[tuple[int, Row]] = []
        names: set[str] = set()
        size = 0
        for number, line in enumerate(self._lines(), start=1):
            if not line.strip():
                continue
            row = _read_row(number, line)
            if self._rules > 1 and not all(map(str.isascii, row)):
                row = self._with_clean_names(number, row)
            rows.append((number, row))
            names.update(row)
            size += len(line)
            if len(rows) == _CHUNK_LINES or size > _CHUNK_BYTES or len(rows) * len(names) > _CHUNK_CELLS:
                yield from self._chunks(rows)
                rows, size = [], 0
        if rows:
            yield from self._chunks(rows)

    def _chunks(self, rows: list[tuple[int, Row]]) -> Iterator[pa.RecordBatch]:
        """The chunk of some rows; before it, the rows so far that had no names, which a chunk without columns loses."""
        chunk = self._chunk(rows)
        if not self.names:
            self._nameless += len(rows)
            return
        # The first rules left such rows out, and what they counted stays.
        if self._nameless and self._rules > 1:
            yield pa.RecordBatch.from_arrays([pa.nulls(self._nameless)] * len(self.names), names=self.names)
        self._nameless = 0
        yield chunk

    def _with_clean_names(self, number: int, row: Row) -> Row:
        names = {name: name if name.isascii() else clean_name(name) for name in row}
        self.cleaned += [clean for name, clean in names.items() if clean != name and clean not in self.cleaned]
        if len(set(names.values())) < len(names):
            raise DuplicateColumns(f"Line {number} has names that only look different. Keep one of them.")
        return {names[name]: value for name, value in row.items()}

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        number = 1
        try:
            while block := self._text.read(2**20):
                *whole, rest = (rest + block).split(b"\n")
                number += len(whole)
                yield from whole
                if len(rest) > ROW_BYTES:
                    raise TableTooLarge(
                        f"Line {number} is longer than {ROW_BYTES:,} bytes. Shorten it.", limit=ROW_BYTES
                    )
        except NotUtf8:
            raise _invalid(number, "is not UTF-8, as JSON has to be") from None
        if rest and not self._partial:
            yield rest

    def _chunk(self, rows: list[tuple[int, Row]]) -> pa.RecordBatch:
        self._learn_names(rows)
        arrays = []
        for name in self.names:
            values = [row.get(name) for _, row in rows]
            if name not in self.mixed and (place := change_of_type(values)) is not None:
                self.mixed[name] = self._rows_before + place
            try:
                arrays.append(array_of(values, exact=self._rules > 1))
            except (UnicodeEncodeError, Nested, Overflow):
                raise _bad_value(rows, name) from None
            if pa.types.is_string(arrays[-1].type) and not self._limits.controls:
                _check_controls(rows, name, arrays[-1])
            if pa.types.is_floating(arrays[-1].type):
                self.rounded[name] += sum(map(is_rounded_integer, values))
        self._rows_before += len(rows)
        return pa.RecordBatch.from_arrays(arrays, names=self.names)

    def _learn_names(self, rows: list[tuple[int, Row]]) -> None:
        known = dict.fromkeys(self.names)
        for number, row in rows:
            for name in row:
                if name not in known:
                    known[name] = None
                    self._check_name(number, name, count=len(known))
        self.names = list(known)

    def _check_name(self, number: int, name: str, *, count: int) -> None:
        if count > self._limits.max_columns:
            most = self._limits.max_columns
            raise TableTooLarge(
                f"In line {number}, the table has more than {most:,} columns. Upload those that you need, or have "
                "MLMINI_TABLE_MAX_COLUMNS raised.",
                limit=most,
                setting="MLMINI_TABLE_MAX_COLUMNS",
            )
        if not name.strip() or len(name) > LONGEST_COLUMN_NAME or not _encodable(name):
            raise _invalid(number, f"has a name that is empty, broken or longer than {LONGEST_COLUMN_NAME} characters")
        if not self._limits.controls and (control := find_control(name)):
            raise _invalid(number, f"has a name with {control.name} in it. Rename the column")


def _read_row(number: int, line: bytes) -> Row:
    try:
        pairs = _DECODER.decode(line.decode())
    except json.JSONDecodeError as error:
        raise _invalid(number, f"is not JSON: {error.msg} at character {error.pos + 1}") from None
    except _NotJson as error:
        raise _invalid(
            number, f"holds {error}, which JSON does not have. Write null where a value is missing"
        ) from None
    except RecursionError:
        raise _invalid(number, "is nested too deeply") from None
    except ValueError:
        raise _invalid(number, "holds a number with too many digits") from None
    if not isinstance(pairs, tuple):
        raise _invalid(number, "is not a JSON object")
    row = dict(pairs)
    if len(row) < len(pairs):
        name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise DuplicateColumns(f"Line {number} has the name '{name}' more than once. Keep one of them.")
    return row


def _check_controls(rows: list[tuple[int, Row]], name: str, cells: pa.Array) -> None:
    position = pc.index(pc.match_substring_regex(cells, PATTERN), value=True).as_py()
    if position >= 0 and (control := find_control(cells[position].as_py())):
        raise _invalid(rows[position][0], f"holds {control.name} in '{name}'. Remove or replace all such characters")


def _bad_value(rows: list[tuple[int, Row]], name: str) -> InvalidTable:
    """The error of the first value in a column that is nested, too large or not Unicode."""
    for number, row in rows:
        value = row.get(name)
        if isinstance(value, list | tuple):
            return _invalid(number, f"holds an object or array in '{name}'. Flatten it into columns of plain values")
        if not is_finite(value):
            return _invalid(
                number, f"holds a number in '{name}' that is too large. Write null where a value is missing"
            )
        if isinstance(value, str) and not _encodable(value):
            return _invalid(number, f"holds half of a Unicode pair (\\ud800 to \\udfff) in '{name}'")
    raise AssertionError("the column was refused for a value in it")


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _invalid(number: int, what: str) -> InvalidTable:
    return InvalidTable(
        f"Line {number} {what}. Each line must be one JSON object of plain values.",
        errors=[{"loc": ["file", number], "msg": what}],
    )
