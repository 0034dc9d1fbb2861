"""From a request for background work to the 202 that promises it."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import redis
from fastapi import BackgroundTasks, Depends, Response, status
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.access.callers import Caller, CallerDep
from api.dependencies import IdempotencyKeyHeader, PartsDep
from api.parts import Parts
from api.quotas import job_check
from api.schemas.jobs import Job
from shared.audit.actions import Action
from shared.errors import InvalidRequest, UnknownDatasetVersion
from shared.fail_points import fail_point
from shared.jobs.acceptance import IdempotencyKey, accept, answered_before, fingerprint, give_key
from shared.jobs.limits import NO_LIMITS, RequestedLimits
from shared.jobs.rows import MIDDLE_PRIORITY, JobRow
from shared.jobs.shares import ALL_SHARES
from shared.jobs.states import Kind
from shared.settings import DEFAULT_POOL, Settings

# What the audit record also tells of a promotion.
_OF_PROMOTIONS = ("version", "target_stage", "replace_target")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class NewJob(NamedTuple):
    """A request that has passed all checks: what the job has to do, and with which data."""

    kind: Kind
    request: dict[str, Any]
    dataset_name: str
    dataset_version_id: int | None
    priority: int = MIDDLE_PRIORITY
    pool: str = DEFAULT_POOL
    limits: RequestedLimits = NO_LIMITS

    @property
    def recorded(self) -> dict[str, Any]:
        """What the audit record tells of it; of a promotion, also which version goes where."""
        told = {"kind": self.kind, "dataset_name": self.dataset_name}
        names = _OF_PROMOTIONS if self.kind is Kind.PROMOTE else ()
        return told | {name: self.request[name] for name in names if name in self.request}

    @property
    def data_name(self) -> str:
        """The dataset that it reads: of a batch prediction, the one of its input."""
        source = self.request.get("input")
        return str(source["dataset_name"]) if isinstance(source, dict) else self.dataset_name


class Accepting:
    """Accepts the job that one request asks for.

    It never goes back to the event loop on the way: a transaction that had to wait for a thread would hold up all that
    wait for its locks.
    """

    def __init__(
        self, parts: Parts, background: BackgroundTasks, response: Response, header: str | None, caller: Caller
    ) -> None:
        """`header` is the client's Idempotency-Key."""
        self._parts = parts
        self._caller = caller
        self._background = background
        self._response = response
        self._header = header

    def key(self, kind: Kind, body: dict[str, Any]) -> IdempotencyKey | None:
        """The client's key for this body, if there is one.

        Raises:
            InvalidRequest: when it is not 1 to 255 visible ASCII characters.
        """
        if self._header is None:
            return None
        if not _KEY.fullmatch(self._header):
            raise InvalidRequest(
                "The header Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID.",
                errors=[{"loc": ["header", "Idempotency-Key"], "msg": "must be 1 to 255 visible ASCII characters"}],
            )
        hours = self._parts.settings.idempotency_hours
        principal = self._caller.identity.name
        return IdempotencyKey(principal, self._header, fingerprint=fingerprint(kind, body), keep_hours=hours)

    def answered(self, key: IdempotencyKey | None) -> Job | None:
        """The 202 of the job that this key was answered with before, if any. Such a request is not checked again.

        Raises:
            IdempotencyKeyReused: when the key came with another body.
        """
        if key is None:
            return None
        # In a transaction that only reads: one that writes would hold SQLite's only write lock.
        with self._parts.database.read() as session:
            job = answered_before(session, key)
        return None if job is None else promise(job, self._response, self._parts.settings)

    def answer_with(self, job: JobRow, key: IdempotencyKey | None) -> Job:
        """The answer of a job that need not be done again; from now on the key has it, whatever becomes of its model.

        Raises:
            IdempotencyKeyReused: when the key came with another body meanwhile.
        """
        found: JobRow | None = None
        if key is not None:
            found = self._parts.accepting.run(lambda session: give_key(session, key, job.id), order=key.key)
        return promise(found or job, self._response, self._parts.settings)

    def accept(self, new: NewJob, key: IdempotencyKey | None) -> Job:
        """Insert the job, commit, and prepare the 202. A worker is woken after the response.

        If it is not known whether the commit succeeded, the client gets a 503, and the key makes it safe to send the
        request again. Jobs that are accepted at the same time are committed together.

        Raises:
            IdempotencyKeyReused: when the key came with another body meanwhile.
            UnknownDatasetVersion: when the data was deleted since it was checked.
            QuotaReached: when whoever asks may have no further job.
            QueueFull: when as many jobs wait as may.
        """
        checks = self._checks(new.kind)

        def check(session: Session) -> None:
            for each in checks.values():
                each(session)

        def insert(session: Session) -> JobRow:
            job = accept(session, **new._asdict(), owner=self._caller.user_name, key=key, check=check)
            self._caller.note(session, Action.JOB_ACCEPTED, f"job {job.id}", after=new.recorded)
            fail_point("accept.before_commit")
            return job

        try:
            job = self._parts.accepting.run(insert, order="" if key is None else key.key, shares=checks)
        except IntegrityError:
            raise UnknownDatasetVersion(
                f"Dataset '{new.data_name}' was deleted at this very moment. Upload it again, or use another one."
            ) from None
        fail_point("accept.after_commit")
        self._background.add_task(_wake, self._parts, job)
        return promise(job, self._response, self._parts.settings, warnings=warnings_of_pool(self._parts, job.pool))

    def _checks(self, kind: Kind) -> dict[str, Callable[[Session], object]]:
        """What has to be counted in the transaction that inserts a job, each by the share to lock for it.

        It is counted beforehand, too: whoever is refused keeps no others from being inserted together.

        Raises:
            QuotaReached, QueueFull: as `accept` does.
        """
        owner = self._caller.user_name
        checks: dict[str, Callable[[Session], object]] = {}
        quota = job_check(owner, kind, self._parts.settings)
        if quota is not None and owner is not None:
            with self._parts.database.read() as session:
                quota(session)
            checks[owner] = quota
        if self._parts.queue_room.is_close(owner):
            checks[ALL_SHARES] = partial(self._parts.queue_room.check, owner=owner)
        return checks


