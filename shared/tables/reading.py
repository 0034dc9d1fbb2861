"""How the bytes of a dataset version become a table.

The reading is found out once, by the check of the upload, and kept with the version; whoever reads the table later
follows it, so that everybody sees the same columns of the same kinds.
"""

from typing import Literal

from pydantic import BaseModel

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
