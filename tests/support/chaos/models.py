"""What clients know of the registered models, from the answers that they had."""

import threading
from random import Random
from typing import Any

STAGES = ("dev", "staging", "production")
# Of these, the newest are worked with: the others are left in peace, so that many are trained and few are moved.
_NEWEST = 12


class Models:
    """Which version of which dataset is believed to be active where; shared by all clients."""

    above_first = STAGES[1:]

    def __init__(self) -> None:
        self.uploaded = False
        self._datasets: dict[int, str] = {}
        self._active: dict[int, set[str]] = {}
        self._lock = threading.Lock()

    def learn(self, job: dict[str, Any]) -> None:
        """Take in the result of a job that has ended."""
        result = job["result"]
        if result is not None:
            with self._lock:
                self._datasets[result["version"]] = job["dataset_name"]
                self._active.setdefault(result["version"], set()).add(result["stage"])

    def found(self, version: int, stage: str) -> None:
        """Take in that a version is active in a stage."""
        with self._lock:
            self._active[version].add(stage)

    def retired(self, version: int, stage: str) -> None:
        """Take in that a version is no longer active in a stage."""
        with self._lock:
            self._active[version].discard(stage)

    def place(self, rng: Random) -> tuple[str, str] | None:
        """A dataset and a stage in which a model of it is active; None when there is none yet."""
        with self._lock:
            places = {(self._datasets[version], stage) for version, stages in self._active.items() for stage in stages}
        return rng.choice(sorted(places)) if places else None

    def choose(self, rng: Random) -> tuple[str, int, str | None] | None:
        """A model to be moved: its dataset, its version and the stage to promote it to, or None to retire it.

        None when there is no model yet.
        """
        with self._lock:
            if not self._active:
                return None
            version = rng.choice(sorted(self._active)[-_NEWEST:])
            missing = [stage for stage in STAGES if stage not in self._active[version]]
            return self._datasets[version], version, missing[0] if missing else None
