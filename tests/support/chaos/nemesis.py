"""The nemesis brings faults at seeded times; a process manager replaces what died and continues what was stopped."""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from shared.errors import DatabaseUnavailable
from tests.support.chaos.acts import NotDone, Undo
from tests.support.chaos.cluster import Cluster
from tests.support.chaos.faults import FAULTS, Armed, Done
from tests.support.chaos.journal import Journal

# Between the beginnings of two faults, on the average.
GAP_SECONDS = 2.1
_TICK_SECONDS = 0.02
_ROUND_SECONDS = 0.4
# Longer than the leases of the tests; shorter than others wait for a lock that a stopped process holds.
_STILL_SECONDS = 4.5
# A model that could not be loaded is asked for again after this time.
_LATE_SECONDS = 6.0


@dataclass
class Under:
    """A fault that is to be taken back."""

    until: float
    undo: Undo
    fault: Done
    since: float


@dataclass
class Nemesis:
    """What is done to one installation."""

    cluster: Cluster
    journal: Journal
    rng: Random
    # How often each fault took place.
    done: Counter[str] = field(default_factory=Counter)
    # By process id: when a worker was seen to have died.
    died: dict[int, float] = field(default_factory=dict)
    # From when to when Redis did not answer or had lost everything.
    without_redis: list[tuple[float, float]] = field(default_factory=list)
    # From when to when something else than Redis may have kept clients from their answers.
    disturbed: list[tuple[float, float]] = field(default_factory=list)
    _armed: dict[Path, tuple[Armed, float]] = field(default_factory=dict)
    _under: list[Under] = field(default_factory=list)
    _still: dict[psutil.Process, float] = field(default_factory=dict)

    def run(self, seconds: float) -> None:
        """Do faults for some seconds, then put everything back."""
        now = started = time.monotonic()
        next_fault = next_round = now
        while now < started + seconds:
            if now >= next_fault:
                self._begin()
                next_fault = now + self.rng.expovariate(1 / GAP_SECONDS)
            if now >= next_round:
                self._look_after()
                next_round = now + _ROUND_SECONDS
            self._end_due(now)
            self._count_dead()
            time.sleep(_TICK_SECONDS)
            now = time.monotonic()
        self._end_due(float("inf"))
        self._count_armed()
        self.cluster.heal()

    def _begin(self) -> None:
        fault = self.rng.choice([fault for fault in FAULTS if fault.suits(self.cluster)])
        now = time.monotonic()
        if isinstance(fault, Armed):
            self._armed.setdefault(self.cluster.arm(fault.point, fault.action), (fault, now))
            return
        try:
            undo = fault.begin(self.cluster, self.rng)
        except (NotDone, DatabaseUnavailable):
            # Another fault has the database just now.
            return
        self.done[fault.name] += 1
        self._under.append(Under(now + self.rng.uniform(*fault.seconds), undo or _nothing, fault, now))

    def _end_due(self, now: float) -> None:
        for under in [under for under in self._under if under.until <= now]:
            self._under.remove(under)
            under.undo()
            span = (under.since, time.monotonic())
            if under.fault.blinds:
                self._blind(*span)
            (self.without_redis if under.fault.of_redis else self.disturbed).append(span)

    def _look_after(self) -> None:
        """Continue who has stood still for long enough, replace the dead."""
        now = time.monotonic()
        stopped = self.cluster.stopped()
        self._still = {each: self._still.get(each, now) for each in stopped}
        for process, since in self._still.items():
            if now - since >= _STILL_SECONDS:
                process.resume()
        if stopped or not all(api.is_alive and api.serves for api in self.cluster.apis):
            # Who stands still may hold the lock that every writer of SQLite needs.
            self.disturbed.append((now - 2 * _ROUND_SECONDS, now + _ROUND_SECONDS))
        self.cluster.replace_dead()
        self._count_armed()

    def _count_dead(self) -> None:
        now = time.monotonic()
        for worker in self.cluster.site.workers:
            if worker.process.poll() is not None:
                self.died.setdefault(worker.process.pid, now)

    def _count_armed(self) -> None:
        """See which of the armed faults have taken place."""
        for file, (fault, since) in list(self._armed.items()):
            if not file.exists():
                del self._armed[file]
                self.done[fault.name] += 1
                if fault.blinds:
                    self._blind(since, time.monotonic() + _STILL_SECONDS)

    def _blind(self, since: float, until: float) -> None:
        self.journal.blind.append((since, until + _LATE_SECONDS))


def _nothing() -> None:
    """What need not be taken back."""
