"""Owners take turns: whoever has one job does not wait for all jobs of whoever has many."""

from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update

from shared.clock import Now
from shared.database import Database
from shared.jobs import claims, delivery, turns
from shared.jobs.acceptance import find_job
from shared.jobs.claims import Claim
from shared.jobs.places import places_in_queue
from shared.jobs.rows import JobRow
from shared.jobs.shares import lock_share, running_by_share
from shared.jobs.states import State
from shared.jobs.turns import begin
from tests.support.jobs import add_job, finish_job
from tests.support.threads import at_once

ANNA, BERT, CARA = "anna", "bert", "cara"


def take(
    database: Database, told: UUID, *, most_running: int = 0, pools: tuple[str, ...] = ("default",)
) -> Claim | None:
    """What a worker claims that is told of a job."""
    with database.write() as session:
        return begin(session, told, worker="me", lease_seconds=60, pools=pools, most_running=most_running)


def begun(database: Database, *told: UUID, most_running: int = 0) -> list[str | None]:
    """Whose jobs begin, one after another, when a worker is told of these."""
    owners: list[str | None] = []
    for job_id in told:
        claim = take(database, job_id, most_running=most_running)
        with database.read() as session:
            owners.append("nothing" if claim is None else find_job(session, claim.job_id).owner)
    return owners


def end(database: Database, claim: Claim) -> None:
    with database.write() as session:
        claims.succeed(session, claim)


def test_whoever_has_one_job_waits_for_no_more_than_what_runs(database: Database) -> None:
    many = [add_job(database, owner=ANNA) for _ in range(50)]
    one = add_job(database, owner=BERT)
    assert begun(database, *many[:3]) == [ANNA, BERT, ANNA]
    with database.read() as session:
        assert find_job(session, one).status == State.RUNNING


def test_a_worker_of_one_slot_serves_owners_in_turns(database: Database) -> None:
    told = [add_job(database, owner=owner) for owner in (ANNA, ANNA, ANNA, BERT, BERT, CARA)]
    owners = []
    for job_id in told:
        claim = take(database, job_id)
        assert claim is not None
        with database.read() as session:
            owners.append(find_job(session, claim.job_id).owner)
        end(database, claim)
    assert owners == [ANNA, BERT, CARA, ANNA, BERT, ANNA]


def test_whoever_has_fewer_jobs_running_goes_first_even_if_served_later(database: Database) -> None:
    assert take(database, add_job(database, owner=ANNA)) is not None
    add_served(database, BERT)
    assert begun(database, add_job(database, owner=ANNA), add_job(database, owner=BERT)) == [BERT, ANNA]


def test_a_message_has_its_own_job_begin_when_it_is_the_turn_of_its_owner(database: Database) -> None:
    add_job(database, owner=ANNA)
    told = add_job(database, owner=ANNA)
    claim = take(database, told)
    assert claim is not None
    assert claim.job_id == told


def test_as_many_messages_as_jobs_have_all_of_them_begin(database: Database) -> None:
    told = [add_job(database, owner=owner) for owner in (ANNA, ANNA, BERT, None, ANNA, None)]
    found = [take(database, job_id) for job_id in reversed(told)]
    assert {claim.job_id for claim in found if claim} == set(told)
    assert take(database, told[0]) is None
    assert take(database, uuid4()) is None


def test_whoever_looks_by_itself_begins_nothing_in_the_stead_of_a_job_that_has_begun(database: Database) -> None:
    told = [add_job(database, owner=ANNA) for _ in range(2)]
    assert take(database, told[0]) is not None
    with database.write() as session:
        assert begin(session, told[0], worker="me", lease_seconds=60, by_message=False) is None
        assert begin(session, told[1], worker="me", lease_seconds=60, by_message=False) is not None


def test_jobs_without_an_owner_are_those_of_one_more(database: Database) -> None:
    told = [add_job(database, owner=owner) for owner in (None, None, None, ANNA)]
    assert begun(database, *told) == [None, ANNA, None, None]


def test_priorities_go_before_turns(database: Database) -> None:
    urgent = [add_job(database, owner=ANNA, priority=0) for _ in range(2)]
    usual = add_job(database, owner=BERT)
    assert begun(database, usual, *urgent) == [ANNA, ANNA, BERT]


