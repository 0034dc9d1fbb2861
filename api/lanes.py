"""The threads of this process, by what may hold them: who waits for one thing holds up nobody who needs another.

Calls that need no more than some queries have the threads that the framework gives. What may wait for long has a lane.
"""

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread

from api.shares import Full, Overdue, Shares
from shared.errors import ReaderBusy
from shared.settings import Settings
from shared.tables.reader import SMALL_BYTES

T = TypeVar("T")

_PREVIEWS = 4
# With those that wait. Whoever comes then is refused at once.
_PREVIEW_CALLERS = 16
# The object store gives up by itself after less.
_STORE_SECONDS = 120


class Lanes:
    """How many threads each kind of waiting may take. Belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        # For the lock to write: as many as are committed together.
        self.accepting = CapacityLimiter(32)
        # For passwords, of which few are compared at once, and others wait.
        self.logins = CapacityLimiter(16)
        # For the object store.
        self.store = CapacityLimiter(8)
        # For the disk that takes uploads while they come.
        self.spooling = CapacityLimiter(8)
        # For the reader, which reads as many at a time: others wait without a thread.
        self._large_uploads = CapacityLimiter(2)
        self._small_uploads = CapacityLimiter(2)
        seconds = settings.reader_seconds + _STORE_SECONDS
        self._previews = Shares(
            "preview", threads=_PREVIEWS, share=_PREVIEWS, callers=_PREVIEW_CALLERS, seconds=seconds
        )

    def upload_of(self, size_bytes: int) -> CapacityLimiter:
        """The lane of an upload: large ones, which take long, do not hold up small ones."""
        return self._small_uploads if size_bytes <= SMALL_BYTES else self._large_uploads

    async def preview(self, act: Callable[[], T]) -> T:
        """What `act` returns, which reads first rows.

        Raises:
            ReaderBusy: when many others wait for that.
        """
        try:
            return await self._previews.run(None, act)
        except (Full, Overdue):
            raise ReaderBusy from None


def in_lane(name: str) -> Callable[[Callable[..., T]], Callable[..., Awaitable[T]]]:
    """Have an endpoint that takes `parts` run in threads of one of the lanes instead of those of all other calls."""

    def wrap(endpoint: Callable[..., T]) -> Callable[..., Awaitable[T]]:
        @wraps(endpoint)
        async def run(**given: Any) -> T:
            limiter: CapacityLimiter = getattr(given["parts"].lanes, name)
            return await to_thread.run_sync(partial(endpoint, **given), limiter=limiter)

        return run

    return wrap
