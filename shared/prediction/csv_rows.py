"""A CSV file of rows to predict for: its header, and its rows as they are written, each with its line."""

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from shared.errors import InvalidTable, ReadingRefused
from shared.prediction.csv_header import check_names, find_names, likely_dialects
from shared.prediction.csv_reading import LearntReading, not_text
from shared.tables.delimited_problems import ROW_BYTES
from shared.tables.dialect import DELIMITERS, FIELD_BYTES, Dialect, Record, delimiter_said, records_of
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading, Rules
from shared.tables.text import EndlessLine, TextFile, split_lines

# Lines among which the names are looked for.
_HEAD_LINES = 100
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
        rules: Rules = 1,
        learnt: LearntReading | None = None,
    ) -> None:
        """Read the header of a table that should have these columns of a model, as a sentence names it.

        `reading` comes from `how_to_read`, `rules` and `learnt` are of the table that the model learnt from.

        Raises:
            InvalidTable, EmptyTable, DuplicateColumns, TableTooLarge, NotUtf8: when there is no header that can be
                read, or the first row cannot be.
            InvalidInput: when it has none of the columns.
        """
        self._text = TextFile(path, reading, limits)
        self._today = rules > 1
        # Lines that repeat the names and were left out.
        self.repeated_names: list[int] = []
        try:
            known = learnt.reading if learnt is not None and self._today else None
            dialects = likely_dialects(reading, known) if self._today else [Dialect(mark) for mark in DELIMITERS]
            self._records = self._read_header(self._lines(), dialects, columns, known)
            self._settle_width()
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

    @property
    def delimiter(self) -> str:
        """What parts the cells."""
        return self._dialect.delimiter

    def position_of(self, name: str) -> int | None:
        """Where in a row the cell of a column is; None if the table lacks it."""
        return self._positions.get(name)

    def __iter__(self) -> Iterator[CsvRow]:
        width = len(self.header) + self._tail
        for record in self._records:
            cells = record.cells
            if len(cells) == width - 1 and self._tail:
                raise _without_end(record.last_line)
            if len(cells) != width or (self._tail and cells[-1].strip()):
                raise _ragged(record, len(self.header))
            if self._tail:
                cells = cells[:-1]
            if self._today and [cell.strip() for cell in cells] == self._written_names:
                self.repeated_names.append(record.last_line)
                continue
            yield CsvRow(record.last_line, cells)

    def _lines(self) -> Iterator[str]:
        try:
            for line in split_lines(self._text, longest=2 * ROW_BYTES):
                yield line.decode("utf-8", "replace")
        except ReadingRefused as error:
            raise not_text(error) from None

    def _read_header(
        self, lines: Iterator[str], dialects: list[Dialect], columns: Sequence[str], known: Reading | None
    ) -> Iterator[Record]:
        names_line = known.header_line or 1 if known is not None else 1
        try:
            head = list(islice(lines, _HEAD_LINES + names_line))
        except EndlessLine as error:
            raise _unreadable(1, error) from None
        found = find_names(head, dialects, columns, known=known, cleans=self._today)
        self._dialect, self._names = found.dialect, found.names
        self.skipped_lines = found.skipped_lines
        self._written_names = [cell.strip() for cell in found.written]
        if delimiter_said(head):
            head[0] = "\n"
        records = self._read(chain(head, lines, [_END]), skipped=set(found.skipped_lines))
        # A quote that is never closed shows here.
        while found.line is not None and next(records).line < found.line:
            pass
        return records

    def _settle_width(self) -> None:
        """A delimiter at the end of each row, or of the header alone, makes no column."""
        first = next(self._records, None)
        width = len(self._names) if first is None else len(first.cells)
        self._tail = int(first is not None and width == len(self._names) + 1 and not first.cells[-1].strip())
        if width == len(self._names) - 1 and not self._names[-1]:
            self._names.pop()
        if first is not None:
            self._records = chain([first], self._records)
        self.header = [name or f"column_{position}" for position, name in enumerate(self._names, start=1)]
        self._positions = {name: position for position, name in enumerate(self.header)}
        self._written_names = self._written_names[: len(self.header)]

    def _read(self, lines: Iterator[str], *, skipped: set[int]) -> Iterator[Record]:
        """The rows of any width, with those up to the names."""
        line = 0
        try:
            for record in records_of(lines, self._dialect):
                cells, line = record.cells, record.last_line
                if cells and cells[-1].endswith(_END):
                    if cells == [_END]:
                        return
                    raise _unclosed(record.line)
                is_blank = not cells or (len(cells) == 1 < len(self._names) and not cells[0].strip())
                if not is_blank and record.line not in skipped:
                    yield record
        except (csv.Error, EndlessLine) as error:
            raise _unreadable(line + 1, error) from None


def _ragged(record: Record, columns: int) -> InvalidTable:
    cells, line = len(record.cells), record.last_line
    if record.line < line:
        hint = f'The row begins in line {record.line}: look there for a quote (") that is closed too late.'
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
