"""Whoever asks for many things at the same moment gets no more of them than the quota."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import update

from api.group_commit import GroupCommit
from api.queue_room import QueueRoom
from api.quotas import job_check, upload_check
from shared.database import Database
from shared.datasets.rows import DatasetVersionRow
from shared.errors import QueueFull, QuotaReached
from shared.jobs.acceptance import IdempotencyKey, accept
from shared.jobs.depth import waiting_up_to
from shared.jobs.rows import LAST_PRIORITY, NO_OWNER
from shared.jobs.shares import ALL_SHARES, count_open, lock_share
from shared.jobs.states import Kind, State
from shared.registry.compiling import ask_once
from shared.registry.deployments import active
from shared.settings import Settings
from tests.support.jobs import add_job, claim_job
from tests.support.registry import insert_dataset, register_model
from tests.support.threads import at_once


# All that one process accepts together would fit in the second case, but not what two do.
@pytest.mark.parametrize(("most", "each"), [(3, 6), (8, 6)])
def test_of_many_jobs_at_once_as_many_are_accepted_as_there_is_room(database: Database, most: int, each: int) -> None:
    settings = Settings(max_jobs_per_owner=most)
    # As two processes of the API.
    groups = [GroupCommit(database), GroupCommit(database)]

    def ask(group: GroupCommit, owner: str) -> bool:
        check = job_check(owner, Kind.TRAIN, settings)
        job: dict[str, Any] = {"kind": Kind.TRAIN, "request": {}, "dataset_name": "a", "dataset_version_id": None}
        try:
            group.run(lambda session: accept(session, **job, owner=owner, check=check), shares=[owner])
        except QuotaReached:
            return False
        return True

    acts = [partial(ask, group, owner) for _ in range(each) for group in groups for owner in ("anna", "bert")]
    assert sum(at_once(*acts)) == 2 * most
    with database.read() as session:
        for owner in ("anna", "bert"):
            assert count_open(session, owner)[State.QUEUED] == most


@pytest.mark.parametrize("keyed", [False, True])
def test_of_many_jobs_at_once_no_more_wait_than_may(database: Database, keyed: bool) -> None:
    # As two processes of the API, of which each has looked before the others wrote.
    processes = [(GroupCommit(database), QueueRoom(database, 5)) for _ in range(2)]

    def ask(number: int) -> bool:
        group, room = processes[number % 2]
        key = IdempotencyKey("anna", str(number), fingerprint="f", keep_hours=1) if keyed else None
        job: dict[str, Any] = {"kind": Kind.TRAIN, "request": {}, "dataset_name": "a", "dataset_version_id": None}
        try:
            assert room.is_close()
            group.run(
                lambda session: accept(session, **job, key=key, check=room.check),
                order="" if key is None else key.key,
                shares=[ALL_SHARES],
            )
        except QueueFull:
            return False
        return True

    assert sum(at_once(*(partial(ask, number) for number in range(16)))) == 5
    with database.read() as session:
        assert waiting_up_to(session, 100) == 5


def test_a_process_looks_now_and_then_while_there_is_much_room(database: Database) -> None:
    now = 1000.0
    room = QueueRoom(database, 1002, clock=lambda: now)
    assert not room.is_close()
    for _ in range(3):
        add_job(database)
    # It has not seen these, and takes 64 more until it does.
    assert [room.is_close() for _ in range(64)] == [False] * 64
    assert room.is_close()
    assert not QueueRoom(database, 1004).is_close()
    room = QueueRoom(database, 1004, clock=lambda: now)
    assert not room.is_close()
    add_job(database)
    add_job(database)
    assert not room.is_close()
    now += 1
    assert room.is_close(), "a second later it looks again"
    assert not QueueRoom(database, 0).is_close()


def test_where_a_transaction_finds_it_full_the_next_request_is_refused_before_its_own(database: Database) -> None:
    room = QueueRoom(database, 2, clock=lambda: 1000.0)
    add_job(database)
    assert room.is_close()
    add_job(database)
    # The transaction looks anyway.
    assert room.is_close()
    with database.read() as session, pytest.raises(QueueFull):
        room.check(session)
    with pytest.raises(QueueFull):
        room.is_close()


def test_jobs_that_are_accepted_together_have_the_others_counted_once(database: Database) -> None:
    room = QueueRoom(database, 4)
    add_job(database)
    with database.write() as session:
        assert [room.check(session) for _ in range(3)] == [3, 2, 1]
        with pytest.raises(QueueFull) as full:
            room.check(session)
    assert (full.value.members["used"], full.value.members["limit"]) == (4, 4)
    with database.read() as session:
        assert room.check(session) == 3, "nothing was inserted, as the next transaction finds"


def test_the_jobs_that_an_owner_has_accepted_together_count_among_theirs(database: Database) -> None:
    room = QueueRoom(database, 20)
    for owner in ["anna"] * 17 + ["bert"]:
        add_job(database, owner=owner)
    with database.read() as session:
        assert [room.check(session, owner) for owner in ("anna", "bert")] == [2, 1]
    with database.read() as session:
        assert room.check(session, "anna") == 2
        with pytest.raises(QueueFull, match="18 jobs of 'anna' wait already, and the last 2 places are kept"):
            room.check(session, "anna")


def test_compiled_forms_take_the_room_of_others_only_beyond_a_tenth_of_it(database: Database) -> None:
    def ask_for_form(version: int) -> None:
        trained = claim_job(database, add_job(database)).job_id
        with database.write() as session:
            register_model(session, data, version=version, job_id=trained)
        with database.read() as session:
            model = active(session, version, "dev")
        assert model is not None
        asked = ask_once(database, model)
        assert asked is not None
        assert ask_once(database, model) == asked, "however often it is loaded"

    with database.write() as session:
        data = insert_dataset(session)
    room = QueueRoom(database, 12)
    for _ in range(11):
        add_job(database, priority=LAST_PRIORITY)
    ask_for_form(1)
    ask_for_form(2)
    with database.read() as session:
        assert room.check(session) == 1, "two of them wait beside what others asked for"
    add_job(database)
    with database.read() as session, pytest.raises(QueueFull):
        room.check(session)
    # None is refused, and what is beyond a tenth counts.
    ask_for_form(3)
    ask_for_form(4)
    with database.read() as session:
        assert [waiting_up_to(session, most) for most in (100, 20, 12)] == [12, 14, 12]
        assert count_open(session, NO_OWNER)[State.QUEUED] == 16


def test_of_many_uploads_at_once_as_many_are_let_in_as_fit(database: Database) -> None:
    settings = Settings(storage_mb_per_owner=1)

    def ask(number: int) -> bool:
        check = upload_check("anna", 300_000, settings)
        assert check is not None
        try:
            with database.write() as session:
                lock_share(session, "anna")
                check(session)
                data = insert_dataset(session, f"data_{number}")
                mine = update(DatasetVersionRow).where(DatasetVersionRow.id == data.version_id)
                session.execute(mine.values(owner="anna", size_bytes=300_000))
        except QuotaReached:
            return False
        return True

    assert sum(at_once(*(partial(ask, number) for number in range(8)))) == 3
