"""Jobs for tests, brought to any state through the protocol itself."""

from typing import Any
from unittest.mock import patch
from uuid import UUID

from shared.database import Database
from shared.jobs import acceptance, claims, endings, logs
from shared.jobs.acceptance import accept
from shared.jobs.claims import Claim
from shared.jobs.delivery import Delivery
from shared.jobs.logs import Line
from shared.jobs.rows import MIDDLE_PRIORITY
from shared.jobs.states import Kind
from shared.queue import JobQueue
from shared.settings import DEFAULT_POOL

TRAIN_REQUEST = {"dataset_name": "flowers", "target_column": "species"}


def add_job(
    database: Database,
    *,
    kind: Kind = Kind.PROMOTE,
    dataset_name: str = "flowers",
    dataset_version_id: int | None = None,
    request: dict[str, Any] | None = None,
    priority: int = MIDDLE_PRIORITY,
    owner: str | None = None,
    pool: str = DEFAULT_POOL,
) -> UUID:
    """A queued job."""
    with database.write() as session:
        job = accept(
            session,
            kind=kind,
            request=TRAIN_REQUEST if request is None else request,
            dataset_name=dataset_name,
            dataset_version_id=dataset_version_id,
            priority=priority,
            owner=owner,
            pool=pool,
        )
        return job.id


def add_alike(database: Database, beginning: str, count: int) -> list[UUID]:
    """Queued jobs whose ids begin alike, in the order of their ids."""
    ids = [UUID(f"{beginning}{number:0{32 - len(beginning)}x}") for number in range(count)]
    for job_id in ids:
        with patch.object(acceptance, "uuid4", return_value=job_id):
            add_job(database)
    return ids


def claim_job(database: Database, job_id: UUID) -> Claim:
    """The claim of a worker that has taken the job."""
    with database.write() as session:
        claim = claims.claim(session, job_id, worker="worker-1", lease_seconds=60)
    assert claim is not None
    return claim


def add_lines(database: Database, claim: Claim, *texts: str, first: int = 1, most: int = 1000) -> None:
    """Lines of an attempt, numbered from `first`."""
    lines = [Line(number, text) for number, text in enumerate(texts, first)]
    with database.write() as session:
        logs.append(session, claim, lines, most=most)


def log_of(database: Database, job_id: UUID) -> list[str]:
    """The texts of a job's log, whose numbers have no gap."""
    with database.read() as session:
        lines = logs.read(session, job_id, after=0, limit=100_000)
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
    return [line.text for line in lines]


def finish_job(database: Database, job_id: UUID, result: dict[str, Any] | None = None) -> None:
    """Let the job succeed."""
    claim = claim_job(database, job_id)
    with database.write() as session:
        claims.succeed(session, claim)
        claims.put_outcome(session, claim, result=result or {"version": 1})


def fail_job(database: Database, job_id: UUID, *, code: str = "fit_failed", message: str = "No.") -> None:
    """Let the job fail."""
    end_as_failed(database, claim_job(database, job_id), code=code, message=message)


def end_as_failed(database: Database, claim: Claim, *, code: str = "fit_failed", message: str = "No.") -> None:
    """Let the attempt fail."""
    with database.write() as session:
        endings.fail(session, claim, endings.Failure(code, message))


def ring(queue: JobQueue, job_id: UUID, kind: Kind, priority: int = MIDDLE_PRIORITY) -> None:
    """Tell workers of one job now."""
    queue.publish_all([Delivery(job_id, kind, priority)])
