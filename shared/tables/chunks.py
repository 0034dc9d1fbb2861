"""A file of any format as a stream of chunks."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from shared.tables.delimited import CsvChunks
from shared.tables.inspected import TableLimits
from shared.tables.json_lines import JsonChunks
from shared.tables.layout import Layout
from shared.tables.parquet import ParquetChunks
from shared.tables.reading import Reading
from shared.tables.sheet_chunks import SheetChunks
from shared.tables.sheet_facts import SheetFacts


class Chunks(Protocol):
    """What every format offers; the columns of a chunk come in the order of `names`, later ones may be lacking.

    `typed` says that the file itself tells strings from numbers, `unnamed_tail` how many columns at the end have no
    name of their own. `layout` tells where the rows of a delimited text begin, `sheet` where those of a workbook are,
    `repeated_headers` which rows repeat the names and are left out. `rounded` counts, by column, the cells so far that
    were rounded when they were read, `cleaned` names the columns whose names were changed, and `mixed` has the first
    row in which a column changes its type: a chunk does not show that.
    """

    typed: bool
    unnamed_tail: int
    layout: Layout | None
    sheet: SheetFacts | None
    repeated_headers: list[int]
    rounded: Counter[str]
    mixed: dict[str, int]
    cleaned: list[str]
    names: list[str]

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...

    def close(self) -> None:
        """Close the file."""


def open_chunks(path: Path, reading: Reading, limits: TableLimits, *, partial: bool = False) -> "closing[Chunks]":
    """Open a file for reading from its beginning.

    Raises:
        InvalidTable: or a more exact error of its kind, when the beginning is not a table.
    """
    chunks: Chunks
    if reading.format == "parquet":
        chunks = ParquetChunks(path, reading, limits)
    elif reading.format == "xlsx":
        chunks = SheetChunks(path, reading, limits)
    elif reading.format == "jsonl":
        chunks = JsonChunks(path, reading, limits, partial=partial)
    else:
        chunks = CsvChunks(path, reading, limits, partial=partial)
    return closing(chunks)
