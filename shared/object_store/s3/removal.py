"""Removals that come in time or not at all.

An object that is written anew has the ETag of the old one when its bytes are the same, so no condition on a DELETE
tells the two apart. Time does: what is late when it is about to be sent is not sent, and what is sent a quarter of an
hour after it was signed is refused by the server.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from shared.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_by: ContextVar[float | None] = ContextVar("by", default=None)


def hold_to_time(client: "S3Client") -> None:
    """Have the client look at the clock every time that a removal is signed and about to be sent."""
    client.meta.events.register("before-send.s3.DeleteObject", _look_at_the_clock)


@contextmanager
def in_time(by: float) -> Iterator[None]:
    """Removals of this thread fail as StoreUnavailable after that moment."""
    token = _by.set(by)
    try:
        yield
    finally:
        _by.reset(token)


def _look_at_the_clock(**_: Any) -> None:
    by = _by.get()
    if by is not None and time.time() > by:
        raise StoreUnavailable("An object was not removed, because its request came to be sent too late.")
