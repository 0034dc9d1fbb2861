"""The predictors that a process holds in memory, and which of them serves where. Touches nothing but memory."""

import threading
from collections import OrderedDict
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from shared.prediction.predictor import Predictor


class ServingPlace(NamedTuple):
    """Where a request looks for a model; without a target, the highest version of all targets serves it."""

    dataset_name: str
    environment: str
    target: str | None = None

    @property
    def of_any_target(self) -> "ServingPlace":
        """The same place for requests that name no target."""
        return self if self.target is None else self._replace(target=None)


@dataclass(frozen=True)
class Contents:
    """What was loaded at one moment; `without_form` are those of the versions that do not answer by a compiled form."""

    serving: dict[ServingPlace, int]
    versions: set[int]
    without_form: set[tuple[str, int]]


class LoadedModels:
    """Ready predictors up to a limit of memory; the least recently used are dropped first.

    `put` says in which generation of the registry the predictor was looked up. A generation older than that of the last
    `begin_refresh` is refused, so an answer of the database that was outdated by a change has no effect. A predictor
    may serve several places, those with and without its target.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._generation = 0
        self._serving: dict[ServingPlace, int] = {}
        # The place is one of any target, because the predictor is the same whether a request names its target or not.
        self._predictors: OrderedDict[tuple[ServingPlace, int], Predictor] = OrderedDict()
        self._targets: dict[ServingPlace, tuple[str, ...]] = {}

    def find(self, place: ServingPlace, version: int | None) -> Predictor | None:
        """The serving predictor of a place, or the one of a version if that has the target of the place."""
        with self._lock:
            wanted = self._serving.get(place) if version is None else version
            if wanted is None or (predictor := self._predictors.get((place.of_any_target, wanted))) is None:
                return None
            if place.target is not None and place.target != predictor.signature.target:
                return None
            self._predictors.move_to_end((place.of_any_target, wanted))
            return predictor

    def find_only(self, place: ServingPlace) -> Predictor | None:
        """The serving predictor of a place without a target, unless there are active versions of other targets."""
        with self._lock:
            if len(self._targets.get(place, ())) > 1 or (version := self._serving.get(place)) is None:
                return None
            key = (place, version)
            if (predictor := self._predictors.get(key)) is not None:
                self._predictors.move_to_end(key)
            return predictor

    def targets(self, place: ServingPlace) -> tuple[str, ...]:
        """The targets of the versions that are active in a place from which something was loaded."""
        return self._targets.get(place.of_any_target, ())

    def put(
        self, place: ServingPlace, predictor: Predictor, *, serves: bool, generation: int, targets: tuple[str, ...]
    ) -> bool:
        """Take a predictor; False when the registry has changed since `generation`, so that it must be looked up again.

        The one that served before is dropped in the same step. One that exceeds the limit by itself is kept, alone.
        `targets` are those of the versions that are active there.
        """
        with self._lock:
            if generation < self._generation:
                return False
            if serves:
                before = self._serving.get(place)
                self._serving[place] = predictor.version
                if before is not None:
                    self._forget_unserving(place, before)
            self._targets[place.of_any_target] = targets
            self._predictors[place.of_any_target, predictor.version] = predictor
            self._predictors.move_to_end((place.of_any_target, predictor.version))
            self._shrink()
            return True

    def begin_refresh(self, generation: int) -> Contents:
        """Take nothing older than `generation` from now on; what is here must be looked at again."""
        with self._lock:
            self._generation = generation
            return Contents(
                dict(self._serving),
                {version for _, version in self._predictors},
                {
                    (place.environment, version)
                    for (place, version), predictor in self._predictors.items()
                    if not predictor.in_form
                },
            )

    def keep_active(self, active: Container[tuple[str, int]], targets: Mapping[ServingPlace, tuple[str, ...]]) -> None:
        """Drop what is no longer active in its environment; the serving ones stay until they are replaced.

        `targets` holds those of the active versions, for each place of any target.
        """
        with self._lock:
            for place, version in list(self._predictors):
                if (place.environment, version) not in active:
                    self._forget_unserving(place, version)
            self._targets = {place: targets[place] for place in self._targets if place in targets}

    def drop(self, place: ServingPlace, version: int) -> None:
        """Stop a version from serving a place."""
        with self._lock:
            if self._serving.get(place) == version:
                del self._serving[place]
            self._forget_unserving(place, version)

    @property
    def is_full(self) -> bool:
        """Whether one more would be likely to have another one dropped: as large as those that are here, on average."""
        with self._lock:
            used, held = self._used_bytes(), len(self._predictors)
            return held > 0 and used + used / held > self._limit_bytes

    def _shrink(self) -> None:
        while len(self._predictors) > 1 and self._used_bytes() > self._limit_bytes:
            place, version = next(iter(self._predictors))
            for served in self._served_by(place, version):
                del self._serving[served]
            del self._predictors[place, version]

    def _used_bytes(self) -> int:
        return sum(predictor.memory_bytes for predictor in self._predictors.values())

    def _forget_unserving(self, place: ServingPlace, version: int) -> None:
        if not self._served_by(place, version):
            self._predictors.pop((place.of_any_target, version), None)

    def _served_by(self, place: ServingPlace, version: int) -> list[ServingPlace]:
        """The places with the same dataset and environment, of whatever target, that a version serves."""
        return [
            served
            for served, serving in self._serving.items()
            if serving == version and served.of_any_target == place.of_any_target
        ]
