"""Slows down who tries passwords, and nobody else: what counts is the name together with the address."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

from shared.accounts.networks import network_of
from shared.errors import LimitPolicy, TooManyLogins

# So many wrong passwords cost nothing; each further one doubles the wait.
FREE_TRIES = 5
LONGEST_WAIT = 300
# What an address may try within a minute, whatever the names.
TRIES_OF_ADDRESS = 60
ADDRESS_SECONDS = 60
FORGOTTEN_SECONDS = 900
_MOST_KEPT = 10_000

_Key = TypeVar("_Key")


def too_many_of_name(seconds: float) -> TooManyLogins:
    """The error of tries with one name from one address."""
    # The quota is what costs nothing; what comes after it waits longer each time.
    return _too_many(seconds, LimitPolicy("logins-of-name", FREE_TRIES))


def too_many_of_address(seconds: float) -> TooManyLogins:
    """The error of tries with any names from one address."""
    return _too_many(seconds, LimitPolicy("logins", TRIES_OF_ADDRESS, ADDRESS_SECONDS))


def _too_many(seconds: float, policy: LimitPolicy) -> TooManyLogins:
    said = f"{TooManyLogins.__doc__} {TooManyLogins.hint}"
    return TooManyLogins(said, retry_after=ceil(seconds), policy=policy)


@dataclass
class _Tries:
    count: int = 0
    last: float = 0.0
    not_before: float = 0.0


class _TriesOfKeys(Generic[_Key]):
    """Tries by their keys, `most` at a time. Those of whom has to wait have a half of their own, so that others, of
    whom there may be any number, do not have them forgotten.
    """

    def __init__(self, most: int, *, slowed_from: int) -> None:
        self._most_of_half = most // 2
        self._slowed_from = slowed_from
        self._few: OrderedDict[_Key, _Tries] = OrderedDict()
        self._many: OrderedDict[_Key, _Tries] = OrderedDict()

    def __iter__(self) -> Iterator[_Key]:
        """The keys."""
        return iter([*self._few, *self._many])

    def find(self, key: _Key) -> _Tries | None:
        """The tries of a key, if they are remembered."""
        return self._many.get(key) or self._few.get(key)

    def put(self, key: _Key, tries: _Tries) -> None:
        """Remember tries as those that came last; the ones that came first make room."""
        self.forget(key)
        half = self._many if tries.count >= self._slowed_from else self._few
        half[key] = tries
        if len(half) > self._most_of_half:
            half.popitem(last=False)

    def forget(self, key: _Key) -> None:
        """Forget the tries of a key."""
        self._few.pop(key, None)
        self._many.pop(key, None)


class LoginThrottle:
    """Counts tries in the memory of this process. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_kept: int = _MOST_KEPT) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pairs: _TriesOfKeys[tuple[str, str]] = _TriesOfKeys(most_kept, slowed_from=FREE_TRIES)
        self._addresses: _TriesOfKeys[str] = _TriesOfKeys(most_kept, slowed_from=TRIES_OF_ADDRESS)

    def enter(self, name: str, address: str) -> None:
        """Before a password is compared: counts the try as wrong until `succeeded` says otherwise.

        Several at once are thus counted before the first of them has its answer.

        Raises:
            TooManyLogins: with the seconds to wait, when there were too many.
        """
        pair = (name[:64], network_of(address))
        with self._lock:
            now = self._clock()
            tries = _recalled(self._pairs, pair, now, FORGOTTEN_SECONDS)
            if tries.not_before - now > self._wait_of(address, now):
                raise too_many_of_name(tries.not_before - now)
            self._count(address, now)
            tries.count += 1
            tries.last = now
            if tries.count >= FREE_TRIES:
                tries.not_before = now + min(2.0 ** (tries.count - FREE_TRIES), LONGEST_WAIT)
            self._pairs.put(pair, tries)

    def enter_from(self, address: str) -> None:
        """Before a login that says only later whose it is: counts as one of all that come from the address.

        Raises:
            TooManyLogins: as `enter` does.
        """
        with self._lock:
            self._count(address, self._clock())

    def succeeded(self, name: str, address: str) -> None:
        """The password was right: the tries of that name from there are forgotten."""
        with self._lock:
            network = network_of(address)
            self._pairs.forget((name[:64], network))
            of_address = self._addresses.find(network)
            if of_address is not None and of_address.count:
                of_address.count -= 1
                self._addresses.put(network, of_address)

    def untried(self, name: str, address: str) -> None:
        """No password was compared: for that name the try is none. It stays one of all that come from the address."""
        with self._lock:
            pair = (name[:64], network_of(address))
            tries = self._pairs.find(pair)
            if tries is not None and tries.count:
                tries.count -= 1
                # A later wait goes on: others may have tried meanwhile.
                tries.not_before = tries.not_before if tries.count >= FREE_TRIES else 0
                self._pairs.put(pair, tries)

    def _wait_of(self, address: str, now: float) -> float:
        of_address = _recalled(self._addresses, network_of(address), now, ADDRESS_SECONDS)
        return of_address.last + ADDRESS_SECONDS - now if of_address.count >= TRIES_OF_ADDRESS else 0

    def _count(self, address: str, now: float) -> None:
        wait = self._wait_of(address, now)
        if wait > 0:
            raise too_many_of_address(wait)
        network = network_of(address)
        of_address = _recalled(self._addresses, network, now, ADDRESS_SECONDS)
        # The minute of an address begins with its first try.
        of_address.last = of_address.last if of_address.count else now
        of_address.count += 1
        self._addresses.put(network, of_address)


def _recalled(remembered: _TriesOfKeys[_Key], key: _Key, now: float, seconds: float) -> _Tries:
    """The tries of a key that somebody asks for once more; new ones, which only a `put` has remembered, if it has none.

    After so many `seconds` they are forgotten.
    """
    tries = remembered.find(key)
    if tries is None or now - tries.last >= seconds:
        return _Tries(last=now)
    remembered.put(key, tries)
    return tries
