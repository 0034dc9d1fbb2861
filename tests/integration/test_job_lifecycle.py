"""Each step of the job protocol on both databases. What many at once do is in `test_job_races`."""

from collections.abc import Callable
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.clock import Now
from shared.counters import CounterRow
from shared.database import Database
from shared.errors import IdempotencyKeyReused, JobEnded, JobNotEnded, UnknownJob
from shared.jobs import claims, endings
from shared.jobs.acceptance import (
    IdempotencyKey,
    accept,
    answered_before,
    cancel,
    ended_job,
    find_job,
    fingerprint,
)
from shared.jobs.claims import Claim, Fenced
from shared.jobs.delivery import count_due, due, take_unpublished
from shared.jobs.endings import CANCELLED, Failure, backoff_seconds
from shared.jobs.listing import oldest_due_seconds
from shared.jobs.rescue import WORKER_LOST, abandoned, rescue
from shared.jobs.rows import IdempotencyKeyRow, JobEventRow, JobRow
from shared.jobs.states import TRANSITIONS, Kind, State
from shared.registry.versions import take_model_version
from tests.support.jobs import add_job, claim_job, finish_job

FAILURE = Failure("store_unavailable", "The object store does not answer.")


def row_of(database: Database, job_id: UUID) -> JobRow:
    with database.read() as session:
        return find_job(session, job_id)


def events_of(database: Database, job_id: UUID) -> list[tuple[str | None, str, int, str]]:
    with database.read() as session:
        rows = session.scalars(select(JobEventRow).where(JobEventRow.job_id == job_id).order_by(JobEventRow.seq))
        return [(row.from_state, row.to_state, row.epoch, row.actor) for row in rows]


def change(database: Database, job_id: UUID, **values: object) -> None:
    """What only time can do."""
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job_id).values(**values))


def end_lease(database: Database, job_id: UUID) -> None:
    change(database, job_id, lease_until=Now(-1))


def request_cancel(database: Database, job_id: UUID) -> None:
    with database.write() as session:
        cancel(session, job_id)


def rescue_job(database: Database, job_id: UUID, *, max_crashes: int = 3) -> State | None:
    end_lease(database, job_id)
    with database.write() as session:
        return rescue(session, job_id, actor="rescuer", max_crashes=max_crashes)


# Accept.


def test_an_accepted_job_is_queued_and_its_history_has_begun(database: Database) -> None:
    job_id = add_job(database, kind=Kind.TRAIN, request={"n": 1})
    job = row_of(database, job_id)
    assert (job.status, job.kind, job.epoch, job.attempt, job.request) == ("queued", "train", 0, 0, {"n": 1})
    assert events_of(database, job_id) == [(None, "queued", 0, "api")]


def keyed(database: Database, key: str, body: dict[str, int], *, principal: str = "me", hours: float = 24) -> UUID:
    with database.write() as session:
        taken = IdempotencyKey(principal, key, fingerprint(Kind.TRAIN, body), keep_hours=hours)
        return accept(
            session, kind=Kind.TRAIN, request=body, dataset_name="flowers", dataset_version_id=None, key=taken
        ).id


def test_a_repeated_key_is_answered_with_the_same_job(database: Database) -> None:
    first = keyed(database, "k", {"n": 1})
    assert keyed(database, "k", {"n": 1}) == first
    assert keyed(database, "other", {"n": 1}) != first
    assert keyed(database, "k", {"n": 1}, principal="you") != first


def test_a_key_with_another_body_is_refused(database: Database) -> None:
    keyed(database, "k", {"n": 1})
    with pytest.raises(IdempotencyKeyReused, match="'k'"):
        keyed(database, "k", {"n": 2})


def test_the_order_of_names_in_a_body_does_not_matter() -> None:
    assert fingerprint(Kind.TRAIN, {"a": 1, "b": 2}) == fingerprint(Kind.TRAIN, {"b": 2, "a": 1})
    assert fingerprint(Kind.TRAIN, {"a": 1}) != fingerprint(Kind.PROMOTE, {"a": 1})
    assert fingerprint(Kind.TRAIN, {"a": 1}) != fingerprint(Kind.TRAIN, {"a": "1"})
    # Keys outlive an upgrade.
    assert fingerprint(Kind.TRAIN, {"b": 2, "a": 1}) == sha256(b'["train",{"a":1,"b":2}]').hexdigest()


