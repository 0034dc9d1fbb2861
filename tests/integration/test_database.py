"""Transactions and the database's clock, the same on both databases."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import func, literal, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

import shared.database
from shared.clock import Instant, Now
from shared.counters import CounterRow, raise_counter
from shared.database import Database, is_outage
from shared.errors import DatabaseUnavailable
from shared.jobs.rows import IdempotencyKeyRow, JobRow
from tests.support.jobs import add_job
from tests.support.servers import free_ports
from tests.support.waiting import eventually


@pytest.fixture
def impatient(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The same database, by connections that wait for a lock for one second only."""
    monkeypatch.setattr(shared.database, "LOCK_WAIT_SECONDS", 1)
    impatient = Database(database_url)
    yield impatient
    impatient.close()


# Transactions.


def test_a_write_is_committed_at_the_end_of_its_block(database: Database) -> None:
    with database.write() as session:
        raise_counter(session, "model_version")
    assert counter(database) == 1


@pytest.mark.asvs("2.3.3")
def test_a_write_that_stumbles_leaves_nothing(database: Database) -> None:
    def stumble(session: Session) -> None:
        raise_counter(session, "model_version")
        raise KeyError

    with pytest.raises(KeyError), database.write() as session:
        stumble(session)
    assert counter(database) == 0


def test_a_connection_in_use_when_its_database_is_closed_is_closed_when_it_comes_back(
    database_url: str,
) -> None:
    database = Database(database_url)
    with database.read() as session:
        raw = session.connection().connection.driver_connection
        database.close()
        assert session.scalar(select(literal(1))) == 1
    if isinstance(raw, psycopg.Connection):
        assert raw.closed
        return
    assert isinstance(raw, sqlite3.Connection)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")


def counter(database: Database) -> int:
    with database.read() as session:
        return session.get_one(CounterRow, "model_version").value


def test_a_write_on_sqlite_takes_the_lock_before_its_first_statement(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.database, "LOCK_WAIT_SECONDS", 0)
    database = Database(sqlite_url)
    with database.write() as first:
        # SQLAlchemy begins lazily; reading is what a lost update starts with.
        first.get_one(CounterRow, "model_version")
        with pytest.raises(DatabaseUnavailable), database.write() as second:
            second.get_one(CounterRow, "model_version")
    database.close()


def test_a_reader_does_not_wait_for_a_writer(impatient: Database) -> None:
    with impatient.write() as session:
        raise_counter(session, "model_version")
        assert counter(impatient) == 0
    assert counter(impatient) == 1


def test_what_one_transaction_reads_is_of_one_moment_whatever_others_commit(database: Database) -> None:
    counters = select(CounterRow.value).order_by(CounterRow.name)
    with database.read() as session:
        before = session.execute(counters).scalars().all()
        with database.write() as writing:
            writing.execute(update(CounterRow).values(value=CounterRow.value + 1))
        assert session.execute(counters).scalars().all() == before
    with database.read() as session:
        assert session.execute(counters).scalars().all() != before


