"""How long the server waits for a body."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message

from api.http.body_pace import LEAST_BYTES, ReceivedInTime
from api.http.errors import RequestTimeout
from tests.support.skipping_clock import run_skipping


async def received(*pieces: tuple[float, int], seconds: float = 30, thinking: float = 0) -> float:
    """Receive a body whose pieces come after so many seconds with so many bytes; how long that took."""

    async def receive() -> Message:
        pause, size = waiting.pop(0)
        await asyncio.sleep(pause)
        return {"type": "http.request", "body": b"x" * size, "more_body": bool(waiting)}

    waiting = list(pieces)
    in_time = ReceivedInTime(receive, seconds=seconds)
    while waiting:
        await in_time()
        await asyncio.sleep(thinking)
    return asyncio.get_running_loop().time()


def test_a_slow_body_that_gets_on_may_take_hours() -> None:
    assert run_skipping(received(*[(29, LEAST_BYTES)] * 1_000)) > 8 * 3600
    assert run_skipping(received(*[(2.8, LEAST_BYTES // 10 + 1)] * 1_000)) > 2_700


@pytest.mark.parametrize(
    "pieces",
    [
        [(31, 1)],
        [(0, LEAST_BYTES * 100), (31, LEAST_BYTES)],
        # One byte now and then is a way to hold a connection for ever.
        [(1, 1)] * 40,
        [(29, LEAST_BYTES - 1), (29, LEAST_BYTES)],
    ],
)
def test_a_body_that_does_not_get_on_is_given_up(pieces: Sequence[tuple[float, int]]) -> None:
    with pytest.raises(RequestTimeout, match="16,384 bytes of the body came in 30 s"):
        run_skipping(received(*pieces))


def test_what_the_application_does_meanwhile_does_not_count() -> None:
    assert run_skipping(received(*[(1, 1)] * 20, thinking=100)) > 2_000


def test_a_whole_body_is_followed_by_a_wait_without_end() -> None:
    async def receive() -> Message:
        if not whole:
            whole.append(True)
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.sleep(100_000)
        return {"type": "http.disconnect"}

    async def both() -> str:
        in_time = ReceivedInTime(receive, seconds=30)
        await in_time()
        return str((await in_time())["type"])

    whole: list[bool] = []
    assert run_skipping(both()) == "http.disconnect"
