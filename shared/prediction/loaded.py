"""The predictors that a process holds in memory, and which of them serves where. Touches nothing but memory."""

import threading
from collections import OrderedDict
from collections.abc import Container
from dataclasses import dataclass

from shared.prediction.predictor import Predictor

# Dataset and environment.
Place = tuple[str, str]


@dataclass(frozen=True)
class Contents:
    """What was loaded at one moment."""

    serving: dict[Place, int]
    versions: set[int]


class LoadedModels:
    """Ready predictors up to a limit of memory; the ones that were not used for the longest time go first.

    What is put on it carries the registry's generation of which it is known. Nothing older than the generation that
    `begin_refresh` announced is taken, so an answer from the database that was overtaken by a change has no effect.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._generation = 0
        self._serving: dict[Place, int] = {}
        self._predictors: OrderedDict[tuple[Place, int], Predictor] = OrderedDict()

    def find(self, place: Place, version: int | None) -> Predictor | None:
        """The serving predictor of a place, or the one of a version."""
        with self._lock:
            wanted = self._serving.get(place) if version is None else version
            if wanted is None or (predictor := self._predictors.get((place, wanted))) is None:
                return None
            self._predictors.move_to_end((place, wanted))
            return predictor

    def put(self, place: Place, predictor: Predictor, *, serves: bool, generation: int) -> bool:
        """Take a predictor; False when the registry has changed since `generation`, so that it must be looked up again.

        The one that served before goes in the same moment. One that alone is larger than the limit stays alone.
        """
        with self._lock:
            if generation < self._generation:
                return False
            if serves:
                before = self._serving.get(place)
                if before is not None and before != predictor.version:
                    self._predictors.pop((place, before), None)
                self._serving[place] = predictor.version
            self._predictors[place, predictor.version] = predictor
            self._predictors.move_to_end((place, predictor.version))
            self._shrink()
            return True

    def begin_refresh(self, generation: int) -> Contents:
        """Take nothing older than `generation` from now on; what is here must be looked at again."""
        with self._lock:
            self._generation = generation
            return Contents(dict(self._serving), {version for _, version in self._predictors})

    def keep_active(self, active: Container[tuple[str, int]]) -> None:
        """Drop what is no longer active in its environment; the serving ones stay until they are replaced."""
        with self._lock:
            for place, version in list(self._predictors):
                if (place[1], version) not in active and self._serving.get(place) != version:
                    del self._predictors[place, version]

    def drop(self, place: Place, version: int) -> None:
        """Let a version no longer answer."""
        with self._lock:
            self._remove(place, version)

    def _shrink(self) -> None:
        while len(self._predictors) > 1 and self._used_bytes() > self._limit_bytes:
            self._remove(*next(iter(self._predictors)))

    def _used_bytes(self) -> int:
        return sum(predictor.memory_bytes for predictor in self._predictors.values())

    def _remove(self, place: Place, version: int) -> None:
        self._predictors.pop((place, version), None)
        if self._serving.get(place) == version:
            del self._serving[place]
