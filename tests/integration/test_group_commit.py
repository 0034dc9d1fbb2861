"""Requests that commit together: each gets what is its own, and none waits in vain."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.group_commit import GroupCommit
from shared.database import LOCK_WAIT_SECONDS, Database
from shared.errors import DatabaseUnavailable
from shared.jobs.acceptance import IdempotencyKey, accept
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from tests.support.waiting import eventually

Act = Callable[[Session], str]
NO_VERSION = 10**6


def insert(name: str, *, key: str | None = None, version: int | None = None) -> Act:
    """A write that leaves a job of a dataset of that name."""
    taken = None if key is None else IdempotencyKey("anonymous", key, fingerprint="same", keep_hours=1)

    def act(session: Session) -> str:
        accept(session, kind=Kind.PROMOTE, request={}, dataset_name=name, dataset_version_id=version, key=taken)
        return name

    return act


def fail(error: BaseException) -> Act:
    def act(_session: Session) -> str:
        raise error

    return act


class Crowd:
    """Threads whose writes all wait while the first one is in its transaction."""

    def __init__(self, database: Database) -> None:
        self.commits = 0
        self._group = GroupCommit(database)
        self._pool = ThreadPoolExecutor(40)
        self._first_is_in = threading.Event()
        self._go_on = threading.Event()
        event.listen(database.engine, "commit", self._count)
        self._pool.submit(self._group.run, self._hold)
        assert self._first_is_in.wait(10)

    def wait_with(self, act: Act, *, order: str = "") -> "Future[str]":
        """Have one more thread write."""
        before = len(self._group._waiting)
        written = self._pool.submit(self._group.run, act, order=order)
        eventually(lambda: len(self._group._waiting) == before + 1)
        return written

    def go_on(self) -> None:
        self._go_on.set()

    def close(self) -> None:
        self.go_on()
        self._pool.shutdown()

    def _hold(self, session: Session) -> str:
        session.connection()
        self._first_is_in.set()
        assert self._go_on.wait(30)
        return "first"

    def _count(self, _connection: object) -> None:
        self.commits += 1


@pytest.fixture
def crowd(database: Database) -> Iterator[Crowd]:
    made = Crowd(database)
    yield made
    made.close()


def names(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(JobRow.dataset_name)))


def test_writes_that_wait_share_one_commit_and_each_gets_its_own_answer(crowd: Crowd, database: Database) -> None:
    written = [crowd.wait_with(insert(f"d{number}")) for number in range(10)]
    crowd.go_on()
    assert [each.result(30) for each in written] == [f"d{number}" for number in range(10)]
    assert crowd.commits == 2
    assert names(database) == {f"d{number}" for number in range(10)}


def test_more_than_fit_into_one_transaction_go_into_the_next(crowd: Crowd) -> None:
    written = [crowd.wait_with(insert(f"d{number}")) for number in range(35)]
    crowd.go_on()
    assert {each.result(30) for each in written} == {f"d{number}" for number in range(35)}
    assert crowd.commits == 3


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit("no")], ids=["an error", "the end of its thread"])
def test_one_that_fails_takes_no_other_along(crowd: Crowd, database: Database, error: BaseException) -> None:
    before, bad, after = crowd.wait_with(insert("a")), crowd.wait_with(fail(error)), crowd.wait_with(insert("b"))
    crowd.go_on()
    assert isinstance(bad.exception(30), type(error))
    assert (before.result(30), after.result(30)) == ("a", "b")
    assert names(database) == {"a", "b"}


def test_one_that_the_database_refuses_takes_no_other_along(crowd: Crowd, database: Database) -> None:
    good, bad = crowd.wait_with(insert("a")), crowd.wait_with(insert("b", version=NO_VERSION))
    crowd.go_on()
    assert isinstance(bad.exception(30), IntegrityError)
    assert good.result(30) == "a"
    assert names(database) == {"a"}


def test_after_a_commit_whose_answer_was_lost_nothing_is_written_again(
    crowd: Crowd, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [crowd.wait_with(insert(name)) for name in ("a", "b")]
    commit = Session.commit

    def commit_and_lose_the_answer(session: Session) -> None:
        commit(session)
        raise DatabaseUnavailable

    monkeypatch.setattr(Session, "commit", commit_and_lose_the_answer)
    crowd.go_on()
    errors = [each.exception(30) for each in written]
    assert [type(error) for error in errors] == [DatabaseUnavailable] * 2
    assert errors[0] is not errors[1], "each thread raises one of its own"
    monkeypatch.undo()
    with database.read() as session:
        assert sorted(session.scalars(select(JobRow.dataset_name))) == ["a", "b"]


def test_equal_keys_in_one_group_are_one_job(crowd: Crowd, database: Database) -> None:
    written = [crowd.wait_with(insert("a", key="red"), order="red") for _ in range(3)]
    crowd.go_on()
    assert [each.result(30) for each in written] == ["a"] * 3
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(JobRow)) == 1


def test_two_processes_that_take_the_same_keys_crosswise_do_not_wait_for_each_other(postgres_url: str) -> None:
    database = Database(postgres_url)
    crowds = [Crowd(database), Crowd(database)]
    keys = (["red", "green", "blue"], ["blue", "green", "red"])
    written = [
        crowd.wait_with(insert(key, key=key), order=key)
        for crowd, each in zip(crowds, keys, strict=True)
        for key in each
    ]
    for crowd in crowds:
        crowd.go_on()
    assert sorted(each.result(30) for each in written) == ["blue", "blue", "green", "green", "red", "red"]
    assert names(database) == {"red", "green", "blue"}
    for crowd in crowds:
        crowd.close()
    database.close()


def test_one_that_waits_for_the_lock_of_somebody_who_stands_still_holds_up_no_other_for_long(postgres_url: str) -> None:
    database = Database(postgres_url)
    crowd = Crowd(database)
    with Session(database.engine) as still:
        insert("a", key="red")(still)
        still.flush()
        stuck = crowd.wait_with(insert("a", key="red"), order="red")
        other = crowd.wait_with(insert("b"), order="")
        crowd.go_on()
        # Far less than one that is alone waits for a lock.
        assert other.result(LOCK_WAIT_SECONDS / 2) == "b"
        assert not stuck.done()
        still.rollback()
    assert stuck.result(30) == "a"
    crowd.close()
    database.close()


def test_writes_are_done_in_their_order_whoever_came_first(crowd: Crowd) -> None:
    done: list[str] = []

    def note(name: str) -> Act:
        def act(_session: Session) -> str:
            done.append(name)
            return name

        return act

    written = [crowd.wait_with(note(name), order=name) for name in ("c", "a", "b")]
    crowd.go_on()
    assert [each.result(30) for each in written] == ["c", "a", "b"]
    assert done == ["a", "b", "c"]


def test_a_write_that_comes_alone_does_not_wait_for_others(database: Database) -> None:
    assert GroupCommit(database).run(insert("a")) == "a"
    assert names(database) == {"a"}
