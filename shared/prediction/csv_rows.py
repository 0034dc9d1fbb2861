"""A CSV file of rows to predict for: its header, and its rows as they are written, each with its line."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from shared.errors import InvalidTable
from shared.prediction.csv_header import check_names, header_lines, split_names
from shared.tables.delimited_problems import ROW_BYTES
from shared.tables.dialect import FIELD_BYTES
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading
from shared.tables.sniffing import detect
from shared.tables.text import EndlessLine, TextFile, split_lines

# Comes behind the last line, to tell a quote that is still open there: tables hold no control characters.
_END = "\x00end\x00"


class CsvRow(NamedTuple):
    """The cells of a row, and the number of the line on which it ends."""

    line: int
    cells: list[str]


class CsvRows:
    """The rows of one file, which is read as they are needed. Use it as a context manager.

    Iterating raises InvalidTable with the line of a row that does not fit the header, TableTooLarge and NotUtf8.
    """

    def __init__(
        self,
        path: Path,
        reading: Reading,
        limits: TableLimits,
        *,
        columns: Sequence[str],
        model: str,
        skips_names: bool = False,
    ) -> None:
        """Read the header of a table that should have these columns of a model, as a sentence names it.

        `reading` comes from `how_to_read`. `skips_names` leaves out rows that repeat the names.

        Raises:
            InvalidTable, EmptyTable, DuplicateColumns, TableTooLarge, NotUtf8: when there is no header that can be
                read, or the first row cannot be.
            InvalidInput: when it has none of the columns.
        """
        csv.field_size_limit(FIELD_BYTES)
        self._text = TextFile(path, reading, limits)
        self._skips_names = skips_names
        # Lines that hold the names again and were left out.
        self.repeated_names: list[int] = []
        try:
            self._lines = (line.decode("utf-8", "replace") for line in split_lines(self._text, longest=2 * ROW_BYTES))
            self._read_header(columns)
            check_names(self.header, columns, limits, model=model)
        except BaseException:
            self._text.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def position_of(self, name: str) -> int | None:
        """Where in a row the cell of a column is; None if the table lacks it."""
        return self._positions.get(name)

    def __iter__(self) -> Iterator[CsvRow]:
        width = len(self.header) + self._tail
        for first, row in self._records:
            if len(row.cells) == width - 1 and self._tail:
                raise _without_end(row.line)
            if len(row.cells) != width:
                raise _ragged(first, row.line, len(row.cells), len(self.header))
            if self._tail:
                if row.cells[-1].strip():
                    raise _ragged(first, row.line, width, len(self.header))
                row.cells.pop()
            if self._skips_names and [cell.strip() for cell in row.cells] == self._names:
                self.repeated_names.append(row.line)
                continue
            yield row

    def _read_header(self, columns: Sequence[str]) -> None:
        try:
            lines, self._before, delimiter = header_lines(self._lines)
        except EndlessLine as error:
            raise _unreadable(1, error) from None
        self.delimiter, self._names = split_names(lines, columns, delimiter)
        self._records = self._read()
        first = next(self._records, None)
        width = len(self._names) if first is None else len(first[1].cells)
        # A delimiter at the end of each row, or of the header alone, makes no column.
        self._tail = int(first is not None and width == len(self._names) + 1 and not first[1].cells[-1].strip())
        if width == len(self._names) - 1 and not self._names[-1]:
            self._names.pop()
        if first is not None:
            self._records = chain([first], self._records)
        self.header = [name or f"column_{position}" for position, name in enumerate(self._names, start=1)]
        self._positions = {name: position for position, name in enumerate(self.header)}

    def _read(self) -> Iterator[tuple[int, CsvRow]]:
        """The rows of any width, each with the line on which it begins."""
        reader = csv.reader(chain(self._lines, [_END]), delimiter=self.delimiter)
        line = self._before
        try:
            for cells in reader:
                first, line = line + 1, self._before + reader.line_num
                if not cells or (len(cells) == 1 < len(self._names) and not cells[0].strip()):
                    continue
                if cells[-1].endswith(_END):
                    if cells == [_END]:
                        return
                    raise _unclosed(first)
                yield first, CsvRow(line, cells)
        except (csv.Error, EndlessLine) as error:
            raise _unreadable(self._before + reader.line_num, error) from None


def how_to_read(path: Path, limits: TableLimits) -> Reading:
    """Encoding and compression of a file, as an upload of it would be read.

    Raises:
        EmptyTable: when nothing but blanks is there.
        InvalidTable: when it is not delimited text.
    """
    reading = detect(path, limits)
    if reading.delimiter is None:
        raise InvalidTable(f"The body is {reading.format}, not CSV. Send rows as CSV with a line of column names.")
    return reading


def _ragged(first: int, line: int, cells: int, columns: int) -> InvalidTable:
    if first < line:
        hint = f'The row begins in line {first}: look there for a quote (") that is closed too late.'
    elif cells > columns:
        hint = "Quote a cell that has the delimiter in it, or remove what is too much."
    else:
        hint = "Add what the row lacks: a cell without a value is empty, but has its delimiter."
    there = f"there {'is' if cells == 1 else 'are'} {_counted(cells, 'cell')}"
    sentence = f"line {line}: {there}, but {_counted(columns, 'column')}."
    return InvalidTable(
        f"The table cannot be read further, {sentence} {hint}", errors=[{"loc": ["body", line], "msg": sentence}]
    )


def _without_end(line: int) -> InvalidTable:
    sentence = f"line {line}: the rows before end with a delimiter, and this one does not."
    return InvalidTable(
        f"The table cannot be read further, {sentence} End all rows alike.",
        errors=[{"loc": ["body", line], "msg": sentence}],
    )


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _unclosed(line: int) -> InvalidTable:
    sentence = f'line {line}: a quote (") that opens in this row is never closed.'
    return InvalidTable(
        f"The table cannot be read further, {sentence} Close it behind its cell, or double it where it is part of the "
        "text.",
        errors=[{"loc": ["body", line], "msg": sentence}],
    )


def _unreadable(line: int, error: Exception) -> InvalidTable:
    reason = str(error)
    if isinstance(error, EndlessLine):
        reason = f"a row is longer than {ROW_BYTES:,} bytes; a quote that is never closed makes such rows"
    elif "limit" in reason:
        reason = f"a cell is longer than {FIELD_BYTES:,} bytes; a quote that is never closed makes such cells"
    return InvalidTable(
        f"The table cannot be read, line {line}: {reason}.", errors=[{"loc": ["body", line], "msg": reason}]
    )
