"""Clients read what they have made: whoever learns of a success is served by it from then on."""

from collections import OrderedDict
from threading import Lock
from uuid import UUID

from shared.prediction.cache import PredictorCache

_REMEMBERED = 1_000


class Freshness:
    """Lets this process serve what a job has made before it tells anybody that the job has succeeded."""

    def __init__(self, cache: PredictorCache) -> None:
        self._cache = cache
        self._lock = Lock()
        self._told: OrderedDict[UUID, None] = OrderedDict()

    def before_telling(self, job_id: UUID) -> None:
        """Return when the model of a successful job is served here; at once if that was made sure of before."""
        with self._lock:
            if job_id in self._told:
                return
        self._cache.catch_up()
        with self._lock:
            self._told[job_id] = None
            if len(self._told) > _REMEMBERED:
                self._told.popitem(last=False)
