"""How many requests somebody may still send: a bucket that starts full, and refills evenly.

A bucket is kept as one number, the moment at which it will be full again (the generic cell rate algorithm, ITU-T
I.371). In any span of time, no more requests pass than the bucket holds plus those that are refilled meanwhile.
"""

import threading
import time
from collections.abc import Callable
from math import ceil
from typing import NamedTuple, Self

from api.access.counts import SharedCounts

WINDOW_SECONDS = 60
_MICROSECONDS = 1_000_000
_MOST_KEPT = 10_000
_PREFIX = "mlmini-rate:"
# No network has this name.
_OTHERS = "all others"
# A sweep takes a millisecond, and is no use again until some time has passed.
_SWEEP_SECONDS = 1

# The clock is that of Redis, so that the clocks of the processes do not matter. A key expires when its bucket is full.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
full_at = math.min(math.max(full_at, now), now + most)
if full_at - now > most - interval then return {0, full_at - now} end
full_at = full_at + interval
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000))
return {1, full_at - now}
"""


class Rate(NamedTuple):
    """A number of requests a minute; that many may also come at once."""

    limit: int

    @property
    def interval(self) -> int:
        """The microseconds in which room for one more request is refilled."""
        return ceil(WINDOW_SECONDS * _MICROSECONDS / self.limit)

    @property
    def most(self) -> int:
        """The microseconds in which an empty bucket is refilled."""
        return self.interval * self.limit


class Taken(NamedTuple):
    """Whether one request passes, and what is left."""

    passes: bool
    limit: int
    remaining: int
    # Until there is room for one more if there is none, else until the bucket is full.
    seconds: int

    @classmethod
    def from_wait(cls, rate: Rate, wait: int, *, passes: bool) -> Self:
        """`wait` is how many microseconds it takes until the bucket is full."""
        left = max(rate.most - wait, 0) // rate.interval
        until = wait if left else wait - rate.most + rate.interval
        return cls(passes, rate.limit, left, max(1, ceil(until / _MICROSECONDS)))


class LocalBuckets:
    """Buckets in the memory of this process. `clock` gives seconds that never go back.

    Buckets of users are kept apart from those of addresses: no flood of addresses pushes them out. At most `most_kept`
    addresses have buckets that are not full; all others share one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_kept: int = _MOST_KEPT) -> None:
        self._clock = clock
        self._most_kept = most_kept
        self._lock = threading.Lock()
        self._full_at: dict[bool, dict[str, int]] = {True: {}, False: {}}
        self._sweep_at = 0

    def take(self, who: str, rate: Rate, *, is_user: bool) -> Taken:
        """Take one request out of a bucket."""
        with self._lock:
            now = int(self._clock() * _MICROSECONDS)
            kept = self._full_at[is_user]
            if who not in kept and len(kept) >= self._most_kept and now >= self._sweep_at:
                self._sweep(now)
                kept = self._full_at[is_user]
            if not is_user and who not in kept and len(kept) >= self._most_kept:
                who = _OTHERS
            full_at = min(max(kept.get(who, now), now), now + rate.most)
            passes = full_at - now <= rate.most - rate.interval
            full_at += rate.interval if passes else 0
            kept[who] = full_at
        return Taken.from_wait(rate, full_at - now, passes=passes)

    def _sweep(self, now: int) -> None:
        """Forget the buckets that are full again: a new one would be the same."""
        for is_user, kept in self._full_at.items():
            self._full_at[is_user] = {who: full_at for who, full_at in kept.items() if full_at > now}
        self._sweep_at = now + _SWEEP_SECONDS * _MICROSECONDS


class SharedBuckets:
    """Buckets that all processes share; while Redis is away, this process counts by itself."""

    def __init__(self, counts: SharedCounts, *, local: LocalBuckets | None = None) -> None:
        self._counts = counts
        self._local = local or LocalBuckets()

    async def take(self, who: str, rate: Rate, *, is_user: bool) -> Taken:
        """Take one request out of a bucket. This never waits for long, and never fails."""
        found = await self._counts.ask(_TAKE, [_PREFIX + who], [rate.interval, rate.most])
        if found is None:
            return self._local.take(who, rate, is_user=is_user)
        passes, wait = found
        return Taken.from_wait(rate, wait, passes=bool(passes))
