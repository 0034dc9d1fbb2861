"""JSON Lines as a stream of typed chunks, in bounded memory."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa

from shared.datasets.csv_faults import ROW_BYTES
from shared.datasets.findings import TableLimits
from shared.datasets.header import LONGEST_COLUMN_NAME
from shared.datasets.reading import Reading
from shared.datasets.textfile import NotUtf8, TextFile
from shared.errors import DuplicateColumns, InvalidTable, TableTooLarge

_CHUNK_LINES = 20_000
_CHUNK_BYTES = 8 * 2**20
_INT64 = 2**63

Row = dict[str, Any]


class JsonChunks:
    """The chunks of one file. Later chunks may have more columns: `names` grows in the order of appearance.

    Strings stay strings whatever they spell; numbers that are not finite are missing. Iterating raises InvalidTable
    with the line of the first fault. `partial` takes the file for the beginning of a longer one.
    """

    typed = True
    unnamed_tail = 0

    def __init__(self, path: Path, reading: Reading, limits: TableLimits, *, partial: bool = False) -> None:
        self._text = TextFile(path, reading, limits, partial=partial)
        self._limits = limits
        self._partial = partial
        self.names: list[str] = []

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows: list[tuple[int, Row]] = []
        size = 0
        for number, line in enumerate(self._lines(), start=1):
            if not line.strip():
                continue
            rows.append((number, self._row(number, line)))
            size += len(line)
            if len(rows) == _CHUNK_LINES or size > _CHUNK_BYTES:
                yield self._chunk(rows)
                rows, size = [], 0
        if rows:
            yield self._chunk(rows)

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        number = 1
        try:
            while block := self._text.read(2**20):
                *whole, rest = (rest + block).split(b"\n")
                number += len(whole)
                yield from whole
                if len(rest) > ROW_BYTES:
                    raise TableTooLarge(f"Line {number} is longer than {ROW_BYTES:,} bytes.")
        except NotUtf8:
            raise _fault(number, "is not UTF-8, as JSON has to be") from None
        if rest and not self._partial:
            yield rest

    def _row(self, number: int, line: bytes) -> Row:
        try:
            row = json.loads(line, object_pairs_hook=_Object, parse_constant=lambda _: None)
        except json.JSONDecodeError as error:
            raise _fault(number, f"is not JSON: {error.msg} at character {error.pos + 1}") from None
        except RecursionError:
            raise _fault(number, "is nested too deeply") from None
        except ValueError:
            raise _fault(number, "holds a number with too many digits") from None
        if not isinstance(row, _Object):
            raise _fault(number, "is not a JSON object")
        return self._checked(number, row)

    def _checked(self, number: int, row: "_Object") -> Row:
        if row.repeated is not None:
            raise DuplicateColumns(f"Line {number} has the name '{row.repeated}' more than once. Keep one of them.")
        for name, value in row.items():
            if isinstance(value, dict | list):
                raise _fault(number, f"holds an object or array in '{name}'. Flatten it into columns of plain values")
        return row

    def _chunk(self, rows: list[tuple[int, Row]]) -> pa.RecordBatch:
        self._learn_names(rows)
        arrays = [_array([row.get(name) for _, row in rows]) for name in self.names]
        if any(array is None for array in arrays):
            _refuse_surrogates(rows)
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
            raise TableTooLarge(f"In line {number}, the table has more than {self._limits.max_columns:,} columns.")
        if not name.strip() or len(name) > LONGEST_COLUMN_NAME or not _encodable(name):
            raise _fault(number, f"has a name that is empty, broken or longer than {LONGEST_COLUMN_NAME} characters")


class _Object(Row):
    """A JSON object that knows whether a name came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated: str | None = None
        if len(self) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            self.repeated = next(name for name, count in counts.items() if count > 1)


def _array(values: list[Any]) -> pa.Array | None:
    """The values as one Arrow array of their common type, strings if they have none; None for broken Unicode."""
    kinds = {type(value) for value in values} - {type(None)}
    if int in kinds and any(type(value) is int and not -_INT64 <= value < _INT64 for value in values):
        values = [_as_float(value) if type(value) is int else value for value in values]
        kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int, float}:
        values = [None if value is None else float(value) for value in values]
        kinds = {float}
    if float in kinds:
        values = [None if type(value) is float and not math.isfinite(value) else value for value in values]
    if len(kinds) > 1:
        values = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
        kinds = {str}
    types = {int: pa.int64(), float: pa.float64(), bool: pa.bool_(), str: pa.string()}
    try:
        return pa.array(values, types[kinds.pop()] if kinds else pa.null())
    except UnicodeEncodeError:
        return None


def _as_float(value: int) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _encodable(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _refuse_surrogates(rows: list[tuple[int, Row]]) -> NoReturn:
    broken = (
        (number, name)
        for number, row in rows
        for name, value in row.items()
        if isinstance(value, str) and not _encodable(value)
    )
    number, name = next(broken)
    raise _fault(number, f"holds half of a Unicode pair (\\ud800 to \\udfff) in '{name}'")


def _fault(number: int, what: str) -> InvalidTable:
    return InvalidTable(
        f"Line {number} {what}. Each line must be one JSON object of plain values.",
        errors=[{"loc": ["file", number], "msg": what}],
    )
