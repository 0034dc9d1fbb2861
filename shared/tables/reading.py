"""How the bytes of a dataset version become a table.

The reading is found out once, by the check of the upload, and kept with the version; whoever reads the table later
follows it, so that everybody sees the same columns of the same kinds.
"""

from typing import Literal

from pydantic import BaseModel, Field

Format = Literal["csv", "tsv", "parquet", "jsonl"]


class Reading(BaseModel):
    """Format, delimiter, encoding and compression of a file."""

    format: Format = Field(description="What the file is.")
    delimiter: str | None = Field(default=None, description="What parts the cells of a line; null for other formats.")
    encoding: Literal["utf-8", "latin-1"] | None = Field(
        default=None, description="How its bytes became text; null for Parquet."
    )
    compression: Literal["gzip"] | None = Field(default=None, description="How it is compressed; null if it is not.")

    @property
    def extension(self) -> str:
        """The usual ending of a file of this kind, without the leading dot."""
        return f"{self.format}.gz" if self.compression else self.format
