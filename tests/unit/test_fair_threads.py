"""Threads that are shared out by key."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from api.fair_threads import FairThreads, Full, Overdue, Stuck
from tests.support.waiting import eventually

WORD: ContextVar[str] = ContextVar("word")
LONG = 60.0
SHORT = 0.05


async def until(predicate: Callable[[], bool]) -> None:
    await asyncio.to_thread(eventually, predicate)


async def turns() -> None:
    """Let whatever can go on without waiting go on."""
    for _ in range(5):
        await asyncio.sleep(0)


def begin(threads: FairThreads, key: str, gate: threading.Event) -> "asyncio.Task[bool]":
    return asyncio.create_task(threads.run(key, lambda: gate.wait(30)))


def fail() -> None:
    raise LookupError("no such thing")


def test_a_result_an_error_and_the_context_pass_through() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=2, share=1, callers=9, seconds=LONG)
        WORD.set("bound")
        assert await threads.run("a", WORD.get) == "bound"
        with pytest.raises(LookupError, match="no such thing"):
            await threads.run("a", fail)
        assert await threads.run("a", threading.current_thread) is not threading.current_thread()

    asyncio.run(act())


def test_who_has_used_up_his_share_waits_and_others_do_not() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=2, share=1, callers=9, seconds=LONG)
        gate = threading.Event()
        first, second = begin(threads, "a", gate), begin(threads, "a", gate)
        assert await threads.run("b", lambda: 1) == 1
        assert not first.done()
        assert not second.done()
        gate.set()
        assert await first
        assert await second

    asyncio.run(act())


def test_who_comes_when_all_threads_are_taken_waits_for_one_and_gets_it() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=2, share=1, callers=9, seconds=LONG)
        gates = [threading.Event() for _ in range(2)]
        held = [begin(threads, key, gate) for key, gate in zip("ab", gates, strict=True)]
        begun: list[int] = []
        third = asyncio.create_task(threads.run("c", lambda: begun.append(1)))
        await turns()
        assert begun == []
        gates[0].set()
        await third
        gates[1].set()
        await asyncio.gather(*held)

    asyncio.run(act())


def test_one_caller_too_many_is_refused_at_once() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=2, share=1, callers=2, seconds=LONG)
        gate = threading.Event()
        waiting = [begin(threads, "a", gate) for _ in range(2)]
        await turns()
        with pytest.raises(Full):
            await threads.run("a", lambda: 1)
        gate.set()
        await asyncio.gather(*waiting)

    asyncio.run(act())


def test_who_waits_for_a_place_waits_no_longer_than_the_work_may_take() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=1, share=1, callers=9, seconds=SHORT)
        gate = threading.Event()
        begun: list[int] = []
        first = begin(threads, "a", gate)
        await turns()
        with pytest.raises(Full):
            await threads.run("a", lambda: begun.append(1))
        with pytest.raises(Overdue):
            await first
        gate.set()
        await until(lambda: not threads.overdue())
        assert begun == []
        assert await threads.run("a", lambda: 1) == 1

    asyncio.run(act())


def test_work_that_was_given_up_keeps_its_place_until_it_ends() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=4, share=2, callers=9, seconds=SHORT)
        gate = threading.Event()
        with pytest.raises(Overdue):
            await begin(threads, "a", gate)
        assert threads.overdue() == 1
        assert await threads.run("a", lambda: 1) == 1
        with pytest.raises(Overdue):
            await begin(threads, "a", gate)
        with pytest.raises(Stuck):
            await threads.run("a", lambda: 1)
        gate.set()
        await until(lambda: not threads.overdue())
        assert await threads.run("a", lambda: 1) == 1

    asyncio.run(act())


def test_any_number_of_stuck_keys_leaves_the_others_their_threads() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=2, share=1, callers=9, seconds=SHORT)
        gate = threading.Event()
        for key in "abcdefgh":
            with pytest.raises(Overdue):
                await begin(threads, key, gate)
        assert threads.overdue() == 8
        assert await threads.run("i", lambda: 1) == 1
        gate.set()
        await until(lambda: not threads.overdue())

    asyncio.run(act())


def test_a_caller_that_goes_away_gives_everything_back_when_its_work_ends() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=1, share=1, callers=1, seconds=LONG)
        gate = threading.Event()
        running = begin(threads, "a", gate)
        await turns()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        gate.set()
        await until(lambda: not threads.overdue())
        assert await threads.run("a", lambda: 1) == 1
        assert await threads.run("b", lambda: 1) == 1

    asyncio.run(act())


def test_nothing_is_kept_of_keys_that_have_nothing_to_do() -> None:
    async def act() -> None:
        threads = FairThreads("t", threads=1, share=1, callers=1, seconds=LONG)
        for number in range(100):
            await threads.run(number, lambda: 1)
        assert vars(threads)["_shares"] == {}

    asyncio.run(act())


def test_work_that_ends_after_its_loop_is_let_go() -> None:
    gate, ended = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait(30)
        ended.set()

    async def act() -> None:
        threads = FairThreads("t", threads=1, share=1, callers=1, seconds=SHORT)
        with pytest.raises(Overdue):
            await threads.run("a", work)

    asyncio.run(act())
    gate.set()
    assert ended.wait(30)
