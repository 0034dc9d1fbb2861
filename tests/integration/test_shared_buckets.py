"""Buckets that several processes share by a real server, and what becomes of them without it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import redis
from pydantic import SecretStr
from structlog.testing import capture_logs

from api.access.buckets import LocalBuckets, Rate, SharedBuckets, Taken
from api.access.counts import SharedCounts
from shared.settings import Settings
from tests.support.servers import Valkey

RATE = Rate(5)


class OneProcess(SharedBuckets):
    """Buckets with a connection of their own."""

    def __init__(self, settings: Settings) -> None:
        self.counts = SharedCounts(settings)
        super().__init__(self.counts)


def run(valkey: Valkey, act: Callable[[OneProcess, OneProcess], Awaitable[None]]) -> None:
    """Have two processes work with a database of their own."""
    settings = Settings(redis_url=SecretStr(valkey.fresh_database()))

    async def work() -> None:
        async with AsyncExitStack() as stack:
            both = OneProcess(settings), OneProcess(settings)
            for each in both:
                stack.push_async_callback(each.counts.close)
            await act(*both)

    asyncio.run(work())


async def take(buckets: OneProcess, count: int, who: str = "anna") -> list[Taken]:
    return [await buckets.take(who, RATE, is_user=True) for _ in range(count)]


async def together_again(buckets: OneProcess) -> None:
    while buckets.counts.is_apart:
        await take(buckets, 1)
        await asyncio.sleep(0.05)


def test_two_processes_share_a_bucket(valkey: Valkey) -> None:
    async def act(one: OneProcess, other: OneProcess) -> None:
        taken = [*await take(one, 3), *await take(other, 3)]
        assert [each.passes for each in taken] == [True] * 5 + [False]
        assert [each.remaining for each in taken] == [4, 3, 2, 1, 0, 0]
        assert 1 <= taken[-1].seconds <= 12
        assert (await take(other, 1, "bert"))[0].remaining == 4

    run(valkey, act)


def test_of_many_requests_at_once_as_many_pass_as_the_bucket_holds(valkey: Valkey) -> None:
    async def act(one: OneProcess, other: OneProcess) -> None:
        found = await asyncio.gather(*(take(each, 1) for each in (one, other) * 20))
        assert sum(taken.passes for (taken,) in found) == RATE.limit

    run(valkey, act)


def test_a_crowd_is_counted_together_and_waits_for_no_connection(valkey: Valkey) -> None:
    async def act(one: OneProcess, _other: OneProcess) -> None:
        with capture_logs() as lines:
            found = await asyncio.gather(*(take(one, 1) for _ in range(3000)))
        assert sum(taken.passes for (taken,) in found) == RATE.limit
        assert lines == []

    run(valkey, act)


def test_shared_and_local_buckets_tell_the_same(valkey: Valkey) -> None:
    local = LocalBuckets(lambda: 1000.0)

    async def act(one: OneProcess, _other: OneProcess) -> None:
        for shared, alone in zip(
            await take(one, 7), [local.take("anna", RATE, is_user=True) for _ in range(7)], strict=True
        ):
            assert (shared.passes, shared.remaining) == (alone.passes, alone.remaining)
            assert 0 <= alone.seconds - shared.seconds <= 1

    run(valkey, act)


def test_a_key_ends_when_its_bucket_is_full(own_valkey: Valkey) -> None:
    settings = Settings(redis_url=SecretStr(own_valkey.fresh_database()))

    async def act() -> None:
        buckets = OneProcess(settings)
        await take(buckets, 2)
        await buckets.counts.close()

    asyncio.run(act())
    with redis.Redis.from_url(settings.redis_url.get_secret_value()) as client:
        (key,) = client.keys()
        assert 0 < client.pttl(key) <= 24_000


def test_without_redis_each_process_counts_by_itself_until_it_is_back(own_valkey: Valkey) -> None:
    async def act(one: OneProcess, other: OneProcess) -> None:
        await take(one, 1)
        own_valkey.kill()
        with capture_logs() as lines:
            taken = [*await take(one, 6), *await take(other, 6)]
        assert [each.passes for each in taken] == ([True] * 5 + [False]) * 2
        assert [line["event"] for line in lines] == ["rate_limits_apart"] * 2
        assert one.counts.is_apart
        own_valkey.start()
        with capture_logs() as lines:
            await together_again(one)
        assert [line["event"] for line in lines] == ["rate_limits_together_again"]
        assert (await take(one, 1, "cara"))[0].remaining == 4
        other.counts._next_try = 0.0
        assert (await take(other, 1, "cara"))[0].remaining == 3

    run(own_valkey, act)
