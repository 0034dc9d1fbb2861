"""Counts that all processes share, in Redis. While Redis is away, each process counts by itself."""

import asyncio
import time
from typing import NamedTuple

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.logging import get_logger
from shared.redis_access import redis_url
from shared.settings import Settings

log = get_logger(__name__)

# A request waits for at most twice the first; after a failure, other requests do not try for as long as the second.
_SOCKET_SECONDS = 0.25
_PAUSE_SECONDS = 1.0
# The second try is for a connection that was closed meanwhile, and for an event loop that was held up.
_TRIES = 2
# How many scripts are sent at once; their answers are read before more are sent.
_MOST_TOGETHER = 500


class SharedCounts:
    """Runs scripts that count, over one connection. Belongs to one event loop.

    Scripts that arrive while others are being answered are sent together, so that a crowd of requests takes a few round
    trips, and none has to wait for a connection.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises WrongSettings when MLMINI_REDIS_URL is not a URL of Redis."""
        self._redis = Redis.from_url(
            redis_url(settings),
            socket_timeout=_SOCKET_SECONDS,
            socket_connect_timeout=_SOCKET_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        # Whether Redis is away, so that this process counts apart from the others.
        self.is_apart = False
        self._next_try = 0.0
        self._waiting: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None

    async def ask(self, script: str, keys: list[str], values: list[int]) -> list[int] | None:
        """The answer of a script; None while Redis is away. This never waits for long, and never fails."""
        if self.is_apart:
            # One request tries whether Redis is back, and the others go on.
            if time.monotonic() < self._next_try:
                return None
            self._next_try = time.monotonic() + _PAUSE_SECONDS
        asked = _Asked(script, keys, values, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return await asked.answer

    async def close(self) -> None:
        """Close the connection."""
        await self._redis.aclose()

    async def _send(self) -> None:
        together: list[_Asked] = []
        try:
            while self._waiting:
                together, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
                answers = await self._answers(together)
                if answers is None:
                    return
                for asked, answer in zip(together, answers, strict=True):
                    asked.tell(answer)
        finally:
            # What was not answered will not be any more: nobody may wait for it.
            for asked in (*together, *self._waiting):
                asked.tell(None)
            self._waiting, self._sending = [], None

    async def _answers(self, together: list["_Asked"]) -> list[list[int]] | None:
        for left in reversed(range(_TRIES)):
            try:
                async with self._redis.pipeline(transaction=False) as pipe:
                    for asked in together:
                        pipe.eval(asked.script, len(asked.keys), *asked.keys, *map(str, asked.values))
                    answers: list[list[int]] = await pipe.execute()
            except (RedisError, OSError) as error:
                if not left:
                    self._be_apart(error)
            else:
                if self.is_apart:
                    log.info("rate_limits_together_again")
                self.is_apart = False
                return answers
        return None

    def _be_apart(self, error: Exception) -> None:
        if not self.is_apart:
            log.warning("rate_limits_apart", error=type(error).__name__)
        self.is_apart, self._next_try = True, time.monotonic() + _PAUSE_SECONDS


class _Asked(NamedTuple):
    script: str
    keys: list[str]
    values: list[int]
    answer: "asyncio.Future[list[int] | None]"

    def tell(self, answer: list[int] | None) -> None:
        # Done already where the request was cancelled.
        if not self.answer.done():
            self.answer.set_result(answer)