async def accepting(
    parts: PartsDep,
    background: BackgroundTasks,
    response: Response,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Accepting:
    """What an endpoint accepts its job with. Async, since FastAPI would call a plain function in a thread."""
    return Accepting(parts, background, response, idempotency_key, caller)


AcceptingDep = Annotated[Accepting, Depends(accepting)]


def promise(job: JobRow, response: Response, settings: Settings, *, warnings: Sequence[str] = ()) -> Job:
    """Prepare a 202, which says where the job is and when to ask about it."""
    response.status_code = status.HTTP_202_ACCEPTED
    response.headers["Location"] = f"/jobs/{job.id}"
    response.headers["Retry-After"] = "1"
    return Job.from_row(job, settings, warnings=warnings)


def warnings_of_pool(parts: Parts, pool: str, *, accepted: bool = True) -> list[str]:
    """The warning that no worker takes jobs of the pool that a request names, as far as Redis tells.

    Such a job is accepted all the same; `accepted` is False where the request only asks what would happen.
    """
    if pool == DEFAULT_POOL:
        return []
    try:
        pools = parts.queue.pools()
    except redis.RedisError:
        return []
    if pool in pools:
        return []
    waits, otherwise = ("waits", "cancel the job") if accepted else ("would wait", "name another 'pool'")
    sentence = (
        f"No worker of pool '{pool}' has announced itself lately, so the job {waits}. Start one with "
        f"MLMINI_POOLS={pool}, or {otherwise}."
    )
    return [sentence]


async def _wake(parts: Parts, job: JobRow) -> None:
    # Async, since a plain function would be called in a thread, and this one never waits.
    parts.queue.wake(job.id, Kind(job.kind), job.priority, job.pool)
