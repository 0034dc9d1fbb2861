"""Quotes within cells, which other readers drop without a word where they close a cell too early."""

import csv
from pathlib import Path

import numpy as np

from shared.errors import InvalidTable
from shared.tables.delimited_problems import ROW_BYTES
from shared.tables.dialect import Dialect, csv_reader
from shared.tables.inspected import TableLimits
from shared.tables.layout import Layout
from shared.tables.reading import WHITE_SPACE, Reading
from shared.tables.text import TextFile, split_lines

_SHOWN_CHARACTERS = 60


def has_quotes_within(block: bytes, dialect: Dialect) -> bool:
    """Whether a quote has neither the edge of a cell nor another quote beside it.

    It may still be part of a cell without quotes, as an inch is: `refuse_stray_quotes` tells them apart.
    """
    codes = np.frombuffer(block, dtype=np.uint8)
    quote = ord(dialect.quote or '"')
    # At the edges of a block there is nothing beside a quote.
    places = np.flatnonzero(codes[1:-1] == quote) + 1
    edges = np.zeros(256, dtype=np.bool_)
    edges[[quote, ord(dialect.delimiter), *b"\r\n"]] = True
    if dialect.escape is not None:
        edges[ord(dialect.escape)] = True
    return bool((~edges[codes[places - 1]] & ~edges[codes[places + 1]]).any())


def refuse_stray_quotes(path: Path, reading: Reading, limits: TableLimits, layout: Layout) -> None:
    """Return if no text stands behind a closing quote.

    Raises:
        InvalidTable: naming the line.
    """
    dialect = Dialect.stored(reading)
    if dialect.delimiter == WHITE_SPACE:
        return
    with TextFile(path, reading, limits) as text:
        lines = (line.decode("utf-8", "replace") for line in split_lines(text, longest=2 * ROW_BYTES))
        reader = csv_reader(lines, dialect, strict=True)
        begun = 1
        try:
            for _ in reader:
                begun = reader.line_num + 1
        except csv.Error as error:
            if "expected after" not in str(error) or reader.line_num <= layout.lines:
                return
            raise _stray(begun, reader.line_num, dialect) from None


def _stray(begun: int, line: int, dialect: Dialect) -> InvalidTable:
    where = f"Line {line}" if begun == line else f"The row of lines {begun} to {line}"
    return InvalidTable(
        f"{where} has text behind a quote that closes a cell, so that it cannot be told what belongs to the cell. "
        f"Double the quotes ({dialect.quote}) that belong to the text, or send 'quote' none if no cell is quoted.",
        errors=[{"loc": ["file", line], "msg": "text behind a closing quote"}],
    )
