"""Clients read what they have made: whoever learns of a success is served by it from then on.

Their next request may come to another process of the same address, which therefore has to know of it, too.
"""

from collections import OrderedDict
from uuid import UUID

from anyio import CapacityLimiter, to_thread

from api.processes.board import Seat
from shared.prediction.cache import PredictorCache

_REMEMBERED = 1_000
_THREADS = 8
# They look as soon as this process does. One that stands still must not keep all others from telling.
_OTHERS_SECONDS = 2.0


class Freshness:
    """Lets all processes of the address serve what was made before this one tells anybody of it.

    Belongs to one event loop.
    """

    def __init__(self, cache: PredictorCache, seat: Seat) -> None:
        self._cache = cache
        self._seat = seat
        # Its own: who waits for a model to be loaded must not hold up those who do not.
        self._threads = CapacityLimiter(_THREADS)
        self._told: OrderedDict[UUID, None] = OrderedDict()

    async def before_telling(self, job_id: UUID) -> None:
        """Return when the model of a successful job is served; at once if that was made sure of before."""
        if job_id in self._told:
            return
        await to_thread.run_sync(self.catch_up, limiter=self._threads, abandon_on_cancel=True)
        self._told[job_id] = None
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def catch_up(self) -> None:
        """Return when all processes serve what the registry says, or have been waited for long enough."""
        self._seat.ring()
        self._cache.catch_up()
        self._seat.wait_for_others(_OTHERS_SECONDS)
