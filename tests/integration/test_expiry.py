"""What is forgotten after a while, and what is renewed meanwhile, on both databases."""

import pytest
from sqlalchemy import select, update

from shared.clock import Now
from shared.database import Database
from shared.jobs.acceptance import IdempotencyKey, accept
from shared.jobs.expiry import expired_keys, forget_keys, forget_logs, old_logs
from shared.jobs.rows import IdempotencyKeyRow, JobRow
from shared.jobs.states import TERMINAL, Kind, State
from tests.support.jobs import add_job, add_lines, claim_job, log_of


def add_key(database: Database, name: str, *, seconds_ago: float) -> tuple[str, str]:
    """A key that ran out so long ago."""
    with database.write() as session:
        key = IdempotencyKey("me", name, "f", keep_hours=-seconds_ago / 3600)
        accept(session, kind=Kind.TRAIN, request={}, dataset_name="iris", dataset_version_id=None, key=key)
    return "me", name


def keys_of(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(IdempotencyKeyRow.key).order_by(IdempotencyKeyRow.key)))


def test_a_key_that_is_taken_again_after_it_was_found_to_have_run_out_stays(database: Database) -> None:
    key, other = add_key(database, "a", seconds_ago=60), add_key(database, "b", seconds_ago=60)
    with database.read() as session:
        found = expired_keys(session)
    add_key(database, "a", seconds_ago=-3600)
    assert sorted(found) == [key, other]
    with database.write() as session:
        assert forget_keys(session, found) == 1
    assert keys_of(database) == ["a"]


def test_the_keys_that_ran_out_first_are_found_first_and_the_others_not_at_all(database: Database) -> None:
    for name, seconds_ago in (("late", 10), ("first", 30), ("kept", -3600), ("second", 20)):
        add_key(database, name, seconds_ago=seconds_ago)
    with database.read() as session:
        assert [key for _, key in expired_keys(session)] == ["first", "second", "late"]


def test_a_key_that_somebody_else_deletes_is_left_to_them(postgres_url: str) -> None:
    database = Database(postgres_url)
    found = [add_key(database, name, seconds_ago=60) for name in ("a", "b")]
    with database.write() as first, database.write() as second:
        assert forget_keys(first, found[:1]) == 1
        assert forget_keys(second, found) == 1
    assert keys_of(database) == []
    database.close()


@pytest.mark.parametrize("state", list(State))
def test_the_logs_of_ended_jobs_are_forgotten_after_their_days_and_those_of_others_never(
    database: Database, state: State
) -> None:
    claims = [claim_job(database, add_job(database)) for _ in range(2)]
    for claim, days in zip(claims, (29, 31), strict=True):
        add_lines(database, claim, "one", "two")
        with database.write() as session:
            ended = {"status": state, "finished_at": Now(-days * 86_400)}
            session.execute(update(JobRow).where(JobRow.id == claim.job_id).values(**ended))
    with database.read() as session:
        found = old_logs(session, keep_days=30)
    assert found == ([claims[1].job_id] if state in TERMINAL else [])
    with database.write() as session:
        assert forget_logs(session, found) == len(found)
        assert old_logs(session, keep_days=30) == []
    assert log_of(database, claims[0].job_id) == ["one", "two"]
    assert log_of(database, claims[1].job_id) == ([] if found else ["one", "two"])
