"""A doorbell that rings twice, and every third time not at all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import redis

from shared.queue import QUEUE_NAME

_EVERY = 3


class Mangler:
    """Carries messages from one database of a Redis server to another: each is doubled, every third dropped."""

    def __init__(self, source: str, target: str) -> None:
        self._source = redis.Redis.from_url(source, socket_timeout=5)
        self._target = redis.Redis.from_url(target, socket_timeout=5)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._carry, name="mangler", daemon=True)
        self.carried = 0
        self.dropped = 0

    def start(self) -> None:
        """Begin to carry."""
        self._thread.start()

    def close(self) -> None:
        """Carry no more."""
        self._stopping.set()
        self._thread.join()
        self._source.close()
        self._target.close()

    def _carry(self) -> None:
        numbers = count(1)
        while not self._stopping.is_set():
            with suppress(redis.RedisError):
                for key in self._source.scan_iter(match=f"{QUEUE_NAME}*", _type="list"):
                    while (message := self._source.rpop(key)) is not None:
                        self._pass_on(key, message, next(numbers))
            self._stopping.wait(0.01)

    def _pass_on(self, key: bytes, message: object, number: int) -> None:
        if number % _EVERY == 0:
            self.dropped += 1
            return
        self._target.lpush(key, message, message)  # type: ignore[arg-type] # typed for both kinds of client
        self.carried += 1


@contextmanager
def mangling(source: str, target: str) -> Iterator[Mangler]:
    """A mangler between two databases."""
    mangler = Mangler(source, target)
    mangler.start()
    try:
        yield mangler
    finally:
        mangler.close()
