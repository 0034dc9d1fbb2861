"""The rows of the dataset catalog."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, column_property, mapped_column

from shared.accounts.rows import DatasetHolderRow
from shared.clock import Instant, Now
from shared.database import Base


class VersionState(StrEnum):
    """Whether a dataset version can be used yet."""

    UPLOADING = "uploading"
    READY = "ready"


class DatasetRow(Base):
    """A named table in the catalog; invisible until its first version is ready and `location` is set."""

    __tablename__ = "dataset_catalog"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    description: Mapped[str | None] = mapped_column(Text)
    location: Mapped[str | None] = mapped_column(String(512))
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    updated_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    # Who uploaded the first version, and the team that the dataset is kept for.
    owner: Mapped[str | None] = column_property(
        select(DatasetHolderRow.owner).where(DatasetHolderRow.dataset_name == name).scalar_subquery()
    )
    team: Mapped[str | None] = column_property(
        select(DatasetHolderRow.team).where(DatasetHolderRow.dataset_name == name).scalar_subquery()
    )


class DatasetVersionRow(Base):
    """One immutable upload; it gets its number when it becomes ready."""

    __tablename__ = "dataset_versions"
    __table_args__ = (
        UniqueConstraint("dataset_id", "number"),
        Index(
            "ix_dataset_versions_uploading",
            "created_at",
            sqlite_where=text("state = 'uploading'"),
            postgresql_where=text("state = 'uploading'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset_catalog.id", ondelete="CASCADE"))
    number: Mapped[int | None]
    state: Mapped[str] = mapped_column(String(16), default=VersionState.UPLOADING)
    object_key: Mapped[str] = mapped_column(String(512), unique=True)
    format: Mapped[str] = mapped_column(String(16))
    # What was said about how to read it; empty where nothing was, and in versions of older releases.
    options: Mapped[dict[str, Any]] = mapped_column(JSON, server_default=text("'{}'"))
    reading: Mapped[dict[str, Any]] = mapped_column(JSON)
    sha256: Mapped[str] = mapped_column(String(64))
    # None in versions that a release without this column took.
    head_sha256: Mapped[str | None] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, server_default=text("'[]'"))
    # It may be long, and few ask for it.
    profile: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    # Who uploaded it or had it read anew; empty for examples, and from before there were accounts.
    owner: Mapped[str | None] = mapped_column(String(64), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())


class ErasedDatasetVersionRow(Base):
    """What stays of an upload that was erased with its dataset: which one it was, and nothing of what was in it."""

    __tablename__ = "erased_dataset_versions"

    dataset_name: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    erased_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    erased_by: Mapped[str] = mapped_column(String(128))
