"""What is known of each column of a table."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, Field


class ColumnKind(StrEnum):
    """What the values of a column are.

    `true` and `false` in any case are booleans; `yes` and `no` stay the labels that they are. Strings are a
    category when they repeat, else text. A column without any value counts as numbers.
    """

    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CATEGORY = "category"
    TEXT = "text"
    DATETIME = "datetime"


class Column(BaseModel):
    """One column and what the whole table holds in it."""

    name: str
    kind: ColumnKind
    missing: int = Field(
        description="Cells without a value: empty, blank, a marker such as NA, NaN, null or ?, or a number "
        "that is not finite."
    )
    unique: int = Field(
        description="Distinct values that are not missing, counted up to 10,000 (less in tables of more than 100 "
        "columns, but never less than 1,001); the bound itself stands for that many or more."
    )
    examples: list[Any] = Field(description="The first distinct values; long texts are cut, times are ISO 8601.")
    min: float | None = None
    max: float | None = None
    mean: float | None = None
