"""The faults that a chaos run draws from, each with the rows of the fault list that it stands for.

The list, as docs/reliability.md has it, is of 35 kinds; those that only a directed test can bring about are not here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.support.chaos import acts
from tests.support.chaos.cluster import Cluster
from tests.support.chaos.network import DATABASE, REDIS, STORE

Undo = Callable[[], object]

# The nine points at which a worker is killed or stopped, as the fault list numbers them.
POINTS = {
    1: ("claim.after",),
    2: ("fetch.half",),
    3: ("fit.running",),
    4: ("put.before",),
    5: ("put.half",),
    6: ("put.after",),
    7: ("commit.before", "commit.inside"),
    8: ("commit.after",),
    9: ("task.received",),
}
_STOPPED = 11


@dataclass(frozen=True)
class Armed:
    """A fault that takes place when a process comes to a fail point; it may never do so."""

    name: str
    rows: tuple[int, ...]
    point: str
    action: str
    # Whether meanwhile a process cannot see or do what the registry says.
    blinds: bool = False

    def suits(self, cluster: Cluster) -> bool:
        """Whether it can happen in this installation."""
        del cluster
        return True


@dataclass(frozen=True)
class Done:
    """A fault that is done to the installation, and taken back after some seconds between two bounds."""

    name: str
    rows: tuple[int, ...]
    begin: Callable[[Cluster, Random], Undo | None]
    seconds: tuple[float, float] = (0, 0)
    # The proxy that it needs, if any.
    needs: str = ""
    blinds: bool = False
    # Redis does not answer, or has lost everything.
    of_redis: bool = False

    def suits(self, cluster: Cluster) -> bool:
        """Whether it can happen in this installation."""
        return not self.needs or self.needs in cluster.proxies


def _armed() -> list[Armed]:
    found = []
    for row, points in POINTS.items():
        for point in points:
            found.append(Armed(f"kill -9 at {point}", (row,), point, "kill9"))
            found.append(Armed(f"stop past the lease at {point}", (_STOPPED,), point, "stop"))
    found += [
        Armed(f"kill -9 of the API at {point}", (23,), point, "kill9")
        for point in ("accept.before_commit", "accept.after_commit")
    ]
    found.append(Armed("stop of the API inside a write", (23,), "accept.before_commit", "stop", blinds=True))
    found += [Armed(f"no disk space at {point}", (21,), point, "enospc") for point in ("put.half", "fetch.half")]
    found += [Armed(f"store outage at {point}", (21, 33), point, "raise:store") for point in ("put.half", "put.after")]
    found += [
        Armed(f"database outage at {point}", (18, 33), point, "raise:outage")
        for point in ("commit.before", "commit.inside", "commit.after")
    ]
    found += [
        Armed(f"MemoryError at {point}", (29,), point, "raise:memory") for point in ("fit.running", "claim.after")
    ]
    found.append(Armed("unforeseen error in the middle of a job", (29,), "put.before", "raise:error"))
    found += [
        Armed(f"{name} of a worker that is about to delete an object", (35,), "collect.before_delete", action)
        for name, action in (("kill -9", "kill9"), ("stop", "stop"))
    ]
    found.append(Armed("a pause in the commit", (19,), "commit.inside", "sleep:1"))
    return found


def _set(name: str, attribute: str, value: object, healed: object) -> Callable[[Cluster, Random], Undo]:
    """A fault that is an attribute of a proxy."""

    def begin(cluster: Cluster, rng: Random) -> Undo:
        del rng
        setattr(cluster.proxies[name], attribute, value)
        return partial(setattr, cluster.proxies[name], attribute, healed)

    return begin


def _done() -> list[Done]:
    short, long = (0.5, 3.0), (4.0, 6.0)
    return [
        Done("kill -9 of a worker", (10,), acts.kill_worker),
        Done("kill -9 of a fork server", (10,), acts.kill_fork_server),
        Done("kill -9 of the guard of a fork server", (10,), acts.kill_guard),
        Done("kill -9 of a computation", (10, 29), acts.kill_computation),
        Done("stop of a worker with its family", (_STOPPED,), acts.stop_worker),
        Done("black hole before the store", (12,), _set(STORE, "black_hole", True, False), long, STORE, blinds=True),
        Done("Redis killed, back empty", (13,), acts.kill_redis, (0, 6), of_redis=True),
        Done("FLUSHALL", (14,), acts.flush_redis, of_redis=True),
        Done("Redis stopped", (15,), acts.stop_redis, long, of_redis=True),
        Done("half-open connections to Redis", (16,), lambda cluster, _: cluster.proxies[REDIS].strand()),
        Done("messages doubled", (17,), acts.double_messages),
        Done("messages dropped", (17,), acts.drop_messages),
        Done("PostgreSQL restarted", (18,), acts.restart_postgres, (0.2, 2), DATABASE, blinds=True),
        Done("database locked", (19,), acts.lock_database, short),
        Done("store away", (21, 33), acts.take_store_away, short, blinds=True),
        Done("store slow", (21,), _set(STORE, "delay_seconds", 0.2, 0.0), short, STORE, blinds=True),
        Done("30 % errors of the store", (21,), _set(STORE, "failing", 0.3, 0.0), long, STORE, blinds=True),
        Done("a body of the store truncated", (22,), acts.truncate_body, needs=STORE, blinds=True),
        Done("a byte of the store flipped", (22,), acts.flip_byte, needs=STORE, blinds=True),
        Done("kill -9 of the API", (23,), acts.kill_api),
        Done(
            "connections of the database reset",
            (33,),
            lambda cluster, _: cluster.proxies[DATABASE].reset(),
            needs=DATABASE,
        ),
        Done("database away", (33,), acts.take_database_away, short, DATABASE, blinds=True),
        Done(
            "black hole before the database",
            (33,),
            _set(DATABASE, "black_hole", True, False),
            long,
            DATABASE,
            blinds=True,
        ),
        Done("database slow", (33,), _set(DATABASE, "delay_seconds", 0.05, 0.0), short, DATABASE, blinds=True),
        Done("a worker asked to stop and replaced", (34,), acts.terminate_worker),
        Done("the API asked to stop and replaced", (34,), acts.terminate_api),
    ]


# What the clients do at random anyway. They send one key several times at once, too, and promote one version several
# times, but not as many times as the rows of the list say: those are shown by directed tests alone.
CANCELS = 26
FAULTS: tuple[Armed | Done, ...] = (*_armed(), *_done())
ROWS = frozenset({CANCELS, *(row for fault in FAULTS for row in fault.rows)})
