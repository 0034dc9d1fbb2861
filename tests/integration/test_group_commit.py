"""Requests that commit together: each gets what is its own, and none waits in vain."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from api.group_commit import GroupCommit
from shared.database import Database
from shared.errors import DatabaseUnavailable
from shared.jobs.acceptance import accept
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from tests.support.waiting import eventually

Act = Callable[[Session], str]


def insert(name: str) -> Act:
    """A write that leaves a job of a dataset of that name."""

    def act(session: Session) -> str:
        accept(session, kind=Kind.PROMOTE, request={}, dataset_name=name, dataset_version_id=None)
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


def test_when_the_database_does_not_say_what_became_of_a_commit_nothing_is_written_twice(
    crowd: Crowd, database: Database
) -> None:
    calls: list[str] = []

    def act(session: Session) -> str:
        calls.append("called")
        return insert("a")(session)

    written = [crowd.wait_with(act), crowd.wait_with(fail(DatabaseUnavailable()))]
    crowd.go_on()
    assert [type(each.exception(30)) for each in written] == [DatabaseUnavailable] * 2
    assert calls == ["called"]
    assert names(database) == set()


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
