"""Tries to log in, counted by all processes together: whoever guesses passwords is slowed down, and nobody else."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from anyio import from_thread

from api.access.counts import SharedCounts
from shared.accounts.networks import network_of
from shared.accounts.throttling import (
    ADDRESS_SECONDS,
    FORGOTTEN_SECONDS,
    FREE_TRIES,
    LONGEST_WAIT,
    TRIES_OF_ADDRESS,
    LoginThrottle,
    too_many_of_address,
    too_many_of_name,
)
from shared.errors import DatabaseFailure, TooManyLogins
from shared.key_derivation import HasSecret, derived_key

_PREFIX = "mlmini-tries:"
_VALUES = [
    FREE_TRIES,
    LONGEST_WAIT * 1000,
    FORGOTTEN_SECONDS * 1000,
    TRIES_OF_ADDRESS,
    ADDRESS_SECONDS * 1000,
]

# Counts as `LoginThrottle` does. The keys are that of the address and, if there is a name, that of the name with the
# address. Answers how many milliseconds to wait for the address and for the name; who has to wait is not counted.
_ENTER = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free, longest, forgotten = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count, for_name, for_address = 0, 0, 0
if KEYS[2] then
  local tries = redis.call('HMGET', KEYS[2], 'count', 'not_before')
  count = tonumber(tries[1] or 0)
  for_name = math.max(tonumber(tries[2] or 0) - now, 0)
end
if tonumber(redis.call('GET', KEYS[1]) or 0) >= tonumber(ARGV[4]) then
  for_address = math.max(redis.call('PTTL', KEYS[1]), 1)
end
if for_name > 0 or for_address > 0 then return {for_address, for_name} end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
if KEYS[2] then
  count = count + 1
  local wait = 0
  if count >= free then wait = math.min(1000 * 2 ^ (count - free), longest) end
  redis.call('HSET', KEYS[2], 'count', count, 'not_before', string.format('%.0f', now + wait))
  redis.call('PEXPIRE', KEYS[2], forgotten)
end
return {0, 0}
"""
_SUCCEEDED = """
redis.call('DEL', KEYS[2])
if tonumber(redis.call('GET', KEYS[1]) or 0) > 0 then redis.call('DECR', KEYS[1]) end
return {}
"""
_UNTRIED = """
local count = tonumber(redis.call('HGET', KEYS[2], 'count') or 0)
if count > 0 then
  redis.call('HSET', KEYS[2], 'count', count - 1)
  if count <= tonumber(ARGV[1]) then redis.call('HSET', KEYS[2], 'not_before', 0) end
end
return {}
"""


class SharedTries:
    """The tries of all processes; while Redis is away, this process counts by itself."""

    def __init__(self, counts: SharedCounts, key: HasSecret, *, local: LoginThrottle | None = None) -> None:
        self._counts = counts
        self._key = derived_key(key, "tries to log in")
        self._local = local or LoginThrottle()

    async def enter(self, name: str, address: str) -> None:
        """As `LoginThrottle.enter`.

        Raises:
            TooManyLogins: with the seconds to wait, when there were too many.
        """
        found = await self._counts.ask(_ENTER, self._keys(address, name), _VALUES)
        if found is None:
            self._local.enter(name, address)
        else:
            _check(*found)

    async def enter_from(self, address: str) -> None:
        """As `LoginThrottle.enter_from`.

        Raises:
            TooManyLogins: as `enter` does.
        """
        found = await self._counts.ask(_ENTER, self._keys(address), _VALUES)
        if found is None:
            self._local.enter_from(address)
        else:
            _check(*found)

    async def succeeded(self, name: str, address: str) -> None:
        """As `LoginThrottle.succeeded`."""
        self._local.succeeded(name, address)
        await self._counts.ask(_SUCCEEDED, self._keys(address, name), [])

    async def untried(self, name: str, address: str) -> None:
        """As `LoginThrottle.untried`."""
        if await self._counts.ask(_UNTRIED, self._keys(address, name), [FREE_TRIES]) is None:
            self._local.untried(name, address)

    @contextmanager
    def settled(self, name: str, address: str) -> Iterator[None]:
        """Settle a try that was entered, by how the block ends. It compares the password, in a thread of the API.

        When it ends well, the password was right. When a crowd of others or the database kept it from the comparison,
        nobody has found the password wrong, and its owner does not wait for that. After any other error it was wrong.
        """
        try:
            yield
        except (TooManyLogins, DatabaseFailure):
            from_thread.run(self.untried, name, address)
            raise
        from_thread.run(self.succeeded, name, address)

    def _keys(self, address: str, name: str | None = None) -> list[str]:
        network = network_of(address)
        keys = [f"{_PREFIX}address:{network}"]
        if name is not None:
            # A name may be a password that was typed into the wrong field, so Redis gets only a keyed digest.
            pair = f"{name[:64]}\0{network}".encode(errors="surrogatepass")
            keys.append(f"{_PREFIX}name:{hmac.new(self._key, pair, hashlib.sha256).hexdigest()}")
        return keys


def _check(for_address: int, for_name: int) -> None:
    if for_address > for_name:
        raise too_many_of_address(for_address / 1000)
    if for_name > 0:
        raise too_many_of_name(for_name / 1000)
