"""The profile of a dataset: what is in each column, and how its values are spread."""

from typing import Self

from pydantic import Field

from api.schemas.base import Moment, ResponseBody
from api.schemas.datasets import Dataset, DatasetColumn
from shared.tables.findings import Finding
from shared.tables.inspected import Preview, TableProfile
from shared.tables.reading import Reading
from shared.tables.relations import Relations
from shared.tables.spread import Histogram, ValueCount


class ProfiledColumn(DatasetColumn):
    """One column, what the whole table holds in it, and how its values are spread."""

    quantiles: dict[str, float] | None = Field(
        description="Values by the share of values below; for moments, seconds since 1970 in UTC."
    )
    histogram: Histogram | None = Field(description="For numbers and moments.")
    top: list[ValueCount] = Field(description="The most frequent values, for words and booleans.")


class DatasetProfile(ResponseBody):
    """What is in a dataset version. Quantiles, histograms and top values are those of `rows_looked_at` rows."""

    name: str = Field(description="The name of the dataset.", examples=["iris"])
    version: int = Field(description="The number of the version.", examples=[1])
    created_at: Moment = Field(description="When it was uploaded.")
    rows: int = Field(description="How many rows it has.", examples=[150])
    rows_looked_at: int = Field(
        description="How many of them the spread is about: all, or so many evenly taken from the whole of a long table."
    )
    reading: Reading = Field(description="How the file was read.")
    findings: list[Finding] = Field(description="What the reading is not sure of, or did and tells.")
    columns: list[ProfiledColumn] = Field(description="The columns in the order of the file.")
    first_rows: Preview = Field(description="The first rows, as they were read.")
    relations: Relations | None = Field(
        description="How columns go together, and what makes the `target` doubtful; null if none was named."
    )

    @classmethod
    def of_version(cls, dataset: Dataset, profile: TableProfile, relations: Relations | None = None) -> Self:
        """The profile of a version as the catalog tells of it."""
        columns = [
            column.model_dump() | profile.columns[column.name].model_dump()
            for column in dataset.columns
            if column.name in profile.columns
        ]
        told = dataset.model_dump(include={"name", "version", "rows", "reading", "findings"})
        return cls.model_validate(
            told
            | {
                "created_at": dataset.created_at,
                "columns": columns,
                "rows_looked_at": profile.rows_looked_at,
                "first_rows": profile.first_rows,
                "relations": relations,
            }
        )