def test_a_key_that_ran_out_can_be_used_again(database: Database) -> None:
    first = keyed(database, "k", {"n": 1}, hours=-1)
    second = keyed(database, "k", {"n": 2})
    assert second != first
    assert keyed(database, "k", {"n": 2}) == second


def test_a_key_is_kept_for_its_hours(database: Database) -> None:
    job_id = keyed(database, "k", {"n": 1}, hours=24)
    with database.read() as session:
        kept_until = session.scalars(select(IdempotencyKeyRow.expires_at)).one()
    assert (kept_until - row_of(database, job_id).created_at).total_seconds() == pytest.approx(24 * 3600, abs=60)


def test_a_look_up_finds_what_the_key_was_answered_with(database: Database) -> None:
    job_id = keyed(database, "k", {"n": 1})
    finish_job(database, job_id)
    key = IdempotencyKey("me", "k", fingerprint(Kind.TRAIN, {"n": 1}), keep_hours=24)
    with database.read() as session:
        found = answered_before(session, key)
        assert found is not None
        assert (found.id, found.status) == (job_id, "succeeded")
        assert answered_before(session, IdempotencyKey("me", "new", "f", keep_hours=24)) is None


def test_an_acceptance_that_is_rolled_back_leaves_neither_job_nor_key(database: Database) -> None:
    key = IdempotencyKey("me", "k", "f", keep_hours=24)

    def stumble(session: Session) -> None:
        accept(session, kind=Kind.TRAIN, request={}, dataset_name="flowers", dataset_version_id=None, key=key)
        raise KeyError

    with pytest.raises(KeyError), database.write() as session:
        stumble(session)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(JobRow)) == 0
        assert session.scalar(select(func.count()).select_from(IdempotencyKeyRow)) == 0
        assert session.scalar(select(func.count()).select_from(JobEventRow)) == 0


# Claim and beat.


def test_a_claim_starts_an_attempt_with_a_lease(database: Database) -> None:
    job_id = add_job(database, kind=Kind.TRAIN, request={"n": 1})
    claim = claim_job(database, job_id)
    job = row_of(database, job_id)
    assert (job.status, job.epoch, job.attempt, job.worker) == ("running", 1, 1, "worker-1")
    assert job.started_at is not None
    assert job.lease_until is not None
    assert 50 < (job.lease_until - job.started_at).total_seconds() < 70
    assert (claim.job_id, claim.epoch, claim.kind, claim.request) == (job_id, 1, Kind.TRAIN, {"n": 1})
    assert events_of(database, job_id)[-1] == ("queued", "running", 1, "worker-1")


@pytest.mark.parametrize("why", ["running", "ended", "delayed", "to be cancelled", "unknown"])
def test_a_job_that_is_not_due_is_not_claimed(database: Database, why: str) -> None:
    job_id = add_job(database)
    match why:
        case "running":
            claim_job(database, job_id)
        case "ended":
            request_cancel(database, job_id)
        case "delayed":
            change(database, job_id, run_at=Now(60))
        case "to be cancelled":
            change(database, job_id, cancel_requested_at=Now())
        case _:
            job_id = uuid4()
    with database.write() as session:
        assert claims.claim(session, job_id, worker="worker-2", lease_seconds=60) is None


def test_a_second_attempt_keeps_the_moment_of_the_first_start(database: Database) -> None:
    job_id = add_job(database)
    first = claim_job(database, job_id)
    started = row_of(database, job_id).started_at
    with database.write() as session:
        endings.retry(session, first, FAILURE, delay_seconds=0, max_transient_failures=5)
    second = claim_job(database, job_id)
    assert (second.epoch, second.transient_count) == (2, 1)
    assert row_of(database, job_id).started_at == started


def test_a_beat_renews_the_lease(database: Database) -> None:
    job_id = add_job(database)
    claim = claim_job(database, job_id)
    end_lease(database, job_id)
    with database.write() as session:
        assert claims.beat(session, claim, lease_seconds=60)
        assert abandoned(session) == []


