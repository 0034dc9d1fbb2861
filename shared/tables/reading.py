"""How the bytes of a dataset version become a table.

A reading is found out once, by the check of the upload, and kept with the version. Whoever meets cells of that dataset
later follows it: training, predictions, previews.
"""

from typing import Literal

from pydantic import BaseModel, Field

Format = Literal["csv", "tsv", "parquet", "jsonl", "xlsx"]
Rules = Literal[1, 2, 3]
Decimal = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'"]

# The rules by which new uploads are read. Versions that an older release took keep theirs.
NEWEST_RULES: Rules = 3

# Cells are parted by one or more blanks or tabs.
WHITE_SPACE = " "


class Reading(BaseModel):
    """How a file is read; what does not concern its format is null."""

    rules: Rules = Field(default=NEWEST_RULES, description="By which rules: 3 are today's; older releases had 1 and 2.")
    format: Format = Field(description="What the file is.")
    compression: Literal["gzip"] | None = Field(default=None, description="How it is compressed; null if it is not.")
    encoding: str | None = Field(default=None, description="How its bytes became text, as Python names encodings.")
    delimiter: str | None = Field(
        default=None, description="What parts the cells of a line; a blank stands for blanks and tabs of any number."
    )
    quote: str | None = Field(default=None, description="What encloses a cell that holds the delimiter or a line end.")
    escape: str | None = Field(default=None, description="What stands before a quote that belongs to the text.")
    skips_blanks: bool = Field(default=False, description="Whether a quote behind a blank opens a cell, too.")
    decimal: Decimal | None = Field(default=None, description="The decimal mark of its numbers.")
    thousands: Thousands | None = Field(default=None, description="What parts groups of three digits.")
    sheet: str | None = Field(default=None, description="The sheet of a workbook that is read.")
    header_line: int | None = Field(
        default=None, description="The line with the names of the columns; of a sheet, the row."
    )
    names: list[str] | None = Field(default=None, description="The names of the columns where they were given.")
    skipped_lines: list[int] = Field(
        default_factory=list, description="Lines that hold neither names nor cells, such as a title or the units."
    )
    gap_words: list[str] | None = Field(
        default=None, description="Words that stand for a missing value, beside an empty cell; null for the usual ones."
    )
    kinds: dict[str, str] = Field(default_factory=dict, description="The kinds of columns that were asked for.")

    @property
    def extension(self) -> str:
        """The usual ending of a file of this kind, without the leading dot."""
        return f"{self.format}.gz" if self.compression else self.format

    @property
    def typed(self) -> bool:
        """Whether the file itself tells strings from numbers."""
        return self.format in {"parquet", "jsonl", "xlsx"}
