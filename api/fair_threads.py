"""Threads that are shared out fairly: whoever has much slow work waits for it, and nobody else does."""

import asyncio
from collections.abc import Callable, Hashable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from api.threads import DaemonThreads

T = TypeVar("T")


class Full(Exception):
    """There is no free place, or none came free in time. The work was not begun."""


class Stuck(Full):
    """Every place of the key is taken by work that has been given up and still goes on."""


class Overdue(Exception):
    """The work took too long and was given up. It goes on, and its result is lost."""


@dataclass
class _Share:
    """What one key has: places for work, callers that wait or are served, running work, and overdue work among it."""

    places: asyncio.Semaphore
    callers: int = 0
    running: int = 0
    overdue: int = 0


class FairThreads:
    """Runs work in threads, a few at a time for each key. Belongs to one event loop.

    A thread cannot be stopped. Work that takes too long is given up: its caller gets an error, but the thread goes on,
    and keeps a place of its key until it ends. It does not keep a place among the threads of all keys, so that stuck
    keys, however many, leave the others what they had.
    """

    def __init__(self, name: str, *, threads: int, share: int, callers: int, seconds: float) -> None:
        """Run at most `threads` in all, and `share` of them for each key, which may have `callers` that wait or run."""
        self._threads = DaemonThreads(name)
        self._free = asyncio.Semaphore(threads)
        self._share = share
        self._callers = callers
        self._shares: dict[Hashable, _Share] = {}
        self.seconds = seconds

    def overdue(self) -> int:
        """How much work goes on after it was given up."""
        return sum(share.overdue for share in list(self._shares.values()))

    async def run(self, key: Hashable, act: Callable[[], T]) -> T:
        """What `act` returns or raises, called in a thread.

        Raises:
            Stuck, Full: when it was not begun.
            Overdue: when it was begun, and has not ended `seconds` after the call.
        """
        share = self._shares.get(key)
        if share is None:
            share = self._shares[key] = _Share(asyncio.Semaphore(self._share))
        if share.overdue >= self._share:
            raise Stuck
        if share.callers >= self._callers:
            raise Full
        share.callers += 1
        deadline = asyncio.get_running_loop().time() + self.seconds
        try:
            await self._get_place(share, deadline)
            return await self._run(key, share, act, deadline)
        finally:
            share.callers -= 1
            self._forget_unused(key, share)

    async def _get_place(self, share: _Share, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await share.places.acquire()
                try:
                    await self._free.acquire()
                except BaseException:
                    share.places.release()
                    raise
        except TimeoutError:
            raise Full from None

    async def _run(self, key: Hashable, share: _Share, act: Callable[[], T], deadline: float) -> T:
        loop = asyncio.get_running_loop()
        result: asyncio.Future[T] = loop.create_future()
        context = copy_context()

        def work() -> None:
            outcome = _outcome(lambda: context.run(act))
            # If the loop is closed, nobody waits for the outcome.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._end, key, share, result, outcome)

        share.running += 1
        self._threads.start(work)
        try:
            await asyncio.wait({result}, timeout=deadline - loop.time())
            if not result.done():
                raise Overdue
            return result.result()
        finally:
            if result.cancel():
                share.overdue += 1
                self._free.release()

    def _end(self, key: Hashable, share: _Share, result: "asyncio.Future[Any]", outcome: "_Outcome") -> None:
        share.running -= 1
        share.places.release()
        if result.cancelled():
            share.overdue -= 1
        else:
            self._free.release()
            if outcome.error is None:
                result.set_result(outcome.value)
            else:
                result.set_exception(outcome.error)
        self._forget_unused(key, share)

    def _forget_unused(self, key: Hashable, share: _Share) -> None:
        if not share.callers and not share.running:
            self._shares.pop(key, None)


class _Outcome(NamedTuple):
    value: Any = None
    error: BaseException | None = None


def _outcome(act: Callable[[], Any]) -> _Outcome:
    try:
        return _Outcome(value=act())
    except BaseException as error:  # noqa: BLE001 - whatever it is, who waits has to hear of it
        return _Outcome(error=error)