def test_a_beat_learns_of_a_cancel(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.read() as session:
        assert not claims.cancel_requested(session, claim)
    request_cancel(database, claim.job_id)
    with database.read() as session:
        assert claims.cancel_requested(session, claim)


def test_progress_is_shown_on_the_job(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        claims.report_progress(session, claim, percent=40, step="fitting")
    assert row_of(database, claim.job_id).progress == {"percent": 40, "step": "fitting"}


# Numbers and the commit.


def test_numbers_rise_by_one(database: Database) -> None:
    claims = [claim_job(database, add_job(database)) for _ in range(3)]
    numbers = []
    for claim in claims:
        with database.write() as session:
            numbers.append(take_model_version(session, claim))
    assert numbers == [1, 2, 3]


def test_a_success_stores_its_result_and_ends_the_lease(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        claims.succeed(session, claim)
        claims.put_outcome(session, claim, result={"version": 7})
    job = row_of(database, claim.job_id)
    assert (job.status, job.result, job.error, job.lease_until) == ("succeeded", {"version": 7}, None, None)
    assert job.finished_at is not None
    assert job.progress["percent"] == 100
    assert events_of(database, claim.job_id)[-1] == ("running", "succeeded", 1, "worker-1")


def test_only_a_success_has_a_result_but_every_end_has_its_usage(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        endings.fail(session, claim, FAILURE)
        claims.put_outcome(session, claim, result={"version": 7})
        claims.put_outcome(session, claim, usage={"seconds": 1})
    job = row_of(database, claim.job_id)
    assert (job.status, job.result, job.usage) == ("failed", None, {"seconds": 1})


def test_a_success_clears_the_error_of_an_earlier_attempt(database: Database) -> None:
    job_id = add_job(database)
    rescued = claim_job(database, job_id)
    rescue_job(database, rescued.job_id)
    assert row_of(database, job_id).error == WORKER_LOST.as_json()
    finish_job(database, job_id)
    with database.read() as session:
        assert session.scalars(select(JobRow.id).where(JobRow.error.is_(None))).all() == [job_id]


def test_a_commit_whose_effect_fails_leaves_the_job_running(database: Database) -> None:
    claim = claim_job(database, add_job(database))

    def stumble(session: Session) -> None:
        claims.succeed(session, claim)
        raise KeyError

    with pytest.raises(KeyError), database.write() as session:
        stumble(session)
    assert row_of(database, claim.job_id).status == "running"
    assert len(events_of(database, claim.job_id)) == 2


def test_a_requested_cancel_forbids_the_commit(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    request_cancel(database, claim.job_id)
    with pytest.raises(Fenced), database.write() as session:
        claims.succeed(session, claim)
    with database.write() as session:
        assert endings.confirm_cancel(session, claim) is State.CANCELLED
    assert row_of(database, claim.job_id).result is None


# An attempt that lost its job.


def lost(database: Database, how: str) -> Claim:
    """A claim on a job that somebody else runs, has ended or holds in the queue by now."""
    claim = claim_job(database, add_job(database))
    rescue_job(database, claim.job_id)
    if how != "queued":
        claim_job(database, claim.job_id)
    if how == "ended":
        request_cancel(database, claim.job_id)
        rescue_job(database, claim.job_id)
    return claim


@pytest.mark.parametrize("how", ["queued", "running", "ended"])
def test_a_lost_lease_writes_nothing(database: Database, how: str) -> None:
    claim = lost(database, how)
    before = (vars_of(row_of(database, claim.job_id)), events_of(database, claim.job_id))
    with database.write() as session:
        assert not claims.beat(session, claim, lease_seconds=60)
        assert endings.fail(session, claim, FAILURE) is None
        assert endings.retry(session, claim, FAILURE, delay_seconds=0, max_transient_failures=5) is None
        assert endings.crash(session, claim, FAILURE, max_crashes=1) is None
        assert endings.hand_back(session, claim) is None
        assert endings.confirm_cancel(session, claim) is None
        claims.report_progress(session, claim, percent=99, step="fitting")
        claims.put_outcome(session, claim, result={"version": 1}, usage={})
    fenced: list[Callable[[], object]] = [
        lambda: claims.succeed(session, claim),
        lambda: take_model_version(session, claim),
        lambda: claims.cancel_requested(session, claim),
    ]
    for act in fenced:
        with pytest.raises(Fenced), database.write() as session:
            act()
    assert (vars_of(row_of(database, claim.job_id)), events_of(database, claim.job_id)) == before
    with database.read() as session:
        assert session.get_one(CounterRow, "model_version").value == 0


def vars_of(job: JobRow) -> dict[str, object]:
    return {column.key: getattr(job, column.key) for column in JobRow.__mapper__.columns}


# All ways from state to state.

EDGES = [
    (before, after, act)
    for before, exits in TRANSITIONS.items()
    for after, acts in exits.items()
    for act in sorted(acts)
]


@pytest.mark.parametrize(("before", "after", "act"), EDGES, ids=[f"{act}-to-{after}" for _, after, act in EDGES])
def test_every_edge_of_the_table_can_be_walked(database: Database, before: State, after: State, act: str) -> None:
    job_id = add_job(database)
    if before is State.RUNNING:
        claim = claim_job(database, job_id)
        if after is State.CANCELLED:
            request_cancel(database, job_id)
        # The last allowed crash or failure, where the edge is about it.
        walk(database, claim, act, allowed=0 if after in {State.FAILED, State.QUARANTINED} else 2)
    elif act == "claim":
        claim_job(database, job_id)
    else:
        request_cancel(database, job_id)
    job = row_of(database, job_id)
    assert job.status == after
    assert (job.finished_at is not None) == (after not in TRANSITIONS)
    assert events_of(database, job_id)[-1][:2] == (before, after)


def walk(database: Database, claim: Claim, act: str, *, allowed: int) -> None:
    if act == "rescue":
        rescue_job(database, claim.job_id, max_crashes=allowed + 1)
        return
    with database.write() as session:
        match act:
            case "succeed":
                claims.succeed(session, claim)
            case "fail":
                endings.fail(session, claim, FAILURE)
            case "retry":
                endings.retry(session, claim, FAILURE, delay_seconds=0, max_transient_failures=allowed)
            case "crash":
                endings.crash(session, claim, FAILURE, max_crashes=allowed + 1)
            case "hand_back":
                endings.hand_back(session, claim)
            case _:
                endings.confirm_cancel(session, claim)


# Counting.


def test_a_job_is_quarantined_after_exactly_three_crashes_of_either_kind(database: Database) -> None:
    job_id = add_job(database)
    with database.write() as session:
        crashed = claims.claim(session, job_id, worker="worker-1", lease_seconds=60)
        assert crashed is not None
        assert endings.crash(session, crashed, FAILURE, max_crashes=3) is State.QUEUED
    claim_job(database, job_id)
    assert rescue_job(database, job_id) is State.QUEUED
    claim_job(database, job_id)
    assert rescue_job(database, job_id) is State.QUARANTINED
    job = row_of(database, job_id)
    assert (job.crash_count, job.attempt, job.transient_count) == (3, 3, 0)


def test_passing_failures_are_retried_later_until_there_were_too_many(database: Database) -> None:
    job_id = add_job(database)
    states = []
    for _ in range(3):
        claim = claim_job(database, job_id)
        with database.write() as session:
            states.append(endings.retry(session, claim, FAILURE, delay_seconds=60, max_transient_failures=2))
        with database.write() as session:
            assert claims.claim(session, job_id, worker="worker-1", lease_seconds=60) is None
        if states[-1] is State.QUEUED:
            change(database, job_id, run_at=Now())
    assert states == [State.QUEUED, State.QUEUED, State.FAILED]
    job = row_of(database, job_id)
    assert (job.transient_count, job.crash_count) == (3, 0)
    assert job.error == {"code": "store_unavailable", "message": "The object store does not answer."}


def test_a_job_that_is_handed_back_is_due_at_once_and_nothing_is_counted(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        endings.hand_back(session, claim)
    job = row_of(database, claim.job_id)
    assert (job.crash_count, job.transient_count, job.attempt) == (0, 0, 1)
    claim_job(database, claim.job_id)


def test_delays_double_up_to_five_minutes_and_differ() -> None:
    for count, ceiling in [(0, 2.0), (1, 4.0), (2, 8.0), (4, 32.0), (7, 256.0), (8, 300.0), (5000, 300.0)]:
        delays = [backoff_seconds(count, base_seconds=2) for _ in range(1000)]
        assert 1 <= min(delays) < 1 + (ceiling - 1) / 10
        assert ceiling * 0.9 < max(delays) <= ceiling


# Rescue.


def test_a_valid_lease_is_left_alone(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        assert abandoned(session) == []
        assert rescue(session, claim.job_id, actor="rescuer", max_crashes=3) is None
    assert row_of(database, claim.job_id).status == "running"


def test_the_longest_abandoned_job_is_rescued_first(database: Database) -> None:
    claims = [claim_job(database, add_job(database)) for _ in range(3)]
    for claim, seconds in zip(claims, (-10, -30, -20), strict=True):
        change(database, claim.job_id, lease_until=Now(seconds))
    with database.read() as session:
        assert abandoned(session, limit=2) == [claims[1].job_id, claims[2].job_id]


def test_a_rescued_job_is_due_at_once_and_wants_a_message(database: Database) -> None:
    job_id = add_job(database)
    with database.write() as session:
        assert [each.job_id for each in take_unpublished(session, limit=5, quiet_seconds=60)] == [job_id]
    claim_job(database, job_id)
    rescue_job(database, job_id)
    with database.write() as session:
        assert [each.job_id for each in take_unpublished(session, limit=5, quiet_seconds=60)] == [job_id]
    assert events_of(database, job_id)[-1] == ("running", "queued", 2, "rescuer")


# Cancel, and what needs an end.


def test_a_cancel_asked_twice_of_a_running_job_is_one_cancel(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    request_cancel(database, claim.job_id)
    first = row_of(database, claim.job_id).cancel_requested_at
    request_cancel(database, claim.job_id)
    assert row_of(database, claim.job_id).cancel_requested_at == first
    assert events_of(database, claim.job_id)[-1] == ("queued", "running", 1, "worker-1"), "it runs until it has stopped"


def test_an_ended_job_cannot_be_cancelled(database: Database) -> None:
    job_id = add_job(database)
    finish_job(database, job_id)
    with pytest.raises(JobEnded, match="succeeded"):
        request_cancel(database, job_id)


def test_only_an_ended_job_can_be_repeated(database: Database) -> None:
    job_id = add_job(database)
    with database.read() as session, pytest.raises(JobNotEnded, match="queued"):
        ended_job(session, job_id)
    finish_job(database, job_id)
    with database.read() as session:
        assert ended_job(session, job_id).id == job_id


@pytest.mark.parametrize("act", [find_job, cancel, ended_job])
def test_an_unknown_job_is_said_to_be_unknown(database: Database, act: Callable[..., object]) -> None:
    with pytest.raises(UnknownJob), database.write() as session:
        act(session, uuid4())


# Delivery.


def test_due_jobs_come_oldest_first_and_without_those_that_wait(database: Database) -> None:
    old, new, delayed, running = (add_job(database) for _ in range(4))
    change(database, old, run_at=Now(-60))
    change(database, delayed, run_at=Now(60))
    claim_job(database, running)
    with database.read() as session:
        assert [each.job_id for each in due(session, limit=10)] == [old, new]
        assert [each.job_id for each in due(session, limit=1)] == [old]
        assert [each.job_id for each in due(session, limit=10, since_seconds=30)] == [old]
        assert count_due(session) == 2


def test_a_job_that_waits_for_its_time_is_not_published_before(database: Database) -> None:
    delayed, due_now = add_job(database), add_job(database)
    change(database, delayed, run_at=Now(60))
    with database.write() as session:
        assert [each.job_id for each in take_unpublished(session, limit=5, quiet_seconds=60)] == [due_now]


@pytest.mark.parametrize("act", ["retry", "crash", "hand_back"])
def test_a_job_that_goes_back_to_the_queue_wants_a_message(database: Database, act: str) -> None:
    job_id = add_job(database)
    with database.write() as session:
        take_unpublished(session, limit=5, quiet_seconds=60)
    walk(database, claim_job(database, job_id), act, allowed=2)
    with database.write() as session:
        assert [each.job_id for each in take_unpublished(session, limit=5, quiet_seconds=60)] == [job_id]


@pytest.mark.parametrize("act", ["succeed", "fail", "retry", "crash", "hand_back", "rescue", "confirm_cancel"])
def test_an_attempt_leaves_no_lease_behind(database: Database, act: str) -> None:
    claim = claim_job(database, add_job(database))
    if act == "confirm_cancel":
        request_cancel(database, claim.job_id)
    walk(database, claim, act, allowed=2)
    job = row_of(database, claim.job_id)
    assert (job.status != "running", job.lease_until) == (True, None)


@pytest.mark.parametrize("act", ["retry", "crash", "hand_back", "rescue"])
def test_a_job_that_goes_back_to_the_queue_has_waited_from_then_on(database: Database, act: str) -> None:
    claim = claim_job(database, add_job(database))
    change(database, claim.job_id, run_at=Now(-3600))
    walk(database, claim, act, allowed=2)
    with database.read() as session:
        assert oldest_due_seconds(session) < 60


def test_the_job_that_is_due_for_the_longest_time_tells_how_long_the_queue_is_whatever_its_priority(
    database: Database,
) -> None:
    with database.read() as session:
        assert oldest_due_seconds(session) == 0
    for priority, seconds in ((0, 10), (9, 100), (5, 50)):
        change(database, add_job(database, priority=priority), run_at=Now(-seconds))
    with database.read() as session:
        assert 100 <= oldest_due_seconds(session) < 160


def test_a_published_job_is_published_again_after_a_while(database: Database) -> None:
    job_id = add_job(database, kind=Kind.TRAIN)
    with database.write() as session:
        (delivery,) = take_unpublished(session, limit=10, quiet_seconds=60)
        assert (delivery.job_id, delivery.kind) == (job_id, Kind.TRAIN)
        assert take_unpublished(session, limit=10, quiet_seconds=60) == []
    change(database, job_id, last_published_at=Now(-61))
    with database.write() as session:
        assert len(take_unpublished(session, limit=10, quiet_seconds=60)) == 1


# What an end says of itself.


def test_a_rescue_of_a_job_that_was_to_be_cancelled_counts_no_crash(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    request_cancel(database, claim.job_id)
    assert rescue_job(database, claim.job_id, max_crashes=1) is State.CANCELLED
    job = row_of(database, claim.job_id)
    assert (job.crash_count, job.error) == (0, CANCELLED.as_json())


@pytest.mark.parametrize("act", ["fail", "retry", "crash", "hand_back", "confirm_cancel"])
def test_a_job_whose_cancel_was_requested_says_so_however_its_attempt_ends(database: Database, act: str) -> None:
    claim = claim_job(database, add_job(database))
    request_cancel(database, claim.job_id)
    with database.write() as session:
        match act:
            case "fail":
                state = endings.fail(session, claim, FAILURE)
            case "retry":
                state = endings.retry(session, claim, FAILURE, delay_seconds=0, max_transient_failures=5)
            case "crash":
                state = endings.crash(session, claim, FAILURE, max_crashes=3)
            case "hand_back":
                state = endings.hand_back(session, claim)
            case _:
                state = endings.confirm_cancel(session, claim)
    assert state is State.CANCELLED
    assert row_of(database, claim.job_id).error == CANCELLED.as_json()


def test_a_queued_job_that_is_cancelled_says_so(database: Database) -> None:
    job_id = add_job(database)
    request_cancel(database, job_id)
    assert row_of(database, job_id).error == CANCELLED.as_json()


def test_a_cancel_of_a_running_job_leaves_the_error_of_its_earlier_attempt_until_its_end(database: Database) -> None:
    job_id = add_job(database)
    claim_job(database, job_id)
    rescue_job(database, job_id)
    claim_job(database, job_id)
    request_cancel(database, job_id)
    assert row_of(database, job_id).error == WORKER_LOST.as_json()


def test_a_job_that_goes_back_without_a_failure_has_no_error(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        endings.hand_back(session, claim)
    assert row_of(database, claim.job_id).error is None


def test_what_a_lost_attempt_used_is_not_known(database: Database) -> None:
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        session.execute(update(JobRow).values(usage={"wall_seconds": 1.0}))
    rescue_job(database, claim.job_id)
    assert row_of(database, claim.job_id).usage is None
