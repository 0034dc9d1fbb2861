"""The log of a job, on both databases."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from shared.clock import Now
from shared.database import Database
from shared.jobs import claims, endings, logs
from shared.jobs.acceptance import find_job
from shared.jobs.claims import Claim
from shared.jobs.logs import CUT, Line
from shared.jobs.marks import marked_jobs, marks
from shared.jobs.rescue import rescue
from shared.jobs.rows import JobLogRow, JobRow
from shared.jobs.states import State
from tests.support.jobs import add_job, add_lines, claim_job, finish_job, log_of


@pytest.fixture
def claim(database: Database) -> Claim:
    return claim_job(database, add_job(database))


def take_away(database: Database, claim: Claim) -> None:
    with database.write() as session:
        session.execute(update(JobRow).values(lease_until=Now(-1)))
        assert rescue(session, claim.job_id, actor="other", max_crashes=9) is State.QUEUED


def test_lines_are_kept_in_the_order_in_which_they_were_said(database: Database, claim: Claim) -> None:
    add_lines(database, claim, "one", "two")
    add_lines(database, claim, "three", first=3)
    assert log_of(database, claim.job_id) == ["one", "two", "three"]


def test_a_line_that_is_written_twice_is_kept_once(database: Database, claim: Claim) -> None:
    add_lines(database, claim, "one", "two")
    add_lines(database, claim, "two", "three", first=2)
    assert log_of(database, claim.job_id) == ["one", "two", "three"]


def test_a_line_has_the_moment_at_which_it_was_said_by_the_clock_of_the_database(
    database: Database, claim: Claim
) -> None:
    now = Line(1, "now").said_at
    with database.write() as session:
        logs.append(session, claim, [Line(1, "before", now - 60), Line(2, "now", now)], most=10)
        before, after = logs.read(session, claim.job_id, after=0, limit=9)
        assert timedelta(seconds=59) < after.at - before.at < timedelta(seconds=61)
        claimed_at = find_job(session, claim.job_id).started_at
    assert claimed_at is not None
    assert abs(after.at - claimed_at) < timedelta(seconds=50)


@pytest.mark.parametrize("lost_by", ["rescue", "end"])
def test_an_attempt_that_lost_its_job_writes_nothing(database: Database, claim: Claim, lost_by: str) -> None:
    add_lines(database, claim, "one")
    if lost_by == "rescue":
        take_away(database, claim)
    else:
        with database.write() as session:
            claims.succeed(session, claim)
    add_lines(database, claim, "too late", first=2)
    assert log_of(database, claim.job_id) == ["one"]


def test_the_lines_of_the_next_attempt_follow_those_of_the_one_before(database: Database, claim: Claim) -> None:
    add_lines(database, claim, "one", "two")
    take_away(database, claim)
    second = claim_job(database, claim.job_id)
    add_lines(database, second, "again")
    add_lines(database, second, "again", "and on")
    add_lines(database, claim, "a late line of the first", first=3)
    with database.write() as session:
        endings.hand_back(session, second)
    third = claim_job(database, claim.job_id)
    add_lines(database, third, "a third time")
    assert (second.attempt, third.attempt) == (2, 3)
    assert log_of(database, claim.job_id) == ["one", "two", "again", "and on", "a third time"]


def test_the_last_lines_are_written_with_the_end_or_not_at_all(database: Database, claim: Claim) -> None:
    for error in (ArithmeticError, None):
        try:
            with database.write() as session:
                claims.succeed(session, claim)
                logs.add(session, claim.job_id, claim.epoch, [Line(1, "done")], most=10)
                if error:
                    raise error
        except ArithmeticError:
            assert log_of(database, claim.job_id) == []
    assert log_of(database, claim.job_id) == ["done"]


@pytest.mark.parametrize("at_once", [1, 3, 100])
def test_a_log_that_is_full_ends_with_one_line_that_says_so(database: Database, claim: Claim, at_once: int) -> None:
    said = [f"line {number}" for number in range(1, 51)]
    for start in range(0, 50, at_once):
        add_lines(database, claim, *said[start : start + at_once], first=start + 1, most=20)
    assert log_of(database, claim.job_id) == [*said[:20], CUT]
    take_away(database, claim)
    add_lines(database, claim_job(database, claim.job_id), "again", most=20)
    assert log_of(database, claim.job_id) == [*said[:20], CUT]


def test_a_log_that_is_just_full_does_not_say_that_it_was_cut(database: Database, claim: Claim) -> None:
    add_lines(database, claim, "one", "two", most=2)
    assert log_of(database, claim.job_id) == ["one", "two"]
    take_away(database, claim)
    add_lines(database, claim_job(database, claim.job_id), "again", most=2)
    assert log_of(database, claim.job_id) == ["one", "two", CUT]


def test_what_no_database_takes_is_made_harmless(database: Database, claim: Claim) -> None:
    add_lines(database, claim, "a\0b", "\ud800", "x" * 5000)
    first, second, third = log_of(database, claim.job_id)
    assert (first, second, len(third)) == ("a b", "\ufffd", 1000)


def test_a_log_is_read_in_pages(database: Database, claim: Claim) -> None:
    add_lines(database, claim, *(f"line {number}" for number in range(1, 251)))
    with database.read() as session:
        pages = [logs.read(session, claim.job_id, after=after, limit=100) for after in (0, 100, 200, 250)]
    assert [[page[0].seq, page[-1].seq] for page in pages[:3]] == [[1, 100], [101, 200], [201, 250]]
    assert pages[3] == []


def test_many_places_in_many_logs_are_read_at_once(database: Database) -> None:
    claims = [claim_job(database, add_job(database)) for _ in range(3)]
    for claim in claims:
        add_lines(database, claim, *(f"line {number}" for number in range(1, 10)))
    first, second, third = (claim.job_id for claim in claims)
    places = {(first, 0), (first, 1), (first, 6), (second, 8), (third, 9)}
    # So many that one statement does not hold them.
    places |= {(uuid4(), 0) for _ in range(250)}
    with database.read() as session:
        found = logs.read_many(session, places, limit=2)
    assert {job_id: [line.seq for line in lines] for job_id, lines in found.items()} == {
        first: [1, 2, 3, 7, 8],
        second: [9],
    }


def test_the_log_goes_with_its_job(database: Database, claim: Claim) -> None:
    add_lines(database, claim, "one")
    with database.write() as session:
        session.execute(delete(JobRow).where(JobRow.id == claim.job_id))
        assert session.scalars(select(JobLogRow)).all() == []


def test_marks_tell_how_far_each_job_has_come(database: Database, claim: Claim) -> None:
    queued, ended = add_job(database), add_job(database)
    finish_job(database, ended)
    add_lines(database, claim, "one", "two")
    asked = [queued, claim.job_id, ended, uuid4()]
    with database.read() as session:
        found = marks(session, asked)
        jobs = marked_jobs(session, asked)
    assert {job_id: (mark.event_seq, mark.log_seq, mark.status) for job_id, mark in found.items()} == {
        queued: (1, 0, State.QUEUED),
        claim.job_id: (2, 2, State.RUNNING),
        ended: (3, 0, State.SUCCEEDED),
    }
    assert found[claim.job_id].progress == {"percent": 0, "step": "reading"}
    assert [job_id for job_id, mark in found.items() if mark.is_end] == [ended]
    assert {job_id: mark for job_id, (_, mark) in jobs.items()} == found
    assert all(job.id == job_id and job.status == mark.status for job_id, (job, mark) in jobs.items())
