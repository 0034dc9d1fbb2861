"""The rows of a dataset version, some at a time: their values, and their cells as the file has them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from shared.errors import InvalidTable
from shared.tables.cells import cells_of, values_of
from shared.tables.chunks import open_chunks
from shared.tables.columns import Column
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading
from shared.tables.text import NotUtf8

# The file was checked against the limits at its upload, maybe by a release with other limits.
_UNLIMITED = TableLimits(max_columns=10**9, max_bytes=2**62, controls=True)


class RowChunk(NamedTuple):
    """Some rows: the values of the wanted columns, of the kinds that the upload found, and the cells to keep."""

    values: dict[str, pa.Array]
    cells: dict[str, pa.Array]
    rows: int


def row_chunks(
    path: Path, reading: Reading, columns: Sequence[Column], *, wanted: Sequence[str], kept: Sequence[str], rows: int
) -> Iterator[RowChunk]:
    """All rows of a file that was checked, at most `rows` at a time.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    known = {column.name: column for column in columns}
    readings = {name: cells_of(known[name], reading) for name in wanted}
    try:
        with open_chunks(path, reading, _UNLIMITED) as chunks:
            for batch in chunks:
                position = {name: at for at, name in enumerate(chunks.names[: batch.num_columns])}
                for start in range(0, batch.num_rows, rows):
                    part = batch.slice(start, rows)

                    def cells(name: str, part: pa.RecordBatch = part, at: dict[str, int] = position) -> pa.Array:
                        return part.column(at[name]) if name in at else pa.nulls(part.num_rows, pa.string())

                    yield RowChunk(
                        values={name: values_of(cells(name), readings[name]) for name in wanted},
                        cells={name: cells(name) for name in kept},
                        rows=part.num_rows,
                    )
    except (pa.ArrowInvalid, NotUtf8):
        raise InvalidTable("The file does not hold what was found in it when it was checked.") from None


def values_as_kind(cells: pa.Array, column: Column, reading: Reading) -> pa.Array:
    """Kept cells in the one type that all values of their column have."""
    return values_of(cells, cells_of(column, reading))
