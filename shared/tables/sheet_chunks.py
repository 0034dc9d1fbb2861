"""The sheet of a workbook as a stream of typed chunks; it is loaded as a whole and looked at before the first chunk."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from shared.errors import EmptyTable, InvalidTable, ReadingRefused
from shared.tables.controls import PATTERN, find_control
from shared.tables.delimited import AROUND_NAMES, is_numeral
from shared.tables.inspected import TableLimits
from shared.tables.layout import Layout
from shared.tables.names import changed_names, settle_names
from shared.tables.reading import Reading
from shared.tables.sheet_columns import SheetColumn, is_blank, plain_text
from shared.tables.sheet_facts import SheetFacts
from shared.tables.workbook import open_sheet

_CHUNK_CELLS = 500_000
_MOST_REPEATED = 10_000


class SheetChunks:
    """The chunks of one sheet; each column has one type in all of them.

    Rows and columns that are empty all over are left out. Cells of a column that mixes types are texts, to be read as
    those of a text file are: somebody typed them, and wrote NA or a unit among the numbers.
    """

    typed = True
    unnamed_tail = 0
    layout: Layout | None = None

    def __init__(self, path: Path, reading: Reading, limits: TableLimits) -> None:
        self._sheet = open_sheet(path, reading.sheet or "")
        self._reading = reading
        self._controls = limits.controls
        self.rounded: Counter[str] = Counter()
        self.mixed: dict[str, int] = {}
        self.repeated_headers: list[int] = []
        self._runs: list[tuple[int, int]] = []
        self._repeated: set[int] = set()
        self._width = self._sheet.width
        self._chunk_rows = max(_CHUNK_CELLS // max(self._width, 1), 1)
        self._header = self._read_header()
        self._repeatable = (
            [] if all(map(is_numeral, self._header)) else [each.strip(AROUND_NAMES) for each in self._header]
        )
        columns = self._look()
        kept = [at for at, column in enumerate(columns) if self._header[at].strip() or not column.is_empty]
        if not kept:
            raise EmptyTable("The table has no columns.")
        written = [self._header[at] for at in kept]
        if reading.names is not None:
            _check_given(reading.names, columns=len(kept))
            written = reading.names
        self.names = settle_names(written, limits, rules=reading.rules)
        self.cleaned = changed_names(written, self.names)
        self._columns = {at: columns[at] for at in kept}
        for name, column in zip(self.names, self._columns.values(), strict=True):
            column.name = name
            if column.mixed is not None:
                self.mixed[name] = column.mixed
        notes = {column.name: column.notes() for column in self._columns.values()}
        self.sheet: SheetFacts | None = SheetFacts(notes, set(self.mixed), self._runs)

    def close(self) -> None:
        """Let go of the sheet."""

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for rows in self._chunks():
            cells = list(zip(*(row for _, row in rows), strict=True))
            arrays = []
            for at, column in self._columns.items():
                arrays.append(column.array(cells[at]))
                if not self._controls and pa.types.is_string(arrays[-1].type):
                    _check_controls(column.name, arrays[-1], [number for number, _ in rows])
            yield pa.RecordBatch.from_arrays(arrays, names=self.names)

    def _read_header(self) -> list[str]:
        line = self._reading.header_line
        if line is None:
            return [""] * self._width
        cells = next((cells for number, cells in self._sheet if number == line), None)
        if cells is None:
            raise InvalidTable(f"The sheet has no row {line} with the names of the columns.")
        return [plain_text(cell) for cell in cells]

    def _look(self) -> list[SheetColumn]:
        """Look at all rows: which are left out, and what the columns hold."""
        decimal = self._reading.decimal or "."
        columns = [SheetColumn(self._reading.gap_words, decimal) for _ in range(self._width)]
        rows = 0
        for chunk in self._chunks(look=True):
            for column, values in zip(columns, zip(*(row for _, row in chunk), strict=True), strict=True):
                column.add(values, rows)
            rows += len(chunk)
        return columns

    def _chunks(self, *, look: bool = False) -> Iterator[list[tuple[int, list[Any]]]]:
        rows = self._rows(look=look)
        while chunk := list(islice(rows, self._chunk_rows)):
            yield chunk

    def _rows(self, *, look: bool) -> Iterator[tuple[int, list[Any]]]:
        """The rows with cells below the names; a first `look` finds out which lines they are in."""
        first, skipped = self._reading.header_line or 0, set(self._reading.skipped_lines)
        place, last = 0, 0
        for number, cells in self._sheet:
            if number <= first or number in skipped or all(map(is_blank, cells)):
                continue
            if look:
                if number != last + 1 or not place:
                    self._runs.append((place, number))
                if self._repeats_names(cells) and len(self._repeated) < _MOST_REPEATED:
                    self._repeated.add(number)
                    self.repeated_headers.append(place)
            place, last = place + 1, number
            if number not in self._repeated:
                yield number, cells

    def _repeats_names(self, cells: list[Any]) -> bool:
        names = self._repeatable
        return bool(names) and all(map(lambda cell, name: plain_text(cell).strip(AROUND_NAMES) == name, cells, names))


def _check_given(names: list[str], *, columns: int) -> None:
    if len(names) != columns:
        raise ReadingRefused(
            f"'names' has {len(names)} names, but the sheet has {columns} columns with values. Send as many names as "
            "there are columns."
        )


def _check_controls(name: str, cells: pa.Array, numbers: list[int]) -> None:
    position = pc.index(pc.match_substring_regex(cells, PATTERN), value=True).as_py()
    if position >= 0 and (control := find_control(cells[position].as_py())):
        raise InvalidTable(
            f"Row {numbers[position]} holds {control.name} in '{name}'. Remove or replace all such characters.",
            errors=[{"loc": ["file", numbers[position], name], "msg": control.name}],
        )
