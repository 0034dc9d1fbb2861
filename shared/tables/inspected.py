"""What the reader is told, and what it finds out about a file."""

from typing import Any

from pydantic import BaseModel, Field

from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.reading import Reading
from shared.tables.spread import ColumnSketch


class TableLimits(BaseModel):
    """What a table may be at most; `max_bytes` counts it uncompressed.

    `controls` lets control characters pass.
    """

    max_columns: int = 5_000
    max_bytes: int = 16 * 2**30
    controls: bool = False


class Preview(BaseModel):
    """The first rows of a table; missing values are null, times are ISO 8601."""

    columns: list[str] = Field(description="The names of the columns, in the order of the cells.")
    rows: list[list[Any]] = Field(description="The cells of each row.")


class TableProfile(BaseModel):
    """How the values of a table are spread, and its first rows as they were read.

    The spread is that of `rows_looked_at` rows, evenly taken from the whole table: of all of them in smaller tables.
    """

    rows_looked_at: int
    columns: dict[str, ColumnSketch]
    first_rows: Preview


class Inspection(BaseModel):
    """A file that is a table as a whole: how to read it and what is in it."""

    reading: Reading
    rows: int
    columns: list[Column]
    findings: list[Finding]
    profile: TableProfile
