"""How the values of a column are spread, as data."""

from typing import Any

from pydantic import BaseModel, Field


class ValueCount(BaseModel):
    """A value and how often it is there."""

    value: Any = Field(description="The value; a long text is cut.")
    count: int = Field(description="In how many of the rows that were looked at.")


class Histogram(BaseModel):
    """Counts of values between edges; each bin has its lower edge, and the last one both."""

    edges: list[float] = Field(description="One more than there are bins; for moments, seconds since 1970 in UTC.")
    counts: list[int] = Field(description="How many values are in each bin.")


class ColumnSketch(BaseModel):
    """The spread of one column's values, in the rows that were looked at."""

    quantiles: dict[str, float] | None = Field(
        default=None, description="Values by the share of values below; for moments, seconds since 1970 in UTC."
    )
    histogram: Histogram | None = Field(default=None, description="For numbers and moments.")
    top: list[ValueCount] = Field(default_factory=list, description="The most frequent values, for words and booleans.")
