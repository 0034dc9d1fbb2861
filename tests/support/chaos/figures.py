"""What a chaos run shows in figures."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from shared.jobs.states import State
from tests.support.chaos.checker import Violation
from tests.support.chaos.faults import CANCELS, FAULTS
from tests.support.chaos.history import History
from tests.support.chaos.journal import ACCEPTED
from tests.support.chaos.nemesis import Nemesis
from tests.support.chaos.rows import ROWS

# Which violations mean what the table counts; the others are counted together.
LOST, DOUBLED, STALE, WRONG = ("I1",), ("I2", "I3", "I10"), ("I5", "I6", "I7"), ("I9",)


@dataclass
class Figures:
    """Of one seed, or of many."""

    seeds: list[int] = field(default_factory=list)
    red: list[int] = field(default_factory=list)
    accepted: int = 0
    cancels: int = 0
    predictions: int = 0
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    # Seconds from the death of a worker to the end of the attempt that it had, and to the next attempt of the job.
    freed: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    # While Redis did not answer: whether a job was accepted, and after how many seconds the answer came.
    without_redis: list[tuple[bool, float]] = field(default_factory=list)
    drain_seconds: list[float] = field(default_factory=list)

    def add(self, other: "Figures") -> None:
        """Take in those of another run."""
        self.seeds += other.seeds
        self.red += other.red
        self.accepted += other.accepted
        self.cancels += other.cancels
        self.predictions += other.predictions
        self.calls += other.calls
        self.faults += other.faults
        self.violations += other.violations
        self.freed += other.freed
        self.again += other.again
        self.without_redis += other.without_redis
        self.drain_seconds += other.drain_seconds

    @property
    def rows(self) -> set[int]:
        """The rows of the fault list that took place."""
        rows = {fault.name: fault.rows for fault in FAULTS}
        return {*([CANCELS] if self.cancels else []), *(row for name in self.faults for row in rows[name])}


def figures_of(
    history: History, nemesis: Nemesis, found: Sequence[Violation], *, seed: int, drain_seconds: float
) -> Figures:
    """The figures of one seed."""
    calls = history.journal.calls
    waits = list(_after_kills(history, nemesis))
    return Figures(
        seeds=[seed],
        red=[seed] if found else [],
        accepted=len(history.journal.accepted_jobs()),
        cancels=sum(call.is_accepted_cancel for call in calls),
        predictions=sum(call.path == "/predict" and call.status == 200 for call in calls),
        calls=len(calls),
        faults=nemesis.done,
        violations=list(found),
        freed=[freed for freed, _ in waits],
        again=[again for _, again in waits],
        without_redis=list(_accepts_without_redis(history, nemesis)),
        drain_seconds=[drain_seconds],
    )


def _after_kills(history: History, nemesis: Nemesis) -> Iterable[tuple[float, float]]:
    """How long after the death of its worker a job was free again, and how long after it ran again."""
    for events in history.events.values():
        claims = [event for event in events if event.to_state == State.RUNNING]
        for claim, after in pairwise(claims):
            ended = next(event for event in events if event.seq > claim.seq)
            died = nemesis.died.get(_process_of(claim.actor))
            moment = None if died is None else history.journal.moment(died)
            # One that had lost the job before it died is no matter of its death.
            if moment is not None and ended.actor != claim.actor and ended.at > moment:
                yield (ended.at - moment).total_seconds(), (after.at - moment).total_seconds()


def _process_of(worker: str) -> int:
    """The process id in a worker's name."""
    return int(worker.rsplit("-", 2)[1])


def _accepts_without_redis(history: History, nemesis: Nemesis) -> Iterable[tuple[bool, float]]:
    """The posts of jobs while nothing but Redis was away, and whether they were answered as ever."""
    for call in history.journal.calls:
        if call.method != "POST" or call.path not in {"/train", "/promote"}:
            continue
        away = any(since <= call.began and call.ended <= until for since, until in nemesis.without_redis)
        alone = not _meets(call.began, call.ended, [*history.journal.blind, *nemesis.disturbed])
        if away and alone and (call.status is None or call.status >= 500 or call.status == ACCEPTED):
            yield call.status == ACCEPTED, call.ended - call.began


def _meets(began: float, ended: float, spans: Sequence[tuple[float, float]]) -> bool:
    return any(since <= ended and began <= until for since, until in spans)


def table(figures: Figures) -> str:
    """All figures, one in each line."""
    count = Counter(_column(violation.invariant) for violation in figures.violations)
    trials = max(figures.accepted, 1)
    accepts = [accepted for accepted, _ in figures.without_redis]
    rows = ", ".join(map(str, sorted(figures.rows)))
    lines = {
        "fault kinds, as rows of the list": f"{len(figures.rows)} of {len(ROWS)} at random: {rows}",
        "the other rows": "by directed tests (tests/chaos)",
        "fault kinds, as they are named here": f"{len(figures.faults)} of {len(FAULTS)}",
        "seeded runs": len(figures.seeds),
        "requests": f"{figures.calls:,}",
        "accepted jobs": f"{figures.accepted:,}",
        "accepted cancels": f"{figures.cancels:,}",
        "injected faults": f"{figures.faults.total():,}",
        "lost jobs (I1)": count["lost"],
        "doubled effects (I2, I3, I10)": count["doubled"],
        "stale commits (I5, I6, I7)": count["stale"],
        "wrong predictions (I9)": f"{count['wrong']} of {figures.predictions:,}",
        "other violations": count["other"],
        "bound on the rate of lost or doubled at 95 %": f"{3 / trials:.2e} (3/n)",
        "from kill -9 to free again, p50 and p99": _quantiles(figures.freed),
        "from kill -9 to running again, p50 and p99": _quantiles(figures.again),
        "accepts while Redis does not answer": f"{sum(accepts)} of {len(accepts)}",
        "their latency, p50 and p99": _quantiles([seconds for _, seconds in figures.without_redis]),
        "from healed to drained, p50 and p99": _quantiles(figures.drain_seconds),
        "seeds of red runs": ", ".join(map(str, figures.red)) or "none",
    }
    width = max(map(len, lines))
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines.items())


def _column(invariant: str) -> str:
    columns = {"lost": LOST, "doubled": DOUBLED, "stale": STALE, "wrong": WRONG}
    return next((name for name, invariants in columns.items() if invariant in invariants), "other")


def _quantiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    return f"{_quantile(ordered, 0.5):.2f} s, {_quantile(ordered, 0.99):.2f} s ({len(ordered)})"


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
