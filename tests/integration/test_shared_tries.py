"""Tries to log in that several processes count together by a real server, and what becomes of them without it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import redis
from pydantic import SecretStr

from api.access.counts import SharedCounts
from api.access.tries import SharedTries
from shared.accounts.throttling import LoginThrottle
from shared.audit.chain import AuditKey
from shared.errors import TooManyLogins
from shared.settings import Settings
from tests.support.accounts import KEY
from tests.support.servers import Valkey
from tests.support.stack import NO_REDIS

HERE, ELSEWHERE = "10.0.0.1", "10.0.0.2"

NONE = (0, "")

Act = Callable[[SharedTries, SharedTries], Awaitable[None]]


def run(url: SecretStr, act: Act) -> None:
    """Have two processes count."""

    async def work() -> None:
        async with AsyncExitStack() as stack:
            both = []
            for _ in range(2):
                counts = SharedCounts(Settings(redis_url=url))
                stack.push_async_callback(counts.close)
                both.append(SharedTries(counts, KEY))
            await act(*both)

    asyncio.run(work())


def fresh(valkey: Valkey) -> SecretStr:
    return SecretStr(valkey.fresh_database())


async def wait_of(tries: SharedTries, name: str = "anna", address: str = HERE) -> tuple[int, str]:
    """For how long a try has to wait, and by which limit; nothing if it may go on."""
    try:
        await tries.enter(name, address)
    except TooManyLogins as error:
        return error.members["retry_after"], "" if error.policy is None else error.policy.name
    return NONE


def test_two_processes_count_tries_together_and_lock_nobody_else_out(valkey: Valkey) -> None:
    async def act(one: SharedTries, other: SharedTries) -> None:
        found = [await wait_of(each) for each in (one, other) * 5]
        assert found[:5] == [NONE] * 5
        assert found[-1][1] == "logins-of-name"
        assert await wait_of(other, address=ELSEWHERE) == NONE
        assert await wait_of(one, name="bert") == NONE

    run(fresh(valkey), act)


def test_whoever_reads_redis_learns_no_name_and_cannot_find_one_by_trying_names(valkey: Valkey) -> None:
    url = fresh(valkey)

    async def work() -> None:
        async with AsyncExitStack() as stack:
            counts = SharedCounts(Settings(redis_url=url))
            stack.push_async_callback(counts.close)
            for key in (KEY, AuditKey(b"another key" * 3)):
                await SharedTries(counts, key).enter("hunter2hunter2", HERE)

    asyncio.run(work())
    with redis.Redis.from_url(url.get_secret_value()) as client:
        kept = [key.decode() for key in client.scan_iter("mlmini-tries:name:*")]
    # Without the key, the same name could be looked for here.
    assert len(kept) == 2
    assert "hunter2" not in "".join(kept)


def test_shared_and_local_tries_are_counted_alike(valkey: Valkey) -> None:
    local = LoginThrottle(lambda: 1000.0)

    def wait_here(name: str) -> int:
        try:
            local.enter(name, HERE)
        except TooManyLogins as error:
            wait: int = error.members["retry_after"]
            return wait
        return 0

    async def act(one: SharedTries, _other: SharedTries) -> None:
        names = ["anna"] * 5 + [f"user{number}" for number in range(57)] + ["anna"]
        found = [(await wait_of(one, name))[0] for name in names]
        expected = [wait_here(name) for name in names]
        # The minute has gone on there a little, and here it stands still.
        assert all(-20 <= there - here <= 0 for here, there in zip(found, expected, strict=True))
        assert found.count(0) == expected.count(0) == 60
        await one.succeeded("user7", HERE)
        local.succeeded("user7", HERE)
        assert (await wait_of(one, "user7"))[0] == wait_here("user7") == 0

    run(fresh(valkey), act)


@pytest.mark.parametrize("is_away", [False, True])
def test_a_try_whose_password_nobody_compared_is_none(valkey: Valkey, is_away: bool) -> None:
    async def act(one: SharedTries, _other: SharedTries) -> None:
        await one.untried("anna", HERE)
        for _ in range(4):
            assert await wait_of(one) == NONE
        for _ in range(9):
            assert await wait_of(one) == NONE
            await one.untried("anna", HERE)
        assert await wait_of(one) == NONE
        # What the others were is not forgotten for that.
        assert await wait_of(one) == (1, "logins-of-name")

    run(NO_REDIS if is_away else fresh(valkey), act)


def test_an_address_has_so_many_tries_whatever_the_names_and_the_process(valkey: Valkey) -> None:
    async def act(one: SharedTries, other: SharedTries) -> None:
        for number in range(30):
            assert await wait_of(one, f"user{number}") == NONE
            await other.enter_from(HERE)
        wait, limit = await wait_of(other, "another")
        assert limit == "logins"
        assert 50 <= wait <= 60
        assert await wait_of(other, "another", ELSEWHERE) == NONE

    run(fresh(valkey), act)


def test_a_right_password_makes_all_processes_forget(valkey: Valkey) -> None:
    async def act(one: SharedTries, other: SharedTries) -> None:
        for _ in range(5):
            assert await wait_of(one) == NONE
        await other.succeeded("anna", HERE)
        assert [await wait_of(one) for _ in range(5)] == [NONE] * 5
        assert (await wait_of(other))[1] == "logins-of-name"

    run(fresh(valkey), act)


def test_what_is_counted_names_nobody_and_ends(valkey: Valkey) -> None:
    url = fresh(valkey)

    async def act(one: SharedTries, _other: SharedTries) -> None:
        await wait_of(one, "my secret password")

    run(url, act)
    with redis.Redis.from_url(url.get_secret_value(), decode_responses=True) as client:
        kept = {str(key): client.pttl(key) for key in client.scan_iter()}
    assert len(kept) == 2
    assert "secret" not in str(kept)
    assert sorted(round(left / 1000, -1) for left in kept.values()) == [60, 900]


def test_without_redis_each_process_counts_for_itself() -> None:
    async def act(one: SharedTries, other: SharedTries) -> None:
        found = [await wait_of(one) for _ in range(9)]
        assert found[:5] == [NONE] * 5
        assert found[-1][1] == "logins-of-name"
        assert await wait_of(other) == NONE
        await one.succeeded("anna", HERE)
        assert await wait_of(one) == NONE
        await one.enter_from(HERE)

    run(NO_REDIS, act)
