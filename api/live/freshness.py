"""Clients read what they have made: whoever learns of a success is served by it from then on."""

from collections import OrderedDict
from uuid import UUID

from anyio import CapacityLimiter, to_thread

from shared.prediction.cache import PredictorCache

_REMEMBERED = 1_000
_THREADS = 8


class Freshness:
    """Lets this process serve what a job has made before it tells anybody that the job has succeeded.

    Belongs to one event loop.
    """

    def __init__(self, cache: PredictorCache) -> None:
        self._cache = cache
        # Its own: who waits for a model to be loaded must not hold up those who do not.
        self._threads = CapacityLimiter(_THREADS)
        self._told: OrderedDict[UUID, None] = OrderedDict()

    async def before_telling(self, job_id: UUID) -> None:
        """Return when the model of a successful job is served here; at once if that was made sure of before."""
        if job_id in self._told:
            return
        await to_thread.run_sync(self._cache.catch_up, limiter=self._threads, abandon_on_cancel=True)
        self._told[job_id] = None
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
