"""What happens when many do a step of the job protocol at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from shared.clock import Now
from shared.counters import CounterRow, raise_counter
from shared.database import Database
from shared.datasets.catalog import delete_dataset
from shared.errors import DatasetInUse, JobEnded
from shared.jobs import claims, endings
from shared.jobs.acceptance import IdempotencyKey, accept, cancel, find_job
from shared.jobs.claims import Claim, Fenced
from shared.jobs.delivery import take_unpublished
from shared.jobs.rescue import rescue
from shared.jobs.rows import JobEventRow, JobRow
from shared.jobs.states import Kind, State
from shared.registry.erasure import erase_dataset
from shared.registry.rows import RegistryRow
from shared.registry.versions import take_model_version
from tests.support.jobs import add_job, claim_job
from tests.support.registry import insert_dataset, register_model
from tests.support.threads import at_once
from tests.support.waiting import eventually, somebody_waits

RACES = 20


def count_jobs(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(JobRow)) or 0


def state_of(database: Database, job_id: UUID) -> str:
    with database.read() as session:
        return find_job(session, job_id).status


@pytest.mark.asvs("2.3.4")
def test_of_forty_workers_one_claims_the_job(database: Database) -> None:
    job_id = add_job(database)

    def claim(worker: str) -> Claim | None:
        with database.write() as session:
            return claims.claim(session, job_id, worker=worker, lease_seconds=60)

    tried = at_once(*(partial(claim, f"worker-{number}") for number in range(40)))
    (won,) = [each for each in tried if each is not None]
    with database.read() as session:
        job = find_job(session, job_id)
        assert (job.worker, job.epoch, job.attempt) == (won.worker, 1, 1)
        assert session.scalar(select(func.count()).select_from(JobEventRow)) == 2


@pytest.mark.parametrize("expired", [False, True], ids=["new key", "key that ran out"])
def test_a_key_used_fifty_times_at_once_makes_one_job(database: Database, expired: bool) -> None:
    def post(hours: float = 24) -> UUID:
        with database.write() as session:
            key = IdempotencyKey("me", "k", "f", keep_hours=hours)
            return accept(
                session, kind=Kind.TRAIN, request={}, dataset_name="flowers", dataset_version_id=None, key=key
            ).id

    before = {post(hours=-1)} if expired else set()
    answers = set(at_once(*[post] * 50))
    assert len(answers) == 1
    assert answers.isdisjoint(before)
    assert count_jobs(database) == len(answers | before)


def test_counters_lose_nothing(database: Database) -> None:
    def raise_fifty_times() -> list[int]:
        values = []
        for _ in range(50):
            with database.write() as session:
                values.append(raise_counter(session, "model_version"))
        return values

    taken = at_once(*[raise_fifty_times] * 8)
    assert sorted(value for values in taken for value in values) == list(range(1, 401))
    assert all(values == sorted(values) for values in taken)
    with database.read() as session:
        assert session.get_one(CounterRow, "model_version").value == 400


def test_attempts_that_take_numbers_at_once_get_different_ones(database: Database) -> None:
    claims = [claim_job(database, add_job(database)) for _ in range(8)]

    def number(claim: Claim) -> int:
        with database.write() as session:
            return take_model_version(session, claim)

    assert sorted(at_once(*(partial(number, claim) for claim in claims))) == list(range(1, 9))


def test_of_two_rescuers_one_counts_the_crash(database: Database) -> None:
    def take_away(job_id: UUID) -> State | None:
        with database.write() as session:
            return rescue(session, job_id, actor="rescuer", max_crashes=3)

    for _ in range(RACES):
        claim = abandoned_claim(database)
        answers = at_once(*[partial(take_away, claim.job_id)] * 2)
        assert sorted(answers, key=str) == [None, State.QUEUED]
        with database.read() as session:
            job = find_job(session, claim.job_id)
            assert (job.crash_count, job.epoch) == (1, 2)


def abandoned_claim(database: Database) -> Claim:
    """A claim whose lease ran out."""
    claim = claim_job(database, add_job(database))
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == claim.job_id).values(lease_until=Now(-1)))
    return claim


def commit(database: Database, claim: Claim) -> bool:
    try:
        with database.write() as session:
            claims.succeed(session, claim)
    except Fenced:
        return False
    return True


def test_a_cancel_and_a_commit_at_once_agree_on_who_was_first(database: Database) -> None:
    def ask(job_id: UUID) -> bool:
        try:
            with database.write() as session:
                cancel(session, job_id)
        except JobEnded:
            return False
        return True

    for _ in range(RACES):
        claim = claim_job(database, add_job(database))
        committed, cancelled = at_once(partial(commit, database, claim), partial(ask, claim.job_id))
        assert committed != cancelled
        assert state_of(database, claim.job_id) == ("succeeded" if committed else "running")
        with database.write() as session:
            assert (endings.confirm_cancel(session, claim) is State.CANCELLED) == cancelled


def test_a_rescue_and_a_commit_at_once_agree_on_who_was_first(database: Database) -> None:
    def take_away(job_id: UUID) -> bool:
        with database.write() as session:
            return rescue(session, job_id, actor="rescuer", max_crashes=3) is not None

    for _ in range(RACES):
        claim = abandoned_claim(database)
        committed, rescued = at_once(partial(commit, database, claim), partial(take_away, claim.job_id))
        assert committed != rescued
        assert state_of(database, claim.job_id) == ("succeeded" if committed else "queued")


def test_relays_at_once_publish_each_job_once(database: Database) -> None:
    jobs = {add_job(database) for _ in range(60)}

    def relay() -> list[UUID]:
        taken: list[UUID] = []
        while True:
            with database.write() as session:
                deliveries = take_unpublished(session, limit=7, quiet_seconds=60)
            if not deliveries:
                return taken
            taken += [delivery.job_id for delivery in deliveries]

    published = [job_id for taken in at_once(*[relay] * 4) for job_id in taken]
    assert len(published) == len(set(published))
    # A relay may pass over what another one held and end before it: the next round takes that.
    assert jobs == set(published) | set(relay())


def test_a_relay_passes_over_what_another_one_holds(postgres_url: str) -> None:
    database = Database(postgres_url)
    for _ in range(4):
        add_job(database)
    with database.write() as first, database.write() as second:
        taken = [
            *take_unpublished(first, limit=2, quiet_seconds=60),
            *take_unpublished(second, limit=2, quiet_seconds=60),
        ]
    assert len({delivery.job_id for delivery in taken}) == 4
    database.close()


def test_a_cancel_meets_a_job_that_is_handed_back_and_cancels_it(database: Database) -> None:
    for _ in range(3 * RACES):
        job_id = add_job(database)
        claim = claim_job(database, job_id)

        def hand_back(claim: Claim = claim) -> None:
            with database.write() as session:
                endings.hand_back(session, claim)

        def give_up(job_id: UUID = job_id) -> None:
            with database.write() as session:
                cancel(session, job_id)

        at_once(hand_back, give_up)
        # Either the cancel found it queued, or the hand-back found the wish to cancel.
        assert state_of(database, job_id) == State.CANCELLED


def test_the_deletion_of_a_dataset_waits_for_the_commit_of_a_job_and_neither_fails_for_the_other(
    postgres_url: str,
) -> None:
    database = Database(postgres_url)
    with database.write() as session:
        data = insert_dataset(session)
    claim = claim_job(database, add_job(database, kind=Kind.TRAIN, dataset_version_id=data.version_id))

    def delete() -> None:
        with database.write() as session:
            delete_dataset(session, "iris")

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            # As a worker does: the job comes first, then what it makes.
            claims.succeed(session, claim)
            deletion = pool.submit(delete)
            eventually(lambda: deletion.done() or somebody_waits(database), what="the deletion meets the job")
            register_model(session, data, version=1, job_id=claim.job_id)
        with pytest.raises(DatasetInUse):
            deletion.result(timeout=30)
    with database.read() as session:
        assert session.scalars(select(RegistryRow.job_id)).all() == [claim.job_id]
    database.close()


def test_a_dataset_is_not_erased_beside_a_job_that_is_just_being_accepted(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.write() as session:
        data = insert_dataset(session)

    def erase() -> None:
        with database.write() as session:
            erase_dataset(session, "iris", actor="test")

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=data.version_id)
            erasure = pool.submit(erase)
            eventually(lambda: erasure.done() or somebody_waits(database), what="the erasure meets the job")
        with pytest.raises(DatasetInUse, match="uses the dataset"):
            erasure.result(timeout=30)
    database.close()
