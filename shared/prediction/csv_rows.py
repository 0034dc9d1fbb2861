"""A CSV file of rows to predict for: its header, and its rows as they are written, each with its line."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from shared.errors import DuplicateColumns, InvalidInput, InvalidTable, TableTooLarge
from shared.tables.delimited_problems import FIELD_BYTES, ROW_BYTES
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading
from shared.tables.sniffing import DELIMITERS, detect
from shared.tables.text import EndlessLine, TextFile, split_lines

# A header of more lines than this is a quote that nobody closed.
_MOST_HEADER_LINES = 100
_MOST_NAMES = 20
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
        self, path: Path, reading: Reading, limits: TableLimits, *, columns: Sequence[str], model: str
    ) -> None:
        """Read the header of a table that should have these columns of a model, as a sentence names it.

        `reading` comes from `how_to_read`.

        Raises:
            InvalidTable, DuplicateColumns, TableTooLarge, NotUtf8: when there is no header that can be read.
            InvalidInput: when it has none of the columns.
        """
        csv.field_size_limit(FIELD_BYTES)
        self._text = TextFile(path, reading, limits)
        try:
            self._lines = (line.decode("utf-8", "replace") for line in split_lines(self._text, longest=2 * ROW_BYTES))
            lines = self._header_lines()
            self.delimiter, self.header = _split_header(lines, columns)
            self._before = len(lines)
            _check_header(self.header, columns, limits, model=model)
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
    def decimal_comma(self) -> bool:
        """Whether 1,5 is a number: it is where the delimiter is not a comma."""
        return self.delimiter != ","

    def __iter__(self) -> Iterator[CsvRow]:
        reader = csv.reader(chain(self._lines, [_END]), delimiter=self.delimiter)
        width, line = len(self.header), self._before
        try:
            for cells in reader:
                first, line = line + 1, self._before + reader.line_num
                if not cells:
                    continue
                if cells[-1].endswith(_END):
                    if cells == [_END]:
                        return
                    raise _unclosed(first)
                if len(cells) != width:
                    raise _ragged(first, line, len(cells), width)
                yield CsvRow(line, cells)
        except (csv.Error, EndlessLine) as error:
            raise _unreadable(self._before + reader.line_num, error) from None

    def _header_lines(self) -> list[str]:
        lines: list[str] = []
        quotes = 0
        try:
            for line in self._lines:
                lines.append(line)
                quotes += line.count('"')
                if line.strip() and quotes % 2 == 0:
                    return lines
                if len(lines) == _MOST_HEADER_LINES:
                    break
        except EndlessLine as error:
            raise _unreadable(1, error) from None
        raise InvalidTable('The first line has a quote (") that is never closed. Close it, or double it.')


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


def _split_header(lines: list[str], columns: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter with which most of the columns are found, and the header that it gives."""
    found = []
    for delimiter in DELIMITERS:
        header = [cell.strip() for cell in next(row for row in csv.reader(lines, delimiter=delimiter) if row)]
        found.append((len(set(header) & set(columns)), len(header), delimiter, header))
    _, _, delimiter, header = max(found, key=lambda one: one[:2])
    return delimiter, [name or f"column_{position}" for position, name in enumerate(header, start=1)]


def _check_header(header: list[str], columns: Sequence[str], limits: TableLimits, *, model: str) -> None:
    if len(header) > limits.max_columns:
        raise TableTooLarge(f"The table has {len(header):,} columns, the limit is {limits.max_columns:,}.")
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise DuplicateColumns(f"There is more than one column of the name '{name}'. Rename or remove one.")
    if not set(header) & set(columns):
        raise InvalidInput(
            f"The table has none of the columns that the {model} takes: {', '.join(columns[:_MOST_NAMES])}. "
            f"Its first line must hold their names; it holds {', '.join(header[:_MOST_NAMES])[:200]}."
        )


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
