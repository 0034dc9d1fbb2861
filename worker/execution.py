"""One job: claim, run, commit. Each step is its own transaction; nothing but SQL decides who owns the job."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from shared.errors import DatabaseFailure
from shared.fail_points import fail_point
from shared.jobs import claims, endings, turns
from shared.jobs.acceptance import find_job
from shared.jobs.claims import Claim, Fenced
from shared.jobs.endings import Failure, backoff_seconds
from shared.jobs.states import State
from shared.logging import get_logger
from shared.scratch import scratch_error, scratch_errors
from shared.settings import Settings
from worker.attempt import Attempt, Effect
from worker.heartbeat import Heartbeat
from worker.outcomes import Verdict, failure_of, told_of_end, verdict_of
from worker.runtime import Runtime, Stopping
from worker.tasks import TASKS

log = get_logger(__name__)

_DATABASE_PAUSE_SECONDS = 0.5


def execute(runtime: Runtime, job_id: UUID) -> UUID | None:
    """Run a job that is due and that nobody else has, and return its id: the one of the call, or one whose turn is
    before it. Any number of calls do each job once.
    """
    try:
        with runtime.slot():
            return execute_in_slot(runtime, job_id)
    except Stopping:
        log.info("left_for_another_worker", job_id=str(job_id))
        return None


def execute_in_slot(runtime: Runtime, job_id: UUID, *, by_message: bool = True) -> UUID | None:
    """The same, for a caller that holds a slot. Without a message, none begins if that one has begun meanwhile.

    While the database shows damage no job is begun: its attempt could not end well, and would be counted.
    """
    if runtime.database.is_suspect:
        log.warning("left_while_database_damaged", job_id=str(job_id))
        return None
    asked_at = time.monotonic()
    try:
        with runtime.database.write() as session:
            claim = turns.begin(
                session,
                job_id,
                worker=runtime.name,
                lease_seconds=runtime.settings.lease_seconds,
                pools=runtime.settings.pools,
                most_running=runtime.settings.max_running_per_owner,
                by_message=by_message,
            )
    except DatabaseFailure:
        # It is not known whether the claim was committed. If it was, its lease will run out.
        log.warning("claim_failed", job_id=str(job_id))
        return None
    if claim is None:
        return None
    fail_point("claim.after")
    with bound_contextvars(job_id=str(claim.job_id), epoch=claim.epoch):
        run_attempt(runtime, claim, since=asked_at)
    return claim.job_id


def run_attempt(runtime: Runtime, claim: Claim, *, since: float) -> None:
    """Do the work of a claimed job and end the attempt, whatever happens; `since` is when the claim was asked for."""
    log.info("attempt_started", kind=claim.kind)
    heartbeat = Heartbeat(runtime.database, runtime.settings, claim, since=since)
    folder = runtime.scratch.folder / f"job-{claim.job_id}-{claim.epoch}"
    with heartbeat, _removed_afterwards(folder):
        attempt = Attempt(runtime, claim, heartbeat, folder)
        attempt.say(f"attempt {claim.attempt} started")
        try:
            effect = _work(attempt)
            _remove(folder)
            commit(attempt, effect)
        except Exception as error:  # noqa: BLE001 - what an end means is decided in one table
            # Removed before the end is written: these files may have filled the disk, and the database may be on it.
            _remove(folder)
            end_without_effect(attempt, error)


def _work(attempt: Attempt) -> Effect:
    # A full disk is an error that the table of outcomes knows.
    with scratch_errors():
        attempt.folder.mkdir(mode=0o700)
    try:
        return TASKS[attempt.claim.kind].run(attempt)
    except OSError as error:
        if attempt.folder.exists():
            raise
        # Somebody removed the folder. The job did nothing wrong and is tried again.
        raise scratch_error(error) from error


def commit(attempt: Attempt, effect: Effect) -> None:
    """End the job as succeeded, with its effect in the same transaction.

    When the database does not say whether it committed, its row does, once it answers again.

    Raises:
        Fenced: when somebody else ended the attempt first; nothing was written.
        PlatformError: when the effect is refused by the state that it met; nothing was written.
    """
    while True:
        attempt.check()
        fail_point("commit.before")
        try:
            with attempt.runtime.database.write() as session:
                # The guard comes first, because every transaction locks the job before other rows.
                claims.succeed(session, attempt.claim)
                result = effect(session)
                attempt.conclude(session, TASKS[attempt.claim.kind].success_line(result), result=result)
                fail_point("commit.inside")
            fail_point("commit.after")
        except DatabaseFailure:
            log.warning("commit_outcome_unknown")
            time.sleep(_DATABASE_PAUSE_SECONDS)
        except Fenced:
            if not _committed(attempt):
                raise
            break
        else:
            break
    log.info("attempt_succeeded")


def end_without_effect(attempt: Attempt, error: Exception) -> None:
    """Write down why the attempt ended, until the database takes it or the lease runs out."""
    verdict = verdict_of(error)
    log.warning("attempt_ended", verdict=verdict.name, error=type(error).__name__, exc_info=_unexpected(error))
    while True:
        try:
            state = _settle(attempt, verdict, error)
        except DatabaseFailure:
            if attempt.heartbeat.lease_is_over:
                break
            time.sleep(_DATABASE_PAUSE_SECONDS)
        else:
            log.info("attempt_settled", state=state)
            break


def _settle(attempt: Attempt, verdict: Verdict, error: Exception) -> State | None:
    claim, settings, failure = attempt.claim, attempt.runtime.settings, failure_of(error)
    delay = backoff_seconds(claim.transient_count, base_seconds=settings.retry_base_seconds)
    with attempt.runtime.database.write() as session:
        # A job that ends shows how far it came; one that goes back to the queue starts again.
        claims.report_progress(session, claim, **attempt.heartbeat.progress._asdict())
        state = _end(session, claim, verdict, failure, delay_seconds=delay, settings=settings)
        if state is not None:
            attempt.conclude(session, told_of_end(state, verdict, failure, delay_seconds=delay))
    return state


def _end(
    session: Session, claim: Claim, verdict: Verdict, failure: Failure, *, delay_seconds: float, settings: Settings
) -> State | None:
    match verdict:
        case Verdict.CONFIRM_CANCEL:
            return endings.confirm_cancel(session, claim)
        case Verdict.HAND_BACK:
            return endings.hand_back(session, claim)
        case Verdict.CRASH:
            return endings.crash(session, claim, failure, max_crashes=settings.max_crashes)
        case Verdict.RETRY:
            return endings.retry(
                session,
                claim,
                failure,
                delay_seconds=delay_seconds,
                max_transient_failures=settings.max_transient_failures,
            )
        case _:
            return endings.fail(session, claim, failure)


def _committed(attempt: Attempt) -> bool:
    with attempt.runtime.database.read() as session:
        job = find_job(session, attempt.claim.job_id)
        return job.status == State.SUCCEEDED and job.epoch == attempt.claim.epoch


def _unexpected(error: Exception) -> Exception | None:
    known = verdict_of(error) is not Verdict.FAIL or failure_of(error).code != "internal_error"
    return None if known else error


@contextmanager
def _removed_afterwards(folder: Path) -> Iterator[None]:
    try:
        yield
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
