"""Quotas of one user: for open jobs, and for what is stored."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy.orm import Session

from shared.errors import LimitPolicy, QuotaReached
from shared.jobs.shares import count_open
from shared.jobs.states import Kind, State
from shared.registry.storage import stored_bytes
from shared.settings import Settings

MIB = 2**20
# When to ask for a job again: nobody knows when one ends, and asking costs little.
_JOBS_SECONDS = 10
# The kinds of jobs that store files when they succeed.
_STORING = {Kind.TRAIN, Kind.PROMOTE, Kind.PREDICT}


class Used(NamedTuple):
    """What a user has: queued and running jobs, and bytes in the object store."""

    queued: int
    running: int
    stored_bytes: int


def used_by(session: Session, owner: str) -> Used:
    """What a user has now."""
    jobs = count_open(session, owner)
    return Used(jobs[State.QUEUED], jobs[State.RUNNING], stored_bytes(session, owner))


def job_check(owner: str | None, kind: Kind, settings: Settings) -> Callable[[Session], None] | None:
    """A check that raises QuotaReached if a user may have no further job of a kind; None if there is no quota.

    There are no quotas while there are no accounts.
    """
    most, most_mb = settings.max_jobs_per_owner, settings.storage_mb_per_owner if kind in _STORING else 0
    if owner is None or not (most or most_mb):
        return None

    def check(session: Session) -> None:
        if most:
            _check_jobs(sum(count_open(session, owner).values()), most, owner)
        if most_mb:
            _check_stored(stored_bytes(session, owner), 1, most_mb, owner)

    return check


def upload_check(owner: str | None, size_bytes: int, settings: Settings) -> Callable[[Session], None] | None:
    """A check that raises QuotaReached if a user may not store so many more bytes; None if there is no quota."""
    most_mb = settings.storage_mb_per_owner
    if owner is None or not most_mb:
        return None

    def check(session: Session) -> None:
        _check_stored(stored_bytes(session, owner), size_bytes, most_mb, owner)

    return check


def _check_jobs(used: int, most: int, owner: str) -> None:
    if used >= most:
        raise QuotaReached(
            f"'{owner}' has {used:,} jobs that wait or run, and may have {most:,}. Wait until some have ended, or "
            "cancel some with POST /jobs/{id}/cancel.",
            used=used,
            limit=most,
            setting="MLMINI_MAX_JOBS_PER_OWNER",
            retry_after=_JOBS_SECONDS,
            policy=LimitPolicy("jobs", most, unit="concurrent-requests"),
        )


def _check_stored(used: int, more: int, most_mb: int, owner: str) -> None:
    if used + more > most_mb * MIB:
        raise QuotaReached(
            f"'{owner}' has {used / MIB:,.1f} MiB of datasets, models and predictions stored, and may have "
            f"{most_mb:,}. Have what is not needed any more erased: DELETE /models/{{version}} and "
            "DELETE /datasets/{name}?erase=true.",
            used=used,
            limit=most_mb * MIB,
            setting="MLMINI_STORAGE_MB_PER_OWNER",
            policy=LimitPolicy("stored", most_mb * MIB, unit="content-bytes"),
        )
