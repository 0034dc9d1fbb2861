"""What has changed between two tables, as data."""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from shared.tables.columns import Column
from shared.tables.reading import Reading

Word = Literal["none", "some", "strong"]
Measure = Literal["numbers", "shares", "lengths"]


class TableFile(NamedTuple):
    """A file with how it is read and the columns that were found in it."""

    path: Path
    reading: Reading
    columns: list[Column]


class Sides(BaseModel):
    """Something of each of two versions."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class ReadingChange(Sides):
    """One thing that differs in how two versions are read."""

    what: str = Field(description="What differs, by the name that the reading has for it.", examples=["kind"])
    from_: Any = Field(alias="from", description="What it is in the version `from`.", examples=["integer"])
    to: Any = Field(description="What it is in the version `to`.", examples=["number"])


class BothHistograms(Sides):
    """Counts of the values of both versions between the same edges."""

    edges: list[float] = Field(description="One more than there are bins; for moments, seconds since 1970 in UTC.")
    from_: list[int] = Field(alias="from", description="How many values of `from` are in each bin.")
    to: list[int] = Field(description="How many values of `to` are in each bin.")


class BothShares(Sides):
    """How often a value is there in both versions."""

    value: Any = Field(description="The value; a long text is cut.")
    from_: float = Field(alias="from", description="Its share of the values in `from`.")
    to: float = Field(description="Its share of the values in `to`.")


class FewOfMany(BaseModel):
    """The first of some values, and how many there are."""

    count: int = Field(description="How many values.")
    first: list[Any] = Field(description="At most 10 of them; long texts are cut.")


class ColumnDrift(Sides):
    """How far the values of one column have moved, in the rows that were looked at."""

    changes: list[ReadingChange] = Field(default_factory=list, description="What differs in how its cells are read.")
    drift: Word | None = Field(default=None, description="How much it drifts; null if that was not measured.")
    not_measured: str | None = Field(default=None, description="Why not.")
    measured: Measure | None = Field(
        default=None, description="What was compared: the numbers, the shares of values, or the lengths of texts."
    )
    psi: float | None = Field(default=None, description="The population stability index; gaps count as a value.")
    chance: float | None = Field(
        default=None,
        description="The index that chance reaches in one of 10,000 such columns without drift.",
    )
    ks: float | None = Field(default=None, description="The distance of Kolmogorov and Smirnov, for numbers.")
    histogram: BothHistograms | None = Field(default=None, description="For numbers, moments and lengths of texts.")
    shares: list[BothShares] = Field(default_factory=list, description="The most frequent values.")
    new_values: FewOfMany | None = Field(
        default=None, description="Values of a category that are in `to` alone; null where there are too many to tell."
    )
    vanished_values: FewOfMany | None = Field(default=None, description="Those that are in `from` alone.")


class TableDrift(BaseModel):
    """The columns that two tables have in common, and of how many rows of each the spread was looked at."""

    looked_at: tuple[int, int]
    columns: dict[str, ColumnDrift]