def test_sqlite_keeps_foreign_keys_and_every_commit(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.read() as session:
        found = [session.scalar(text(f"PRAGMA {name}")) for name in ("foreign_keys", "synchronous", "journal_mode")]
    assert found == [1, 2, "wal"]
    database.close()


# Outages, each one real.


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Another transaction holds the counter."""
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with database.write() as session:
            raise_counter(session, "model_version")
            holds.set()
            done.wait(timeout=30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holds.wait(timeout=30)
        yield
    finally:
        done.set()
        holder.join()


def test_a_lock_that_stays_is_an_outage(database: Database, impatient: Database) -> None:
    with held(database), pytest.raises(DatabaseUnavailable), impatient.write() as session:
        raise_counter(session, "model_version")


def test_a_deadlock_is_an_outage_for_one_of_the_two(postgres_url: str) -> None:
    database = Database(postgres_url)
    names = ("model_version", "registry_generation")
    meet = threading.Barrier(2)
    ends: list[str] = []

    def lock(*order: str) -> None:
        try:
            with database.write() as session:
                raise_counter(session, order[0])
                meet.wait(timeout=30)
                raise_counter(session, order[1])
        except DatabaseUnavailable:
            ends.append("outage")
        else:
            ends.append("commit")

    threads = [threading.Thread(target=lock, args=order) for order in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["commit", "outage"]
    database.close()


def test_a_server_that_does_not_answer_is_an_outage() -> None:
    database = Database(f"postgresql://nobody@127.0.0.1:{free_ports(1)[0]}/nothing")
    with pytest.raises(DatabaseUnavailable), database.read() as session:
        session.scalar(select(1))
    database.close()


def test_a_connection_that_the_server_cuts_is_an_outage(postgres_url: str) -> None:
    database = Database(postgres_url)

    def cut_and_go_on(session: Session) -> None:
        own = session.scalar(text("SELECT pg_backend_pid()"))
        with database.read() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
        session.scalar(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable), database.write() as session:
        cut_and_go_on(session)
    assert counter(database) == 0
    database.close()


def test_who_stands_still_inside_a_transaction_loses_its_locks_and_hears_of_an_outage(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.read() as session:
        assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"

    def stand_still() -> None:
        with database.write() as session:
            session.execute(text("SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
            raise_counter(session, "model_version")
            with database.write() as other:
                assert raise_counter(other, "model_version") == 1
            raise_counter(session, "model_version")

    with pytest.raises(DatabaseUnavailable):
        stand_still()
    with database.read() as session:
        assert session.scalar(select(CounterRow.value).where(CounterRow.name == "model_version")) == 1
    database.close()


def test_a_pool_without_a_free_connection_is_an_outage(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Database(database_url, pool_size=1)
    # Nobody waits 30 seconds in a test.
    monkeypatch.setattr(small.engine.pool, "_timeout", 0.1)
    with small.read() as one, small.read() as two:
        one.scalar(select(1))
        two.scalar(select(1))
        with pytest.raises(DatabaseUnavailable), small.read() as three:
            three.scalar(select(1))
    small.close()


def test_a_sqlite_file_that_cannot_be_opened_is_an_outage(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/missing/ml_registry.db")
    with pytest.raises(DatabaseUnavailable), database.read() as session:
        session.scalar(select(1))
    database.close()


def test_a_full_sqlite_database_is_an_outage(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    def fill(session: Session) -> None:
        pages = session.scalar(text("PRAGMA page_count"))
        session.execute(text(f"PRAGMA max_page_count = {pages}"))
        session.add(JobRow(id=uuid4(), kind="train", request={"long": "x" * 100_000}, dataset_name="flowers"))
        session.flush()

    with pytest.raises(DatabaseUnavailable, match="The disk of the SQL database is full"), database.write() as session:
        fill(session)
    database.close()


def test_a_full_disk_of_postgresql_is_told_as_one(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(DatabaseUnavailable, match="The disk of the SQL database is full"), database.write() as session:
        session.execute(text("DO $$ BEGIN RAISE disk_full; END $$"))
    database.close()


def test_a_violated_constraint_is_no_outage(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(CounterRow(name="model_version", value=1))


def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    with pytest.raises(SQLAlchemyError) as refused, database.write() as session:
        session.execute(text("SELECT nothing FROM counters"))
    assert not is_outage(refused.value)


def test_a_value_that_the_driver_refuses_is_no_outage(postgres_url: str) -> None:
    database = Database(postgres_url)
    with pytest.raises(DataError), database.write() as session:
        session.execute(update(CounterRow).values(value=1).where(CounterRow.name == "a\0b"))
    database.close()


def test_a_connection_to_postgresql_waits_for_nothing_without_end(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.read() as session:
        limits = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        assert [session.scalar(text(f"SHOW {name}")) for name in limits] == ["10s", "1min", "1min"]
        # What the driver was told, besides who and where; the connection is there as long as the session is.
        told = session.connection().connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
    assert {name: told.get(name) for name in SILENCE} == SILENCE
    database.close()


# A server that vanished without a word is given up after some 20 seconds.
SILENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}


# The clock.


@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.25, -0.25, 60.0, -3600.0, 1e6, -1e6, 1e9, 1e-7])
def test_the_databases_clock_is_moved_by_seconds(database: Database, seconds: float) -> None:
    with database.read() as session:
        before = datetime.now(UTC)
        moment = session.scalar(select(Now(seconds)))
        after = datetime.now(UTC)
    assert moment is not None
    # Both run on this machine. SQLite counts milliseconds.
    slack = timedelta(milliseconds=2)
    assert before - slack <= moment - timedelta(seconds=seconds) <= after + slack
    assert moment.tzinfo is UTC


def test_the_clock_goes_on_within_a_transaction(database: Database) -> None:
    with database.write() as session:
        first = clock(session)
        eventually(lambda: clock(session) > first)


def clock(session: Session) -> datetime:
    return session.execute(select(Now())).scalar_one()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 7, 1, 1, 30, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(1970, 1, 1, tzinfo=UTC),
    ],
)
def test_a_stored_moment_comes_back_to_the_microsecond(database: Database, moment: datetime) -> None:
    job_id = add_job(database)
    with database.write() as session:
        session.execute(update(JobRow).where(JobRow.id == job_id).values(lease_until=moment))
    with database.read() as session:
        stored = session.get_one(JobRow, job_id).lease_until
        assert stored == moment
        assert stored is not None
        assert stored.tzinfo is UTC
        assert session.scalar(select(JobRow.id).where(JobRow.lease_until == literal(moment, Instant()))) == job_id


def test_moments_written_by_the_clock_and_by_python_are_ordered_together(database: Database) -> None:
    now = datetime.now(UTC)
    offsets = [-3600.0, -1.5, -0.75, 0.75, 1.5, 3600.0]
    for index, seconds in enumerate(offsets):
        job_id = add_job(database)
        moment = now + timedelta(seconds=seconds) if index % 2 else Now(seconds)
        with database.write() as session:
            session.execute(update(JobRow).where(JobRow.id == job_id).values(run_at=moment, attempt=index))
    with database.read() as session:
        assert list(session.scalars(select(JobRow.attempt).order_by(JobRow.run_at))) == list(range(len(offsets)))
        due = set(session.scalars(select(JobRow.attempt).where(JobRow.run_at <= literal(now, Instant()))))
    assert due == {0, 1, 2}


def test_a_moment_just_written_is_not_in_the_future(database: Database) -> None:
    job_id = add_job(database)
    for _ in range(50):
        with database.write() as session:
            session.execute(update(JobRow).where(JobRow.id == job_id).values(run_at=Now()))
            assert session.scalar(select(JobRow.id).where(JobRow.run_at <= Now())) == job_id


def test_a_commit_that_fails_leaves_nothing_on_its_connection(database: Database) -> None:
    orphan = IdempotencyKeyRow(principal="a", key="b", fingerprint="c", job_id=uuid4(), expires_at=Now())
    # That its job is missing is only checked at the commit.
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(orphan)
    with database.write() as session:
        assert session.scalar(select(func.count()).select_from(IdempotencyKeyRow)) == 0
