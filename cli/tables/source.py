"""A CSV file as a header and rows, read while they are needed."""

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, cast

from cli.client.errors import CommandFailed

DELIMITERS = (",", ";", "\t", "|")

# What reading raises, also where a compressed file is damaged.
_UNREADABLE = (OSError, EOFError, zlib.error)
_GZIP = b"\x1f\x8b"
# A header of more lines than this is a quote that nobody closed.
_MOST_HEADER_LINES = 100
_LONGEST_FIELD = 2**31 - 1
_FALLBACK = "latin-1-where-not-utf-8"


@dataclass(frozen=True)
class Source:
    """The names of the columns, and the rows with the number of the line on which each ends."""

    name: str
    delimiter: str
    header: list[str]
    rows: Iterator[tuple[int, list[str]]]
    # Held, because the stream closes with it.
    text: io.TextIOWrapper


def read_source(stream: io.BufferedReader, *, name: str, columns: Sequence[str]) -> Source:
    """Read the header of a table in which these columns are expected; `name` is what to call it.

    Raises:
        CommandFailed: when it is not a table, or has none of these columns.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    file = cast("IO[bytes]", gzip.GzipFile(fileobj=stream) if stream.peek(2)[:2] == _GZIP else stream)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors=_FALLBACK, newline="")
    lines = _header_lines(text, name)
    delimiter, header = _split(lines, columns)
    _check_header(header, columns, name)
    rows = _rows(text, name, delimiter, width=len(header), before=len(lines))
    return Source(name, delimiter, header, rows, text)


def _header_lines(text: io.TextIOWrapper, name: str) -> list[str]:
    lines: list[str] = []
    quotes = 0
    try:
        for line in text:
            lines.append(line)
            quotes += line.count('"')
            if line.strip() and quotes % 2 == 0:
                return lines
            if len(lines) == _MOST_HEADER_LINES:
                break
    except _UNREADABLE as error:
        raise CommandFailed(f"{name} cannot be read: {error}.") from None
    if not "".join(lines).strip():
        raise CommandFailed(f"{name} is empty. Its first line must hold the names of the columns.")
    raise CommandFailed(f'{name} has a quote (") in its first line that is never closed.')


def _split(lines: list[str], columns: Sequence[str]) -> tuple[str, list[str]]:
    """The delimiter with which most of the columns are found, and the header that it gives."""
    found = []
    for delimiter in DELIMITERS:
        header = [cell.strip() for cell in next(row for row in csv.reader(lines, delimiter=delimiter) if row)]
        found.append((len(set(header) & set(columns)), len(header), delimiter, header))
    _, _, delimiter, header = max(found, key=lambda one: one[:2])
    return delimiter, [name or f"column_{position}" for position, name in enumerate(header, start=1)]


def _check_header(header: list[str], columns: Sequence[str], name: str) -> None:
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise CommandFailed(f"{name} has more than one column of the name '{twice[0]}'. Rename or remove one.")
    if not set(header) & set(columns):
        raise CommandFailed(
            f"{name} has none of the columns that the model takes: {', '.join(columns[:20])}. "
            f"Its first line must hold their names; it holds {', '.join(header[:20])[:200]}."
        )


def _rows(
    text: io.TextIOWrapper, name: str, delimiter: str, *, width: int, before: int
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=delimiter)
    try:
        for row in reader:
            if not row:
                continue
            line = before + reader.line_num
            if len(row) != width:
                raise CommandFailed(f"{name}, line {line}: there are {len(row)} cells, but {width} columns.")
            yield line, row
    except (csv.Error, *_UNREADABLE) as error:
        raise CommandFailed(f"{name}, line {before + reader.line_num}: the table cannot be read: {error}.") from None


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


# Bytes that are no UTF-8 are Latin-1, as the catalog has it.
codecs.register_error(_FALLBACK, _as_latin_1)
