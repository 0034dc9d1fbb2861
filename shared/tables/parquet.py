"""Parquet as a stream of typed chunks, in bounded memory. The footer is judged before any data is read."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from shared.errors import InvalidTable, TableTooLarge
from shared.tables.inspected import TableLimits
from shared.tables.layout import Layout
from shared.tables.names import changed_names, settle_names
from shared.tables.parquet_values import Unfit, check_controls, keep_of
from shared.tables.reading import Reading
from shared.tables.sheet_facts import SheetFacts

_CHUNK_ROWS = 65_536
# What even the emptiest value takes once it is unpacked; a footer may promise 10^15 rows in a few bytes.
_CELL_BYTES = 8

# What the library raises for a file that it cannot read; a lack of memory is not among them.
_UNREADABLE = (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError)


class ParquetChunks:
    """The chunks of one file. Opening and iterating raise InvalidTable for what is not a flat table of plain values."""

    typed = True
    unnamed_tail = 0
    layout: Layout | None = None
    sheet: SheetFacts | None = None

    def __init__(self, path: Path, reading: Reading, limits: TableLimits) -> None:
        try:
            # Spark's old timestamps of 96 bits go beyond what nanoseconds can say, and would wrap around.
            self._file = pyarrow.parquet.ParquetFile(path, coerce_int96_timestamp_unit="us")
        except UnicodeDecodeError:
            raise InvalidTable("The name of a column is not UTF-8. Rename the column.") from None
        except _UNREADABLE as error:
            raise _error_of(error) from None
        self.rounded: Counter[str] = Counter()
        self.mixed: dict[str, int] = {}
        self.repeated_headers: list[int] = []
        self._controls = limits.controls
        try:
            self._check_footer(limits)
            schema = self._file.schema_arrow
            self.names = settle_names(schema.names, limits, rules=reading.rules, in_line=False)
            self.cleaned = changed_names(schema.names, self.names)
            _refuse_extensions(schema)
            exact = reading.rules > 1
            self._keeps = [
                keep_of(name, kind, exact=exact) for name, kind in zip(self.names, schema.types, strict=True)
            ]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in self._batches():
            columns = [self._keep(at, cells, rows) for at, cells in enumerate(batch.columns)]
            yield pa.RecordBatch.from_arrays(columns, names=self.names)
            rows += batch.num_rows

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(batch_size=_CHUNK_ROWS, use_threads=False)
        except _UNREADABLE as error:
            raise _error_of(error) from None

    def _keep(self, at: int, cells: pa.Array, rows_before: int) -> pa.Array:
        name = self.names[at]
        try:
            kept = self._keeps[at](cells)
            if not self._controls and pa.types.is_string(kept.cells.type):
                check_controls(kept.cells)
        except Unfit as unfit:
            raise _unfit_value(name, rows_before + unfit.position + 1, unfit) from None
        self.rounded[name] += kept.rounded
        return kept.cells

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
                f"columns); the limit is {limits.max_bytes:,}. Split it into smaller files, or have "
                "MLMINI_TABLE_MAX_BYTES raised.",
                limit=limits.max_bytes,
                setting="MLMINI_TABLE_MAX_BYTES",
            )


def _refuse_extensions(schema: pa.Schema) -> None:
    """Return if no column has a type that other programs know under a name, and this one only as what it is stored in.

    Raises:
        InvalidTable: naming the column.
    """
    for field in schema:
        name = (field.metadata or {}).get(b"ARROW:extension:name")
        if name is not None:
            raise InvalidTable(
                f"Column '{field.name}' holds values of type {name.decode(errors='replace')}, which are not plain "
                "numbers, booleans, strings, dates or moments. Convert or drop the column.",
                errors=[{"loc": ["file", field.name], "msg": f"type {name.decode(errors='replace')}"}],
            )


def _error_of(error: Exception) -> Exception:
    """The error of the file, unless it was the system that could not read it."""
    return error if isinstance(error, OSError) and error.errno else _damaged()


def _damaged() -> InvalidTable:
    return InvalidTable("The file begins like Parquet but cannot be read: it is cut off or damaged. Write it again.")


def _unfit_value(name: str, row: int, unfit: Unfit) -> InvalidTable:
    return InvalidTable(
        f"Column '{name}', row {row}, holds {unfit.what}, which no table here can hold. {unfit.hint}",
        errors=[{"loc": ["file", row, name], "msg": unfit.what}],
    )
