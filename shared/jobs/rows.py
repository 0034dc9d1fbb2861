"""The rows of the job protocol."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from shared.clock import Instant, Now
from shared.database import Base
from shared.jobs.states import State
from shared.settings import DEFAULT_POOL

NOT_STARTED = {"percent": 0, "step": "queued"}

# Lower goes first.
PRIORITIES = range(10)
MIDDLE_PRIORITY = 5
LAST_PRIORITY = PRIORITIES[-1]

# The share of the jobs that nobody owns.
NO_OWNER = ""


class JobRow(Base):
    """One accepted request and all that is known of its runs."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_due", "status", "pool", "priority", "run_at"),
        Index("ix_jobs_lease", "status", "lease_until"),
        Index("ix_jobs_newest", "created_at", "id"),
        Index("ix_jobs_share", "status", "share", "pool", "priority", "run_at"),
        Index("ix_jobs_served", "share", "claimed_at"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), default=State.QUEUED)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    dataset_name: Mapped[str] = mapped_column(String(64), index=True)
    # Empty once the dataset is deleted: the job then fails with a clear error.
    dataset_version_id: Mapped[int | None] = mapped_column(ForeignKey("dataset_versions.id", ondelete="SET NULL"))
    progress: Mapped[dict[str, Any]] = mapped_column(JSON, default=lambda: NOT_STARTED)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    priority: Mapped[int] = mapped_column(Integer, default=MIDDLE_PRIORITY, server_default=str(MIDDLE_PRIORITY))
    # Only workers that take jobs of this pool claim it.
    pool: Mapped[str] = mapped_column(String(32), default=DEFAULT_POOL, server_default=DEFAULT_POOL)
    # Empty for the platform's own, and for those that were accepted while there were no accounts.
    owner: Mapped[str | None] = mapped_column(String(64))
    # Whose share of the workers it takes: that of its owner, or the one of all jobs without an owner, which is empty.
    share: Mapped[str] = mapped_column(String(64), default=NO_OWNER, server_default=NO_OWNER)
    # Empty when the request has none: then the limits of the settings hold.
    time_limit_seconds: Mapped[float | None]
    memory_limit_mb: Mapped[int | None]
    cpu_limit: Mapped[int | None]
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    epoch: Mapped[int] = mapped_column(Integer, default=0)
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    crash_count: Mapped[int] = mapped_column(Integer, default=0)
    transient_count: Mapped[int] = mapped_column(Integer, default=0)
    worker: Mapped[str | None] = mapped_column(String(128))
    run_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    cancel_requested_at: Mapped[datetime | None] = mapped_column(Instant)
    last_published_at: Mapped[datetime | None] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now())
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    # When its last attempt began.
    claimed_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    # When the data that it was about was erased, and its request, result and log with it.
    erased_at: Mapped[datetime | None] = mapped_column(Instant)


class JobEventRow(Base):
    """One transition of one job; only ever added."""

    __tablename__ = "job_events"

    job_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_state: Mapped[str | None] = mapped_column(String(16))
    to_state: Mapped[str] = mapped_column(String(16))
    epoch: Mapped[int]
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(Instant, default=Now())
    lease_until: Mapped[datetime | None] = mapped_column(Instant)


class JobLogRow(Base):
    """One line that an attempt said to people; only ever added."""

    __tablename__ = "job_logs"

    job_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    at: Mapped[datetime] = mapped_column(Instant, default=Now())
    text: Mapped[str] = mapped_column(Text)


class IdempotencyKeyRow(Base):
    """The job that answered a key, and the fingerprint of the body that came with it."""

    __tablename__ = "idempotency_keys"

    principal: Mapped[str] = mapped_column(String(128), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    # Checked at commit, because the key is inserted before its job: so of many equal requests one inserts a job.
    job_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("jobs.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
