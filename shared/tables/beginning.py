"""The first rows of a table, kept while it is looked at as a whole."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from shared.tables.cells import values_of
from shared.tables.examined import Examined
from shared.tables.loading import plain

# So many rows are kept, fewer of a wide table, and so much of each text.
FIRST_ROWS = 20
_FIRST_CELLS = 20_000
_SHOWN_CHARACTERS = 200


def beginning(chunk: pa.RecordBatch) -> pa.RecordBatch:
    """The first rows of the first chunk."""
    return chunk.slice(0, max(1, min(FIRST_ROWS, _FIRST_CELLS // max(chunk.num_columns, 1))))


def rows_as_read(chunk: pa.RecordBatch, columns: Sequence[Examined]) -> list[list[Any]]:
    """Some rows as they were read; a column that comes later has no values there, and a long text is cut."""
    named = dict(zip(chunk.schema.names, chunk.columns, strict=True))
    found: list[list[Any]] = []
    for column in columns:
        cells = named.get(column.evidence.name)
        if cells is None or column.profile is None:
            found.append([None] * chunk.num_rows)
        else:
            found.append([_shown(value) for value in values_of(cells, column.profile.reading).to_pylist()])
    return [list(row) for row in zip(*found, strict=True)]


def _shown(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _SHOWN_CHARACTERS:
        return f"{value[: _SHOWN_CHARACTERS - 1]}…"
    return plain(value)
