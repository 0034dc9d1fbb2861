"""Parquet as a stream of typed chunks, in bounded memory. The footer is judged before any data is read."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from shared.datasets.findings import TableLimits
from shared.datasets.header import settle_names
from shared.datasets.values import MOMENT
from shared.errors import InvalidTable, TableTooLarge

_CHUNK_ROWS = 65_536
# What even the emptiest value takes once it is unpacked; a footer may promise 10^15 rows in a few bytes.
_CELL_BYTES = 8


class ParquetChunks:
    """The chunks of one file. Opening and iterating raise InvalidTable for what is no flat table of plain values."""

    typed = True
    decimal_comma = False
    unnamed_tail = 0

    def __init__(self, path: Path, limits: TableLimits) -> None:
        try:
            self._file = pyarrow.parquet.ParquetFile(path)
        except (pa.ArrowInvalid, OSError):
            raise _damaged() from None
        try:
            self._check_footer(limits)
            schema = self._file.schema_arrow
            self.names = settle_names(schema.names, limits)
            self._types = [_plain(name, kind) for name, kind in zip(self.names, schema.types, strict=True)]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._file.iter_batches(batch_size=_CHUNK_ROWS, use_threads=False):
                columns = [_normal(cells, kind) for cells, kind in zip(batch.columns, self._types, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, names=self.names)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
            raise _damaged() from None

    def _check_footer(self, limits: TableLimits) -> None:
        footer = self._file.metadata
        groups = range(footer.num_row_groups)
        size = max(
            sum(footer.row_group(group).total_byte_size for group in groups),
            footer.num_rows * footer.num_columns * _CELL_BYTES,
        )
        if footer.num_rows < 0 or size < 0:
            raise _damaged()
        if size > limits.max_bytes:
            raise TableTooLarge(
                f"Uncompressed, the table has {size:,} bytes ({footer.num_rows:,} rows, {footer.num_columns:,} "
                f"columns); {limits.max_bytes:,} are the limit. Split it into smaller files."
            )


def _plain(name: str, kind: pa.DataType) -> pa.DataType:
    """The type that a column is read as: one of the five that tables are made of here, or null."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return kind
    if pa.types.is_uint64(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pa.float64()
    if pa.types.is_integer(kind):
        return pa.int64()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return MOMENT
    raise InvalidTable(
        f"Column '{name}' holds values of type {kind}, which are no plain numbers, booleans, strings or times. "
        "Flatten, convert or drop the column.",
        errors=[{"loc": ["file", name], "msg": f"type {kind}"}],
    )


def _normal(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_decimal(cells.type) or pa.types.is_integer(cells.type) or pa.types.is_timestamp(cells.type):
        # Rounding is what a float is; nanoseconds are more than a table keeps.
        cells = pc.cast(cells, kind, safe=False)
    elif cells.type != kind:
        cells = pc.cast(cells, kind)
    if not pa.types.is_floating(kind):
        return cells
    # NaN is how most programs write a missing number here.
    return pc.if_else(pc.is_nan(cells), pa.scalar(None, pa.float64()), cells)


def _damaged() -> InvalidTable:
    return InvalidTable("The file begins like Parquet but cannot be read: it is cut off or damaged. Write it again.")
