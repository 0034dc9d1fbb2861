"""Threads of their own for each kind of waiting: calls that wait for one thing hold up none that need another.

Calls that only make some queries run in the threads of the framework. What may wait for long has a lane here.
"""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from api.fair_threads import FairThreads, Full, Overdue
from shared.errors import ReaderBusy
from shared.settings import Settings
from shared.tables.reader import SMALL_BYTES

T = TypeVar("T")

_PREVIEWS = 4
# Callers that are served or wait; any further one is refused at once.
_PREVIEW_CALLERS = 16
# The object store gives up sooner by itself.
_STORE_SECONDS = 120


class Lanes:
    """How many threads each kind of waiting may take. Belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        # Wait for the lock to write: as many as are committed together.
        self.accepting = CapacityLimiter(32)
        # Wait for passwords, of which few are compared at once.
        self.logins = CapacityLimiter(16)
        # Wait for the object store.
        self.store = CapacityLimiter(8)
        # Wait for the disk, while uploads arrive.
        self.spooling = CapacityLimiter(8)
        # Wait for the reader. It reads as many files at a time; further uploads wait without a thread.
        self._large_uploads = CapacityLimiter(2)
        self._small_uploads = CapacityLimiter(2)
        seconds = settings.reader_seconds + _STORE_SECONDS
        self._previews = FairThreads(
            "preview", threads=_PREVIEWS, share=_PREVIEWS, callers=_PREVIEW_CALLERS, seconds=seconds
        )

    def upload_of(self, size_bytes: int) -> CapacityLimiter:
        """The lane of an upload: large ones take long, and must not hold up small ones."""
        return self._small_uploads if size_bytes <= SMALL_BYTES else self._large_uploads

    async def preview(self, act: Callable[[], T]) -> T:
        """What `act` returns, which reads the first rows of a table.

        Raises:
            ReaderBusy: when too many others wait for such reading.
        """
        try:
            return await self._previews.run(None, act)
        except (Full, Overdue):
            raise ReaderBusy from None


def in_lane(name: str) -> Callable[[Callable[..., T]], Callable[..., Awaitable[T]]]:
    """Run an endpoint, which takes `parts`, in threads of one of the lanes instead of the framework's."""

    def wrap(endpoint: Callable[..., T]) -> Callable[..., Awaitable[T]]:
        @wraps(endpoint)
        async def run(**given: Any) -> T:
            limiter: CapacityLimiter = getattr(given["parts"].lanes, name)
            return await to_thread.run_sync(partial(endpoint, **given), limiter=limiter)

        return run

    return wrap
