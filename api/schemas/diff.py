"""What has changed between two versions of a dataset."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, Self

from pydantic import Field

from api.schemas.base import Moment, ResponseBody
from api.schemas.datasets import DatasetColumn
from shared.datasets.diffs import VersionPair
from shared.datasets.rows import DatasetVersionRow
from shared.tables.compared import ColumnDrift, ReadingChange, TableDrift

_WORDS = {"strong": 0, "some": 1, "none": 2, None: 3}


class ComparedVersion(ResponseBody):
    """One of the versions that are compared."""

    version: int = Field(description="Its number.", examples=[1])
    created_at: Moment = Field(description="When it was uploaded.")
    rows: int = Field(description="How many rows it has.", examples=[150])
    rows_looked_at: int = Field(
        description="How many of them drift is told from: all, or so many evenly taken from the whole of a long table."
    )


class ComparedSide(ResponseBody):
    """A column as one of the versions has it."""

    kind: str = Field(description="What its values are.", examples=["number"])
    missing: int = Field(description="Cells without a value.")
    missing_share: float = Field(description="Their share of the rows.")
    unique: int = Field(description="Distinct values, counted as in the profile.")
    min: float | None = Field(description="The smallest number.")
    max: float | None = Field(description="The largest number.")
    mean: float | None = Field(description="The mean of the numbers.")


class ComparedColumn(ColumnDrift):
    """A column of either version, and how far its values have moved."""

    name: str = Field(description="Its name.")
    state: Literal["kept", "changed", "added", "removed"] = Field(
        description="Whether it is in both versions, in both but read in another way, in `to` alone or in `from` alone."
    )
    from_: ComparedSide | None = Field(alias="from", description="As it is in `from`; null if it is not there.")
    to: ComparedSide | None = Field(description="As it is in `to`; null if it is not there.")


class DatasetDiff(ResponseBody):
    """What has changed from one version of a dataset to another, the columns that drift most first."""

    name: str = Field(description="The name of the dataset.", examples=["iris"])
    from_: ComparedVersion = Field(alias="from", description="The version to begin with.")
    to: ComparedVersion = Field(description="The version that is held against it.")
    reading: list[ReadingChange] = Field(description="What differs in how the files were read.")
    drifting: dict[str, int] = Field(
        description="How many columns drift how much.", examples=[{"strong": 1, "some": 0, "none": 4}]
    )
    columns: list[ComparedColumn] = Field(description="The columns of both, those that drift most first.")

    @classmethod
    def of_pair(cls, name: str, pair: VersionPair, found: TableDrift) -> Self:
        """What differs between two versions."""
        columns = sorted(_columns(pair, found), key=_rank)
        words = [column.drift for column in columns]
        versions = [
            {"version": row.number, "created_at": row.created_at, "rows": row.rows, "rows_looked_at": looked_at}
            for row, looked_at in zip(pair, found.looked_at, strict=True)
        ]
        return cls.model_validate(
            {
                "name": name,
                "from": versions[0],
                "to": versions[1],
                "reading": list(_changes(*(row.reading for row in pair))),
                "drifting": {word: words.count(word) for word in ("strong", "some", "none")},
                "columns": columns,
            }
        )


def _columns(pair: VersionPair, found: TableDrift) -> Iterator[ComparedColumn]:
    """The columns in the order of the newer table, then those that it no longer has."""
    before, after = (_by_name(row) for row in pair)
    for name in dict.fromkeys([*after, *before]):
        drift = found.columns.get(name, ColumnDrift())
        changed = "changed" if drift.changes else "kept"
        yield ComparedColumn(
            **{field: getattr(drift, field) for field in ColumnDrift.model_fields},
            name=name,
            state="added" if name not in before else "removed" if name not in after else changed,
            from_=_side(before.get(name), pair.before),
            to=_side(after.get(name), pair.after),
        )


def _by_name(row: DatasetVersionRow) -> dict[str, DatasetColumn]:
    return {column["name"]: DatasetColumn.model_validate(column) for column in row.columns}


def _side(column: DatasetColumn | None, row: DatasetVersionRow) -> ComparedSide | None:
    if column is None:
        return None
    share = column.missing / row.rows if row.rows else 0.0
    return ComparedSide(missing_share=share, **column.model_dump(include=set(ComparedSide.model_fields)))


def _rank(column: ComparedColumn) -> tuple[int, float]:
    """Columns that changed as such come behind those that drift, and before those that do not."""
    rank = _WORDS[column.drift]
    if column.state != "kept" and rank >= _WORDS["none"]:
        return 2, 0.0
    return (rank if rank < _WORDS["none"] else rank + 1), -(column.psi or 0.0)


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterable[ReadingChange]:
    for what in dict.fromkeys([*before, *after]):
        if before.get(what) != after.get(what):
            yield ReadingChange(what=what, from_=before.get(what), to=after.get(what))
