"""The rows of the model registry."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Index, String, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.clock import Instant, Now
from shared.database import Base


class RegistryRow(Base):
    """One registered model; `stage` and `artifact_path` follow the furthest stage that it reached."""

    __tablename__ = "model_registry"
    __table_args__ = (UniqueConstraint("job_id", "candidate"),)

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset_catalog.id", ondelete="RESTRICT"), index=True)
    dataset_version_id: Mapped[int] = mapped_column(ForeignKey("dataset_versions.id", ondelete="RESTRICT"))
    job_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("jobs.id", ondelete="RESTRICT"))
    # Which of the models that the job was to train, counted from 1.
    candidate: Mapped[int] = mapped_column(server_default="1")
    stage: Mapped[str] = mapped_column(String(64))
    artifact_path: Mapped[str] = mapped_column(String(512))
    # The column that it predicts, copied from the signature, because a stage serves versions by target.
    target: Mapped[str] = mapped_column(Text, server_default="")
    estimator: Mapped[str] = mapped_column(String(128))
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    signature: Mapped[dict[str, Any]] = mapped_column(JSON)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    environment: Mapped[dict[str, str]] = mapped_column(JSON)
    trained_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    promoted_at: Mapped[datetime | None] = mapped_column(Instant)
    note: Mapped[str | None] = mapped_column(Text)


class ModelTagRow(Base):
    """A word that somebody put on a model."""

    __tablename__ = "model_tags"

    # The tag first: models are looked for by it.
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("model_registry.version", ondelete="CASCADE"), primary_key=True, index=True
    )


class DeploymentRow(Base):
    """ "Version V is active in stage S", with the file that serves there; retired, and gone only with its model."""

    __tablename__ = "deployments"
    __table_args__ = (
        Index(
            "uq_deployments_active",
            "version",
            "stage",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
        Index("ix_deployments_serving", "dataset_id", "stage", "version"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(ForeignKey("model_registry.version", ondelete="RESTRICT"))
    dataset_id: Mapped[int] = mapped_column(ForeignKey("dataset_catalog.id", ondelete="RESTRICT"))
    stage: Mapped[str] = mapped_column(String(64))
    artifact_path: Mapped[str] = mapped_column(String(512))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    hmac: Mapped[str] = mapped_column(String(64))
    hmac_key_id: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    created_by: Mapped[str] = mapped_column(String(128))
    retired_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_reason: Mapped[str | None] = mapped_column(Text)


class CompilationRow(Base):
    """What came of making the compiled form of a model; the newest attempt."""

    __tablename__ = "compilations"

    version: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("model_registry.version", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    compiled: Mapped[bool]
    detail: Mapped[str] = mapped_column(Text)
    rows_compared: Mapped[int]
    bit_for_bit: Mapped[bool | None]
    worst_difference: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())


class AssessmentRow(Base):
    """What the evaluation of a model tells beside its metrics; apart from it, so that lists of models stay light."""

    __tablename__ = "model_assessment"

    version: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("model_registry.version", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    assessment: Mapped[dict[str, Any]] = mapped_column(JSON)


class PinRow(Base):
    """What the training of a model ran with, and some rows with the model's answers for them."""

    __tablename__ = "model_pins"

    version: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("model_registry.version", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    pin: Mapped[dict[str, Any]] = mapped_column(JSON)


class CompiledFormRow(Base):
    """The compiled form of the model of a deployment: a file of its own, with a seal of its own."""

    __tablename__ = "compiled_forms"

    deployment_id: Mapped[int] = mapped_column(
        ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    form_path: Mapped[str] = mapped_column(String(512), index=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    hmac: Mapped[str] = mapped_column(String(64))
    hmac_key_id: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())


class ErasedModelRow(Base):
    """What stays of a model that was erased: its number, its digest, where it served and when; nothing of the data."""

    __tablename__ = "erased_models"
    __table_args__ = (UniqueConstraint("job_id", "candidate"),)

    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    dataset_name: Mapped[str] = mapped_column(String(64))
    dataset_version: Mapped[int]
    job_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("jobs.id", ondelete="RESTRICT"))
    candidate: Mapped[int] = mapped_column(server_default="1")
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    deployments: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    trained_at: Mapped[datetime] = mapped_column(Instant)
    promoted_at: Mapped[datetime | None] = mapped_column(Instant)
    erased_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    erased_by: Mapped[str] = mapped_column(String(128))


class OrphanRow(Base):
    """An object that no row named when a janitor looked; the row goes when that changes."""

    __tablename__ = "orphans"

    shelf: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(1024), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    # Each removal raises this number. Whoever saw the object before sees by the number that it may be gone.
    removals: Mapped[int] = mapped_column(default=0)
    removal_until: Mapped[datetime | None] = mapped_column(Instant)
