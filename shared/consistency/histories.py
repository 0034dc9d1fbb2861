"""Compares the events of each job with the allowed transitions, and with its row."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import Row, select

from shared.consistency.difference import Difference
from shared.database import Database
from shared.jobs.rows import JobEventRow, JobRow
from shared.jobs.states import TERMINAL, State, may_follow

_HINT = "This is a bug of the platform, or the row was changed by hand: report it with the events of the job."
_NO_LEASE = (
    "Nobody will rescue it. Set its jobs.lease_until to a moment that is past: then a worker queues it again. And "
    "report it."
)


def differences(database: Database) -> Iterator[Difference]:
    """Jobs whose events are not a legal path, or whose row is in another state than the path leads to."""
    query = (
        select(
            JobRow.id,
            JobRow.status,
            JobRow.epoch,
            JobRow.lease_until,
            JobRow.finished_at,
            JobEventRow.seq,
            JobEventRow.from_state,
            JobEventRow.to_state,
            JobEventRow.epoch.label("event_epoch"),
        )
        # One statement, so that row and events are of one moment.
        .outerjoin(JobEventRow, JobEventRow.job_id == JobRow.id)
        .order_by(JobRow.id, JobEventRow.seq)
        .execution_options(yield_per=1000)
    )
    with database.read() as session:
        for job_id, group in groupby(session.execute(query), key=lambda row: row.id):
            rows = list(group)
            for kind, found in [*_path(rows), *_row(rows[0])]:
                yield Difference(kind, f"job {job_id}", found, _NO_LEASE if kind == "lease_missing" else _HINT)


def _path(rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[tuple[str, str]]:
    first, last = rows[0], rows[-1]
    if first.seq is None:
        yield "path_illegal", "it has no events"
        return
    if (first.seq, first.from_state, first.to_state) != (1, None, State.QUEUED):
        yield "path_illegal", f"its first event leads from {first.from_state} to {first.to_state}"
    for before, after in pairwise(rows):
        follows = after.seq == before.seq + 1 and after.from_state == before.to_state
        if not follows or not may_follow(State(after.from_state), State(after.to_state)):
            yield "path_illegal", f"event {after.seq} leads from {after.from_state} to {after.to_state}"
        if after.event_epoch < before.event_epoch:
            yield "path_illegal", f"the epoch of event {after.seq} is {after.event_epoch}, below the one before"
    if last.to_state != last.status:
        yield "state_differs", f"it is {last.status}, but its events lead to {last.to_state}"
    if last.event_epoch > last.epoch:
        yield "state_differs", f"its epoch is {last.epoch}, but its events lead to {last.event_epoch}"


def _row(job: Row[*tuple[Any, ...]]) -> Iterator[tuple[str, str]]:
    if job.status == State.RUNNING and job.lease_until is None:
        yield "lease_missing", "it runs without a lease"
    if job.status != State.RUNNING and job.lease_until is not None:
        yield "state_differs", f"it is {job.status} and has a lease"
    if (job.status in TERMINAL) != (job.finished_at is not None):
        yield "state_differs", f"it is {job.status} and {'was never' if job.finished_at is None else 'was'} finished"
