"""The profile of a table whose reading is known, as that of a version that an older release took."""

from pathlib import Path

from shared.tables.beginning import FIRST_ROWS
from shared.tables.columns import Column
from shared.tables.inspected import TableProfile
from shared.tables.loading import first_rows, typed_chunks
from shared.tables.reading import Reading
from shared.tables.sketch import Sketch, rows_looked_at


def profile_table(path: Path, reading: Reading, columns: list[Column]) -> TableProfile:
    """How the values are spread, in one pass over the file, and its first rows.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    rows = 0
    sketches = {column.name: Sketch(columns=len(columns)) for column in columns}
    for batch in typed_chunks(path, reading, columns):
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            sketches[name].add(values)
        rows += batch.num_rows
    return TableProfile(
        rows_looked_at=rows_looked_at(rows, columns=len(columns)),
        columns={column.name: sketches[column.name].finish(column.kind) for column in columns},
        first_rows=first_rows(path, reading, columns=columns, rows=FIRST_ROWS, partial=False),
    )
