"""How many requests somebody may still send: a bucket that is full at first and fills up evenly.

A bucket is kept as one moment, at which it will be full again (the generic cell rate algorithm, ITU-T I.371). In any
time, no more requests pass than the bucket holds and than come in meanwhile.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import NamedTuple, Self

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.logging import get_logger
from shared.redis_access import redis_url
from shared.settings import Settings

log = get_logger(__name__)

WINDOW_SECONDS = 60
_MICROSECONDS = 1_000_000
_MOST_KEPT = 10_000
_PREFIX = "mlmini-rate:"
# A request does not wait longer than this for Redis, and for so long the others do not try.
_SOCKET_SECONDS = 0.25
_PAUSE_SECONDS = 1.0
_CONNECTIONS = 32

# The clock is that of Redis, so that those of the processes do not matter. A key ends when its bucket is full.
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
    """So many requests a minute, of which as many may come at once."""

    limit: int

    @property
    def interval(self) -> int:
        """The microseconds in which one request more comes in."""
        return ceil(WINDOW_SECONDS * _MICROSECONDS / self.limit)

    @property
    def most(self) -> int:
        """The microseconds in which an empty bucket fills up."""
        return self.interval * self.limit


class Taken(NamedTuple):
    """What became of one request, and what is left."""

    passes: bool
    limit: int
    remaining: int
    # When one more is there if none is left, else when all are.
    seconds: int

    @classmethod
    def from_wait(cls, rate: Rate, wait: int, *, passes: bool) -> Self:
        """`wait` is for how many microseconds the bucket is not full."""
        left = max(rate.most - wait, 0) // rate.interval
        until = wait if left else wait - rate.most + rate.interval
        return cls(passes, rate.limit, left, max(1, ceil(until / _MICROSECONDS)))


class LocalBuckets:
    """Buckets in the memory of this process, the ones that were used last. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_kept: int = _MOST_KEPT) -> None:
        self._clock = clock
        self._most_kept = most_kept
        self._lock = threading.Lock()
        self._full_at: OrderedDict[str, int] = OrderedDict()

    def take(self, who: str, rate: Rate) -> Taken:
        """Take one request out of a bucket."""
        with self._lock:
            now = int(self._clock() * _MICROSECONDS)
            full_at = min(max(self._full_at.get(who, now), now), now + rate.most)
            passes = full_at - now <= rate.most - rate.interval
            full_at += rate.interval if passes else 0
            self._full_at[who] = full_at
            self._full_at.move_to_end(who)
            while len(self._full_at) > self._most_kept:
                self._full_at.popitem(last=False)
        return Taken.from_wait(rate, full_at - now, passes=passes)


class SharedBuckets:
    """Buckets that all processes share by Redis; while that is away, this process counts by itself.

    Belongs to one event loop.
    """

    def __init__(self, settings: Settings, *, local: LocalBuckets | None = None) -> None:
        """Raises WrongSettings when MLMINI_REDIS_URL is not a URL of Redis."""
        pool = BlockingConnectionPool.from_url(
            redis_url(settings),
            max_connections=_CONNECTIONS,
            timeout=_SOCKET_SECONDS,
            socket_timeout=_SOCKET_SECONDS,
            socket_connect_timeout=_SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis = Redis(connection_pool=pool)
        self._script = self._redis.register_script(_TAKE)
        self._local = local or LocalBuckets()
        # Whether Redis is away, so that what is counted here is known to no other process.
        self.is_apart = False
        self._next_try = 0.0

    async def take(self, who: str, rate: Rate) -> Taken:
        """Take one request out of a bucket; it never waits for long, and never fails."""
        now = time.monotonic()
        if self.is_apart and now < self._next_try:
            return self._local.take(who, rate)
        # While Redis is away, one request looks whether it is back, and the others go on.
        self._next_try = now + _PAUSE_SECONDS
        try:
            passes, wait = await self._script(keys=[_PREFIX + who], args=[rate.interval, rate.most])
        except (RedisError, OSError) as error:
            if not self.is_apart:
                log.warning("rate_limits_apart", error=type(error).__name__)
            self.is_apart = True
            return self._local.take(who, rate)
        if self.is_apart:
            log.info("rate_limits_together_again")
        self.is_apart = False
        return Taken.from_wait(rate, int(wait), passes=bool(passes))

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
        await self._redis.connection_pool.aclose()
