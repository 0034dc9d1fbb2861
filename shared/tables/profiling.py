"""The profile of a table whose reading is known, as that of a version that an older release took."""

from pathlib import Path

from shared.tables.beginning import FIRST_ROWS
from shared.tables.cells import cells_of, values_of
from shared.tables.chunks import open_chunks
from shared.tables.columns import Column
from shared.tables.inspected import TableProfile
from shared.tables.loading import UNLIMITED, first_rows
from shared.tables.reading import Reading
from shared.tables.sketch import Sketch, rows_looked_at


def profile_table(path: Path, reading: Reading, columns: list[Column]) -> TableProfile:
    """How the values are spread, in one pass over the file, and its first rows.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    readings = {column.name: cells_of(column, reading) for column in columns}
    sketches: dict[str, Sketch] = {}
    rows = 0
    with open_chunks(path, reading, UNLIMITED) as chunks:
        for batch in chunks:
            for name, cells in zip(batch.schema.names, batch.columns, strict=True):
                if name in readings:
                    sketch = sketches.setdefault(name, Sketch(columns=len(columns), rows_before=rows))
                    sketch.add(values_of(cells, readings[name]))
            rows += batch.num_rows
    return TableProfile(
        rows_looked_at=rows_looked_at(rows, columns=len(columns)),
        columns={column.name: sketches[column.name].finish(column.kind) for column in columns},
        first_rows=first_rows(path, reading, columns=columns, rows=FIRST_ROWS, partial=False),
    )
