"""The outputs of batch predictions: the row that makes one visible, the key of its object, and how both go again."""

import re
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Integer, String, Uuid, delete, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from shared.clock import Instant, Now, in_words
from shared.database import Base
from shared.discarded import discard
from shared.errors import NoOutput, OutputNotReady, OutputRemoved, OutputUnavailable
from shared.hashing import Writable, chunks_of, copy_hashed
from shared.jobs.rows import JobRow
from shared.jobs.states import TERMINAL, Kind, State
from shared.object_store import ObjectMissing, ObjectStore
from shared.object_store.shelves import Shelf

_KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,63}/([0-9a-f]{32})-([1-9][0-9]{0,8})-[0-9a-f]{8}\.(?:csv|parquet)")
_BATCH = 100


class PredictionOutputRow(Base):
    """The file that a batch prediction made; it stays when the file goes because of its age."""

    __tablename__ = "prediction_outputs"

    job_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("jobs.id", ondelete="RESTRICT"), primary_key=True)
    version: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("model_registry.version", ondelete="RESTRICT"), index=True
    )
    object_key: Mapped[str] = mapped_column(String(512), unique=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    errors: Mapped[int] = mapped_column(BigInteger)
    epoch: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(Instant, default=Now(), index=True)
    removed_at: Mapped[datetime | None] = mapped_column(Instant)


class OutputKey(NamedTuple):
    """What the key of an output says: the attempt that wrote it."""

    job_id: UUID
    epoch: int


class StoredOutput(NamedTuple):
    """An object that is in the store, and what is to be told of it."""

    object_key: str
    sha256: str
    size_bytes: int
    rows: int
    errors: int


def new_output_key(dataset_name: str, job_id: UUID, epoch: int, extension: str) -> str:
    """A key that no attempt ever has again, not even one after a restore of an older database."""
    return f"{dataset_name}/{job_id.hex}-{epoch}-{secrets.token_hex(4)}.{extension}"


def read_output_key(key: str) -> OutputKey | None:
    """What a key that `new_output_key` may have made says; None for a foreign one."""
    match = _KEY.fullmatch(key)
    return None if match is None else OutputKey(UUID(match[1]), int(match[2]))


def add_output(session: Session, job_id: UUID, epoch: int, *, version: int, output: StoredOutput) -> None:
    """Make an output visible, in the transaction in which its job succeeds."""
    session.execute(insert(PredictionOutputRow).values(job_id=job_id, epoch=epoch, version=version, **output._asdict()))


def find_output(session: Session, job: JobRow) -> PredictionOutputRow:
    """The output of a job.

    Raises:
        NoOutput: when it never has one.
        OutputNotReady: when it goes on.
        OutputRemoved: when it had one.
    """
    if job.erased_at is not None:
        raise OutputRemoved(f"The output of the job was erased on {in_words(job.erased_at)} with the data of the job.")
    if job.kind != Kind.PREDICT:
        raise NoOutput(f"A {job.kind} job has no output. What it made is in its result: GET /jobs/{job.id}.")
    if job.status not in TERMINAL:
        raise OutputNotReady(f"The job is {job.status}. Wait for its end with GET /jobs/{job.id}?wait=60.")
    row = session.get(PredictionOutputRow, job.id)
    if row is None:
        raise NoOutput(f"The job ended as '{job.status}', without an output. GET /jobs/{job.id} says why.")
    if row.removed_at is not None:
        raise OutputRemoved(
            f"The output was removed on {in_words(row.removed_at)}, because of its age. Make it again with "
            f"POST /jobs/{job.id}/retry."
        )
    return row


def copy_output(store: ObjectStore, bucket: str, output: PredictionOutputRow, target: Writable) -> None:
    """Write the bytes of an output into a file, which may be used once this returns.

    Raises:
        OutputUnavailable: when its file is missing or is another one.
        StoreUnavailable: when the object store does not answer.
    """
    try:
        with store.open(bucket, output.object_key) as file:
            digest = copy_hashed(chunks_of(file), target)
    except ObjectMissing:
        raise OutputUnavailable(_lost(output, "is missing from the object store")) from None
    if digest.sha256 != output.sha256:
        raise OutputUnavailable(_lost(output, "is not the one that the job made"))


def named_outputs(session: Session, keys: Collection[str]) -> set[str]:
    """Those of the keys that a row names whose file is to be there."""
    row = PredictionOutputRow
    return set(session.scalars(select(row.object_key).where(row.object_key.in_(keys), row.removed_at.is_(None))))


def writing_job(session: Session, key: str) -> UUID | None:
    """The job whose running attempt has written the object and may come to name it."""
    found = read_output_key(key)
    if found is None:
        return None
    running = (JobRow.id == found.job_id, JobRow.epoch == found.epoch, JobRow.status == State.RUNNING)
    return session.scalar(select(JobRow.id).where(*running))


def discard_outputs(session: Session, jobs: ColumnElement[bool]) -> None:
    """Delete the rows of all outputs of jobs, which are locked, and discard their files."""
    row = PredictionOutputRow
    of_jobs = row.job_id.in_(select(JobRow.id).where(jobs))
    discard(session, Shelf.PREDICTIONS, session.scalars(select(row.object_key).where(of_jobs)).all())
    session.execute(delete(row).where(of_jobs))


def old_outputs(session: Session, *, keep_days: float) -> list[UUID]:
    """The jobs of some outputs that are there and were made more than `keep_days` ago."""
    row = PredictionOutputRow
    query = select(row.job_id).where(row.created_at < Now(-keep_days * 86_400), row.removed_at.is_(None))
    return list(session.scalars(query.order_by(row.created_at).limit(_BATCH)))


def retire_outputs(session: Session, jobs: Collection[UUID]) -> int:
    """Note that the files of outputs are gone, and discard them; how many there were."""
    row = PredictionOutputRow
    # Those that another janitor, or somebody who erases them, is at are left to it.
    held = select(row.job_id).where(row.job_id.in_(jobs), row.removed_at.is_(None))
    free = list(session.scalars(held.with_for_update(skip_locked=True)))
    keys = session.scalars(
        update(row).where(row.job_id.in_(free)).values(removed_at=Now()).returning(row.object_key)
    ).all()
    discard(session, Shelf.PREDICTIONS, keys)
    return len(keys)


def _lost(output: PredictionOutputRow, what: str) -> str:
    return (
        f"The file '{output.object_key}' {what}. Bring it back from a backup of the bucket, or run the job again with "
        f"POST /jobs/{output.job_id}/retry."
    )