def test_turns_are_taken_within_the_pools_of_a_worker(database: Database) -> None:
    for _ in range(2):
        add_job(database, owner=BERT, pool="large")
    mine = [add_job(database, owner=ANNA) for _ in range(2)]
    assert begun(database, *mine) == [ANNA, ANNA]
    assert take(database, mine[0]) is None
    both = take(database, mine[0], pools=("default", "large"))
    assert both is not None


def test_what_is_not_due_takes_no_turn(database: Database) -> None:
    later = add_job(database, owner=BERT)
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == later).values(run_at=Now(3600)))
    now = add_job(database, owner=ANNA)
    assert begun(database, later, later) == [ANNA, "nothing"]
    with database.read() as session:
        assert find_job(session, now).status == State.RUNNING


def test_a_job_of_a_kind_of_tomorrow_keeps_nobody_waiting(database: Database) -> None:
    strange = add_job(database, owner=ANNA, priority=0)
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == strange).values(kind="of_tomorrow"))
    add_job(database, owner=ANNA)
    assert begun(database, strange, strange) == [ANNA, "nothing"]


def test_no_more_jobs_of_an_owner_run_than_the_limit(database: Database) -> None:
    told = [add_job(database, owner=ANNA) for _ in range(3)]
    told += [add_job(database) for _ in range(3)]
    assert begun(database, *told, most_running=2) == [ANNA, None, ANNA, None, None, "nothing"]
    with database.write() as session:
        assert delivery.due(session, limit=9, most_running=2) == []
        assert delivery.count_due(session, most_running=2) == 0
        assert delivery.take_unpublished(session, limit=9, quiet_seconds=0, most_running=2) == []
        assert len(delivery.due(session, limit=9, most_running=3)) == 1


def test_a_job_that_ends_makes_room_for_the_next_of_its_owner(database: Database) -> None:
    first, second = add_job(database, owner=ANNA), add_job(database, owner=ANNA)
    claim = take(database, first, most_running=1)
    assert claim is not None
    assert take(database, second, most_running=1) is None
    end(database, claim)
    assert take(database, second, most_running=1) is not None


@pytest.mark.parametrize("owners", [[ANNA], [ANNA, BERT]])
def test_workers_at_once_never_run_more_of_an_owner_than_the_limit(database: Database, owners: list[str]) -> None:
    told = [add_job(database, owner=owner) for _ in range(8) for owner in owners]
    found = at_once(*(partial(take, database, job_id, most_running=3) for job_id in told))
    taken = [claim.job_id for claim in found if claim]
    assert len(taken) == len(set(taken)) == 3 * len(owners)
    with database.read() as session:
        running = session.execute(running_by_share())
        assert {row[0]: row[1] for row in running} == dict.fromkeys(owners, 3)


def test_whoever_was_too_late_for_one_job_holds_no_lock_while_it_looks_for_the_next(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, other = Database(postgres_url), Database(postgres_url)
    told = [add_job(database, owner=ANNA) for _ in range(2)]
    assert take(database, told[0], most_running=1) is not None
    # As if the other job had been begun after it was the turn of this one.
    monkeypatch.setattr(turns, "job_to_begin", lambda *_, **__: told[1])
    with database.write() as session:
        assert begin(session, told[1], worker="me", lease_seconds=60, most_running=1) is None
        with other.write() as beside:
            beside.execute(text("SET LOCAL lock_timeout = '1s'"))
            lock_share(beside, ANNA)
    for each in (database, other):
        each.close()


def test_workers_at_once_begin_one_job_for_each_message(database: Database) -> None:
    told = [add_job(database, owner=owner) for owner in (ANNA, BERT, CARA, None) * 4]
    found = at_once(*(partial(take, database, job_id) for job_id in told))
    assert {claim.job_id for claim in found if claim} == set(told)


def test_a_place_in_the_queue_counts_the_turns_of_others(database: Database) -> None:
    add_served(database, ANNA)
    mine = [add_job(database, owner=ANNA) for _ in range(3)]
    others = [add_job(database, owner=owner) for owner in (BERT, BERT, CARA)]
    later = add_job(database, owner=CARA, priority=6)
    with database.read() as session:
        places = places_in_queue(session, [*mine, *others, later])
    expected = [places[job_id].position for job_id in (*mine, *others, later)]
    order = []
    for _ in range(7):
        claim = take(database, mine[0])
        assert claim is not None
        order.append(claim.job_id)
    assert [order.index(job_id) + 1 for job_id in (*mine, *others, later)] == expected


def add_served(database: Database, owner: str) -> None:
    """One job of the owner that has ended."""
    finish_job(database, add_job(database, owner=owner))
