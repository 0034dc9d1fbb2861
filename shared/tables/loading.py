"""Whole tables and first rows, with the kinds that the check of the upload found."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from shared.errors import InvalidTable
from shared.tables.cells import cells_of, values_of
from shared.tables.chunks import Chunks, open_chunks
from shared.tables.columns import Column, ColumnKind
from shared.tables.inspected import Preview, TableLimits
from shared.tables.reading import Reading
from shared.tables.text import NotUtf8
from shared.tables.values import ARROW

# The file was checked against the limits at its upload, maybe by a release with other limits.
UNLIMITED = TableLimits(max_columns=10**9, max_bytes=2**62, controls=True)


def read_table(path: Path, reading: Reading, *, columns: list[Column], only: list[str] | None = None) -> pd.DataFrame:
    """The whole table, or its columns `only`, with dtypes that agree with the kinds of `columns`.

    integer is int64 (Int64 with missing values: floats do not hold each integer), number is float64, boolean is bool
    (object of True, False and None with missing values), category and text are `str`, datetime is datetime64[us] in
    UTC without a zone. Missing values are NaN, NA, NaT or None. Takes memory for twice the table.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    wanted = [column for column in columns if only is None or column.name in only]
    if only is not None:
        wanted.sort(key=lambda column: only.index(column.name))
    schema = pa.schema([(column.name, ARROW[column.kind]) for column in wanted])
    table = pa.Table.from_batches(typed_chunks(path, reading, wanted), schema)
    return frame_of(table, wanted)


def frame_of(table: pa.Table, columns: Sequence[Column]) -> pd.DataFrame:
    """The values of these columns as `read_table` gives them; a column is Int64 where these rows have gaps in it."""
    frame: pd.DataFrame = table.to_pandas()
    for column in columns:
        cells = table.column(column.name)
        if column.kind is ColumnKind.INTEGER and cells.null_count:
            frame[column.name] = cells.to_pandas(types_mapper=lambda _: pd.Int64Dtype())
    return frame


def first_rows(path: Path, reading: Reading, *, columns: list[Column], rows: int, partial: bool) -> Preview:
    """The first rows of a table; fewer than asked for when the file, which may be `partial`, has no more.

    Raises:
        InvalidTable: when the file is not a table, as may be for too short a beginning of one.
    """
    schema = pa.schema([(column.name, ARROW[column.kind]) for column in columns])
    found: list[list[Any]] = []
    with open_chunks(path, reading, UNLIMITED, partial=partial) as chunks:
        for batch in _converted(chunks, reading, columns, schema):
            cells = [column.to_pylist() for column in batch.slice(0, rows - len(found)).columns]
            found += ([plain(value) for value in row] for row in zip(*cells, strict=True))
            if len(found) >= rows:
                break
    return Preview(columns=schema.names, rows=found)


def plain(value: Any) -> Any:
    """A value as JSON can say it."""
    return value.isoformat() if isinstance(value, dt.datetime) else value


def typed_chunks(path: Path, reading: Reading, columns: list[Column]) -> Iterator[pa.RecordBatch]:
    """The values of a table chunk by chunk, each with all of these columns.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    schema = pa.schema([(column.name, ARROW[column.kind]) for column in columns])
    with open_chunks(path, reading, UNLIMITED) as chunks:
        yield from _converted(chunks, reading, columns, schema)


def _converted(chunks: Chunks, reading: Reading, columns: list[Column], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    readings = {column.name: cells_of(column, reading) for column in columns}
    try:
        for batch in chunks:
            position = {name: at for at, name in enumerate(chunks.names[: batch.num_columns])}
            yield pa.RecordBatch.from_arrays(
                [
                    values_of(batch.column(position[column.name]), readings[column.name])
                    if column.name in position
                    else pa.nulls(batch.num_rows, ARROW[column.kind])
                    for column in columns
                ],
                schema=schema,
            )
    except (pa.ArrowInvalid, NotUtf8):
        raise InvalidTable("The file does not hold what was found in it when it was checked.") from None
