"""Slows down who tries passwords, and nobody else: what counts is the name together with the address."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TypeVar

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


class LoginThrottle:
    """Counts tries in the memory of this process. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, most_kept: int = _MOST_KEPT) -> None:
        self._clock = clock
        self._most_kept = most_kept
        self._lock = threading.Lock()
        self._pairs: OrderedDict[tuple[str, str], _Tries] = OrderedDict()
        self._addresses: OrderedDict[str, _Tries] = OrderedDict()

    def enter(self, name: str, address: str) -> None:
        """Before a password is compared: counts the try as wrong until `succeeded` says otherwise.

        Several at once are thus counted before the first of them has its answer.

        Raises:
            TooManyLogins: with the seconds to wait, when there were too many.
        """
        pair = (name[:64], network_of(address))
        with self._lock:
            now = self._clock()
            tries = self._kept(self._pairs, pair, now, FORGOTTEN_SECONDS)
            if tries.not_before - now > self._wait_of(address, now):
                raise too_many_of_name(tries.not_before - now)
            self._count(address, now)
            tries.count += 1
            tries.last = now
            if tries.count >= FREE_TRIES:
                tries.not_before = now + min(2.0 ** (tries.count - FREE_TRIES), LONGEST_WAIT)

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
            self._pairs.pop((name[:64], network_of(address)), None)
            of_address = self._addresses.get(network_of(address))
            if of_address is not None and of_address.count:
                of_address.count -= 1

    def untried(self, name: str, address: str) -> None:
        """No password was compared: for that name the try is none. It stays one of all that come from the address."""
        with self._lock:
            tries = self._pairs.get((name[:64], network_of(address)))
            if tries is not None and tries.count:
                tries.count -= 1
                # A later wait goes on: others may have tried meanwhile.
                tries.not_before = tries.not_before if tries.count >= FREE_TRIES else 0

    def _wait_of(self, address: str, now: float) -> float:
        of_address = self._kept(self._addresses, network_of(address), now, ADDRESS_SECONDS)
        return of_address.last + ADDRESS_SECONDS - now if of_address.count >= TRIES_OF_ADDRESS else 0

    def _count(self, address: str, now: float) -> None:
        wait = self._wait_of(address, now)
        if wait > 0:
            raise too_many_of_address(wait)
        of_address = self._addresses[network_of(address)]
        # The minute of an address begins with its first try.
        of_address.last = of_address.last if of_address.count else now
        of_address.count += 1

    def _kept(self, kept: OrderedDict[_Key, _Tries], key: _Key, now: float, seconds: float) -> _Tries:
        tries = kept.get(key)
        if tries is None or now - tries.last >= seconds:
            tries = kept[key] = _Tries(last=now)
        kept.move_to_end(key)
        while len(kept) > self._most_kept:
            kept.popitem(last=False)
        return tries
