"""How the bytes of a dataset version become a table.

The reading is found out once, by the check of the upload, and kept with the version; whoever reads the table later
follows it, so that everybody sees the same columns of the same kinds.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from shared.datasets.columns import Column

if TYPE_CHECKING:
    import pandas as pd

Format = Literal["csv", "tsv", "parquet", "jsonl"]


class Reading(BaseModel):
    """Format, delimiter, encoding and compression of a file."""

    format: Format
    delimiter: str | None = None
    encoding: Literal["utf-8", "latin-1"] | None = None
    compression: Literal["gzip"] | None = None

    @property
    def extension(self) -> str:
        """The usual ending of a file of this kind, without the leading dot."""
        return f"{self.format}.gz" if self.compression else self.format


def read_table(path: Path, reading: Reading, *, columns: list[Column], only: list[str] | None = None) -> "pd.DataFrame":
    """The whole table, or its columns `only`, with dtypes that agree with the kinds of `columns`.

    integer is int64 (float64 with missing values), number is float64, boolean is bool (object of True, False and None
    with missing values), category and text are `str`, datetime is datetime64[us] in UTC without a zone. Missing
    values are NaN, NaT or None. Takes memory for twice the table.

    Raises:
        InvalidTable: when the bytes are not the ones that were checked.
    """
    from shared.datasets.tables import load_table

    return load_table(path, reading, columns=columns, only=only)
