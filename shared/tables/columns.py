"""What is known of each column of a table."""

import math
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.tables.reading import NEWEST_RULES, Decimal, Rules, Thousands

MOST_UNIQUE = 10_000
_LEAST_UNIQUE = 1_001
_UNIQUE_IN_TABLE = 1_000_000


# How the cells of a column are written, beside their kind.
Form = Literal["percent", "currency", "code", "words", "dmy", "mdy"]
# What a column is for, where that is not to tell something about the target.
ColumnRole = Literal["identifier", "constant"]


class ColumnKind(StrEnum):
    """What the values of a column are.

    `true` and `false` in any case are booleans; `yes` and `no` stay the labels that they are. Strings are a category
    when they repeat, else text. A column without any value counts as numbers. A column with a code such as 007 is not
    one of numbers: it is kept as it is written.
    """

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    TEXT = "text"
    DATETIME = "datetime"


class CellReading(BaseModel):
    """How the cells of one column become its values, wherever they are met. `cells.read_cells` follows it.

    `typed` says that the file itself tells strings from numbers. `gap_words` stand for a missing value, null for the
    usual words. `odd_words` are those of a column of numbers or dates that are neither, in a few cells: they count as
    missing there.
    """

    model_config = ConfigDict(frozen=True)

    rules: Rules = NEWEST_RULES
    kind: ColumnKind
    typed: bool = False
    decimal: Decimal = "."
    thousands: Thousands | None = None
    format: Form | None = None
    gap_words: tuple[str, ...] | None = None
    odd_words: tuple[str, ...] = ()

    def gap_numbers(self) -> frozenset[float]:
        """The numbers, such as -999, that stand for a missing value in a column of numbers."""
        if self.rules == 1 or self.kind not in {ColumnKind.INTEGER, ColumnKind.NUMBER}:
            return frozenset()
        return frozenset(number for word in self.gap_words or () if (number := _number(word)) is not None)


class Column(BaseModel):
    """One column and what the whole table holds in it."""

    name: str = Field(description="Its name, as the file has it.")
    kind: ColumnKind = Field(description="What its values are.")
    format: Form | None = Field(
        default=None,
        description="How its cells are written: in percent, with a currency, as codes, booleans in words, or dates "
        "with the day or the month first; null if as usual.",
    )
    role: ColumnRole | None = Field(
        default=None, description="`identifier` if it numbers or names the rows, `constant` if all values are the same."
    )
    missing: int = Field(
        description="Cells without a value: empty, blank, a marker such as NA, NaN, null or ?, or a number "
        "that is not finite."
    )
    not_finite: int = Field(
        default=0, description="How many of the missing ones are infinite, or numbers beyond all floats such as 1e999."
    )
    rounded: int = Field(
        default=0,
        description="How many values are not kept to the last digit: whole numbers beyond 2^53 that became floats, "
        "decimals of Parquet of more than 15 digits, moments finer than a microsecond.",
    )
    unique: int = Field(
        description="Distinct values that are not missing, counted up to 10,000 (less in tables of more than 100 "
        "columns, but never less than 1,001); the bound itself stands for that many or more."
    )
    examples: list[Any] = Field(description="The first distinct values; long texts are cut, times are ISO 8601.")
    min: float | None = Field(default=None, description="The smallest number.")
    max: float | None = Field(default=None, description="The largest number.")
    mean: float | None = Field(default=None, description="The mean of the numbers.")
    cells: CellReading | None = Field(
        default=None, description="How its cells are read; null in versions that an older release took."
    )


def unique_bound(columns: int) -> int:
    """The number at which counting distinct values stops, in each column of a table with `columns` columns."""
    return max(_LEAST_UNIQUE, min(MOST_UNIQUE, _UNIQUE_IN_TABLE // max(columns, 1)))


def _number(word: str) -> float | None:
    try:
        number = float(word.replace("_", "?"))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
