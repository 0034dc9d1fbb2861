"""Invariants of jobs, their events and their keys."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from shared.jobs import logs
from shared.jobs.rows import JobEventRow
from shared.jobs.states import TERMINAL, State, may_follow
from tests.support.chaos.history import History

# Two statements of PostgreSQL may carry times of before the lock that ordered them.
_TOLERANCE = timedelta(milliseconds=50)
# How the last line of an attempt begins whose computation died and whose job is tried again.
_CRASHED = "the job goes back to the queue: "


def every_accepted_job_ends(history: History) -> Iterator[str]:
    """I1: what a client was promised is there and has ended, and so has everything else that was accepted."""
    for job_id in history.journal.accepted_jobs() - history.jobs.keys():
        yield f"job {job_id} was accepted and is gone"
    for job in history.jobs.values():
        if job.status not in TERMINAL:
            yield f"job {job.id} ({job.kind}) is {job.status} and has not ended"


def events_are_a_legal_path(history: History) -> Iterator[str]:
    """I5: from accepted to the job's state by the transition table, epochs never fall, one commit by the last epoch."""
    for job_id, job in history.jobs.items():
        events = history.events.get(job_id, [])
        for fault in _faults_of_path(events):
            yield f"job {job_id}: {fault}"
        if events and (events[-1].to_state, events[-1].epoch) != (job.status, job.epoch):
            last = f"{events[-1].to_state} in epoch {events[-1].epoch}"
            yield f"job {job_id} is {job.status} in epoch {job.epoch}, its last event says {last}"


def _faults_of_path(events: list[JobEventRow]) -> Iterator[str]:
    if [event.seq for event in events] != list(range(1, len(events) + 1)) or not events:
        yield f"its events are numbered {[event.seq for event in events]}"
        return
    if (events[0].from_state, events[0].to_state) != (None, State.QUEUED):
        yield f"it began as {events[0].to_state}"
    for before, after in pairwise(events):
        if after.from_state != before.to_state or not may_follow(State(before.to_state), State(after.to_state)):
            yield f"event {after.seq} goes from {after.from_state} to {after.to_state}, but it was {before.to_state}"
        if after.epoch < before.epoch:
            yield f"event {after.seq} has epoch {after.epoch} after {before.epoch}"
    commits = [event for event in events if event.to_state == State.SUCCEEDED]
    if len(commits) > 1:
        yield f"it was committed {len(commits)} times"
    for commit in commits:
        claims = [event.epoch for event in events if event.to_state == State.RUNNING]
        if not claims or commit.epoch != claims[-1]:
            yield f"it was committed by epoch {commit.epoch}, but the claims were of {claims}"


def attempts_never_overlap(history: History) -> Iterator[str]:
    """I6: from a claim to the end of its attempt nobody else has the job.

    An attempt is ended by its own worker, or by a rescue: that one raises the epoch, and finds the lease over.
    """
    for job_id, events in history.events.items():
        for before, after in pairwise(events):
            if after.at < before.at - _TOLERANCE:
                yield f"job {job_id}: event {after.seq} is older than the one before it"
            if before.to_state == State.RUNNING:
                yield from (f"job {job_id}: {fault}" for fault in _faults_of_end(before, after))


def _faults_of_end(claim: JobEventRow, end: JobEventRow) -> Iterator[str]:
    rescued = end.epoch != claim.epoch
    if end.to_state == State.RUNNING:
        yield f"{end.actor} claimed it while {claim.actor} had it"
    elif not rescued and end.actor != claim.actor:
        yield f"{end.actor} ended the attempt of {claim.actor}"
    elif rescued and end.to_state in {State.SUCCEEDED, State.FAILED}:
        yield f"{end.actor} says that it {end.to_state}, by an epoch that nobody had claimed"
    elif rescued and (claim.lease_until is None or end.at < claim.lease_until - _TOLERANCE):
        yield f"{end.actor} took it from {claim.actor} before the lease was over"


def cancelled_means_no_effect(history: History) -> Iterator[str]:
    """I7: a cancelled job has no registry row, and a job whose cancel was accepted has not succeeded."""
    registered = {row.job_id for row in history.registry}
    for job in history.jobs.values():
        if job.status == State.CANCELLED and (job.id in registered or job.result is not None):
            yield f"job {job.id} is cancelled and has an effect"
    for call in history.journal.calls:
        job_id = call.job_id if call.is_accepted_cancel else None
        if job_id in history.jobs and history.jobs[job_id].status == State.SUCCEEDED:
            yield f"the cancel of job {job_id} was accepted, and it succeeded"


def one_key_is_one_job(history: History) -> Iterator[str]:
    """I10: whatever was sent with one key has made one job, whether or not the answers arrived."""
    answered: defaultdict[str, set[UUID]] = defaultdict(set)
    for call in history.journal.promises():
        if call.key is not None:
            answered[call.key].add(call.job_id)
    for row in history.keys:
        if row.key in answered:
            answered[row.key].add(row.job_id)
    for key, jobs in answered.items():
        if len(jobs) > 1:
            yield f"the key {key} has made {len(jobs)} jobs: {sorted(map(str, jobs))}"
    if history.journal.only_with_keys:
        for job_id in history.jobs.keys() - {row.job_id for row in history.keys}:
            yield f"job {job_id} was made by no key"


def crashes_are_counted(history: History) -> Iterator[str]:
    """I12: every counted crash took place, and none is left out; the last allowed one quarantines the job, no other."""
    yield from _counts_without_cause(history)
    most = history.settings.max_crashes
    for job in history.jobs.values():
        if job.crash_count > most:
            yield f"job {job.id} crashed {job.crash_count} times, {most} are allowed"
        if (job.status == State.QUARANTINED) and job.crash_count != most:
            yield f"job {job.id} is quarantined after {job.crash_count} crashes instead of {most}"
        if job.crash_count == most and job.status not in {State.QUARANTINED, State.CANCELLED}:
            yield f"job {job.id} crashed {most} times and is {job.status}"


def _counts_without_cause(history: History) -> Iterator[str]:
    """Jobs of which another number of crashes is counted than took place, as far as their events and lines show."""
    for job in history.jobs.values():
        least, most = _crashes_of(history, job.id)
        if not least <= job.crash_count <= most:
            took_place = str(least) if least == most else f"{least} to {most}"
            yield f"job {job.id} counts {job.crash_count} crashes, but its events and lines show {took_place}"
        if history.calm and job.crash_count:
            yield f"job {job.id} counts {job.crash_count} crashes where nobody was killed"


def _crashes_of(history: History, job_id: UUID) -> tuple[int, int]:
    """The fewest and the most crashes of a job: rescues, and attempts that say that their computation died."""
    sure = doubtful = 0
    for before, after in pairwise(history.events.get(job_id, [])):
        if before.to_state != State.RUNNING:
            continue
        rescued = after.epoch != before.epoch
        said = history.lines.get((job_id, before.epoch), [])
        if after.to_state == State.QUARANTINED or (after.to_state == State.QUEUED and rescued):
            sure += 1
        elif after.to_state == State.QUEUED:
            crashed = any(line.startswith(_CRASHED) for line in said)
            sure += crashed
            # In a log that is full, nobody can read how the attempt ended.
            doubtful += not crashed and logs.CUT in said
        elif after.to_state == State.CANCELLED and not rescued:
            # Told to stop, its computation may have died nonetheless; the last line says only that it is cancelled.
            doubtful += 1
    return sure, sure + doubtful
