"""What the catalog tells about datasets."""

from typing import Any, Self

from pydantic import Field

from api.schemas.base import Moment, RequestBody, ResponseBody, VersionNumber
from shared.datasets.catalog import CatalogEntry
from shared.datasets.rehearsal import RehearsedIngestion
from shared.datasets.rows import DatasetVersionRow
from shared.tables.columns import Column
from shared.tables.findings import Finding
from shared.tables.inspected import Preview
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading


class DatasetColumn(Column):
    """One column and what the whole table holds in it."""

    # For who reads cells; kind, format and findings tell it to people. `Any` keeps its schema out of the document.
    cells: Any = Field(default=None, exclude=True)


class DatasetVersion(ResponseBody):
    """One immutable upload."""

    version: int = Field(description="Its number within the dataset.", examples=[1])
    location: str = Field(description="Its key in the object store.", examples=["datasets/iris/0b6f….csv"])
    format: str = Field(description="What the file is: csv, tsv, parquet, jsonl or xlsx.", examples=["csv"])
    reading: Reading = Field(description="How the file was read, as the upload found it out.")
    rows: int = Field(description="How many rows it has, without the header.", examples=[150])
    size_bytes: int = Field(description="The size of the file as it was uploaded.", examples=[4551])
    sha256: str = Field(description="The digest of the file as it was uploaded, in hexadecimal digits.")
    columns: list[DatasetColumn] = Field(description="Its columns in the order of the file.")
    findings: list[Finding] = Field(description="What the reading is not sure of, or did and tells.")
    created_at: Moment = Field(description="When it was uploaded.")

    @classmethod
    def from_row(cls, row: DatasetVersionRow) -> Self:
        """The version that a row holds."""
        return cls.model_validate(
            {
                "version": row.number,
                "location": f"datasets/{row.object_key}",
                "format": row.format,
                "reading": row.reading,
                "rows": row.rows,
                "size_bytes": row.size_bytes,
                "sha256": row.sha256,
                "columns": row.columns,
                "findings": row.findings,
                "created_at": row.created_at,
            }
        )


class Dataset(DatasetVersion):
    """A named table, as its newest version has it."""

    name: str = Field(description="Its name, by which requests ask for it.", examples=["iris"])
    description: str | None = Field(description="What the table is about, as the last upload with a description said.")
    owner: str | None = Field(description="Who uploaded the first version, or was given it; null without accounts.")
    team: str | None = Field(description="The team whose members alone see it; null where everybody does who may read.")
    created_at: Moment = Field(description="When the first version was uploaded.")
    updated_at: Moment = Field(description="When the newest version was uploaded, or the description changed.")
    links: dict[str, str] = Field(
        description="Where more is told of it; the profile is a page, too.",
        examples=[{"profile": "/datasets/iris/profile?version=1", "preview": "/datasets/iris/preview?version=1"}],
    )

    @classmethod
    def of_entry(cls, entry: CatalogEntry) -> Self:
        """The dataset of a catalog entry."""
        dataset, version = entry
        return cls.model_validate(
            DatasetVersion.from_row(version).model_dump()
            | {
                "name": dataset.name,
                "description": dataset.description,
                "owner": dataset.owner,
                "team": dataset.team,
                "created_at": dataset.created_at,
                "updated_at": dataset.updated_at,
                "links": {
                    each: f"/datasets/{dataset.name}/{each}?version={version.number}" for each in ("profile", "preview")
                }
                | {"versions": f"/datasets/{dataset.name}/versions"}
                # The first version has none before it.
                | ({"diff": f"/datasets/{dataset.name}/diff?to={version.number}"} if version.number != 1 else {}),
            }
        )


class DatasetUpdate(RequestBody):
    """Whose a dataset is to be; what is left out stays."""

    team: str | None = Field(
        default=None, min_length=1, max_length=64, description="A team that you are in; null for everybody."
    )
    owner: str | None = Field(default=None, min_length=1, max_length=64, description="The name of a user.")


class RehearsedDataset(ResponseBody):
    """What a file would be in the catalog: nothing is stored yet."""

    name: str = Field(description="The name of the dataset that it would belong to.", examples=["iris"])
    description: str | None = Field(description="What the table is about, as far as the request says so.")
    known_version: int | None = Field(
        description="The version that is there already and would be answered with; null if a new one would be made."
    )
    format: str = Field(description="What the file is: csv, tsv, parquet, jsonl or xlsx.", examples=["csv"])
    reading: Reading = Field(description="How the file would be read.")
    rows: int = Field(description="How many rows it has, without the header.", examples=[150])
    size_bytes: int = Field(description="The size of the file.", examples=[4551])
    sha256: str = Field(description="The digest of the file, in hexadecimal digits.")
    columns: list[DatasetColumn] = Field(description="Its columns in the order of the file.")
    findings: list[Finding] = Field(description="What the reading is not sure of, or did and tells.")
    preview: Preview = Field(description="The first rows, typed as the columns are.")

    @classmethod
    def of_rehearsal(cls, rehearsal: RehearsedIngestion) -> Self:
        """What a rehearsal came to."""
        file, found = rehearsal.incoming.file, rehearsal.found
        return cls.model_validate(
            {
                "name": rehearsal.incoming.name,
                "description": rehearsal.incoming.description,
                "known_version": rehearsal.known,
                "format": found.reading.format,
                "rows": found.rows,
                "size_bytes": file.size_bytes,
                "sha256": file.sha256,
                "preview": rehearsal.preview,
                **found.model_dump(include={"reading", "columns", "findings"}),
            }
        )


class RereadRequest(ReadingOptions):
    """How the file of a version shall be read; what is left out is found out."""

    version: VersionNumber | None = Field(
        default=None, strict=True, description="The version whose file is read; by default the newest.", examples=[1]
    )

    @property
    def options(self) -> ReadingOptions:
        """What is said about the reading alone."""
        return ReadingOptions.model_validate(self.model_dump(exclude={"version"}, exclude_none=True))
