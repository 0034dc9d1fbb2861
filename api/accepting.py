"""From a request for background work to the 202 that promises it."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from fastapi import BackgroundTasks, Response, status
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.lifespan import Parts
from api.schemas.jobs import Job
from shared.errors import InvalidRequest, UnknownDatasetVersion
from shared.fail_points import fail_point
from shared.jobs.acceptance import IdempotencyKey, accept, answered_before, fingerprint
from shared.jobs.rows import MIDDLE_PRIORITY, JobRow
from shared.jobs.states import Kind
from shared.settings import Settings

# Nobody is asked to log in: all requests come from one principal.
PRINCIPAL = "anonymous"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class Accepted(NamedTuple):
    """A request that has passed every check: what the job is to do, and with which data."""

    request: dict[str, Any]
    dataset_name: str
    dataset_version_id: int | None
    priority: int = MIDDLE_PRIORITY
    time_limit_seconds: float | None = None
    memory_limit_mb: int | None = None


def accept_job(
    *,
    parts: Parts,
    background: BackgroundTasks,
    response: Response,
    kind: Kind,
    body: dict[str, Any],
    idempotency_key: str | None,
    check: Callable[[], Accepted],
) -> Job:
    """Accept a job once, and prepare the 202, which follows the commit; a worker is woken after the response.

    A request whose key was answered before is not checked again: it gets its job as it is now. `check` runs before
    the transaction that inserts the job, so it may take its time and open transactions of its own; it raises what is
    wrong with the request. If it is not known whether the commit came through, the client gets a 503, and the key
    makes it safe to send the request again.

    Nothing is left to the event loop on the way: a transaction that waits for a thread holds up those who wait for its
    locks. Jobs that are accepted at the same time are inserted together.

    Raises:
        InvalidRequest: when the key is not 1 to 255 visible ASCII characters.
        IdempotencyKeyReused: when the key was used with another body.
        UnknownDatasetVersion: when the data was deleted since it was checked.
    """
    key = _read_key(parts, idempotency_key, fingerprint(kind, body))
    job = _answered(parts, key)
    if job is None:
        accepted = check()
        job = _accept(parts, kind, accepted, key)
        fail_point("accept.after_commit")
        background.add_task(_wake, parts, job)
    return promise(job, response, parts.settings)


def promise(job: JobRow, response: Response, settings: Settings) -> Job:
    """Prepare a 202, which says where the job is and when to ask for it."""
    response.status_code = status.HTTP_202_ACCEPTED
    response.headers["Location"] = f"/jobs/{job.id}"
    response.headers["Retry-After"] = "1"
    return Job.of(job, settings)


async def _wake(parts: Parts, job: JobRow) -> None:
    # Not a plain function: those are called in a thread of their own, and this one never waits.
    parts.queue.wake(job.id, Kind(job.kind), job.priority)


def _accept(parts: Parts, kind: Kind, accepted: Accepted, key: IdempotencyKey | None) -> JobRow:
    def insert(session: Session) -> JobRow:
        job = accept(session, kind=kind, **accepted._asdict(), key=key)
        fail_point("accept.before_commit")
        return job

    try:
        return parts.accepting.run(insert, order="" if key is None else key.key)
    except IntegrityError:
        raise UnknownDatasetVersion(
            f"Dataset '{accepted.dataset_name}' was deleted at this very moment. Upload it again, or use another one."
        ) from None


def _read_key(parts: Parts, key: str | None, body: str) -> IdempotencyKey | None:
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise InvalidRequest(
            "The header Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID.",
            errors=[{"loc": ["header", "Idempotency-Key"], "msg": "must be 1 to 255 visible ASCII characters"}],
        )
    return IdempotencyKey(principal=PRINCIPAL, key=key, fingerprint=body, keep_hours=parts.settings.idempotency_hours)


def _answered(parts: Parts, key: IdempotencyKey | None) -> JobRow | None:
    # In a transaction of its own: the one that writes holds the only write lock of SQLite while it lasts.
    if key is None:
        return None
    with parts.database.read() as session:
        return answered_before(session, key)
