"""Who tries passwords waits, and nobody else."""

import pytest

from shared.accounts.throttling import LoginThrottle
from shared.errors import TooManyLogins


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> LoginThrottle:
    return LoginThrottle(clock, most_kept=100)


def wait_of(throttle: LoginThrottle, name: str = "anna", address: str = "10.0.0.1") -> int:
    """The seconds that a try is told to wait; 0 where it may go on."""
    try:
        throttle.enter(name, address)
    except TooManyLogins as error:
        wait: int = error.members["retry_after"]
        return wait
    return 0


@pytest.mark.asvs("6.3.1")
def test_a_few_wrong_passwords_cost_nothing_and_each_further_one_doubles_the_wait(
    throttle: LoginThrottle, clock: Clock
) -> None:
    assert [wait_of(throttle) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    waits = []
    for _ in range(11):
        waits.append(wait_of(throttle))
        clock.now += waits[-1]
        assert wait_of(throttle) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_a_try_whose_password_nobody_compared_makes_no_later_one_wait_longer(
    throttle: LoginThrottle, clock: Clock
) -> None:
    for _ in range(5):
        throttle.enter("anna", "10.0.0.1")
    for _ in range(3):
        clock.now += 2
        assert wait_of(throttle) == 0
        throttle.untried("anna", "10.0.0.1")
        # The wait that it began goes on: others may have tried meanwhile.
        assert wait_of(throttle) == 2


def test_tries_that_are_refused_do_not_lengthen_the_wait(throttle: LoginThrottle, clock: Clock) -> None:
    for _ in range(5):
        throttle.enter("anna", "10.0.0.1")
    assert {wait_of(throttle) for _ in range(50)} == {1}
    clock.now += 1
    assert wait_of(throttle) == 0


@pytest.mark.asvs("6.3.1")
def test_nobody_can_lock_another_out(throttle: LoginThrottle) -> None:
    for _ in range(50):
        wait_of(throttle, address="10.6.6.6")
    assert wait_of(throttle, address="10.6.6.6") > 0
    assert wait_of(throttle, address="10.0.0.1") == 0
    assert wait_of(throttle, name="bert", address="10.6.6.6") == 0


def test_a_right_password_and_time_make_it_forget(throttle: LoginThrottle, clock: Clock) -> None:
    for _ in range(5):
        throttle.enter("anna", "10.0.0.1")
    throttle.succeeded("anna", "10.0.0.1")
    assert [wait_of(throttle) for _ in range(5)] == [0] * 5
    assert wait_of(throttle) == 1
    clock.now += 900
    assert [wait_of(throttle) for _ in range(5)] == [0] * 5


@pytest.mark.asvs("6.3.1")
def test_an_address_has_so_many_tries_a_minute_whatever_the_names(throttle: LoginThrottle, clock: Clock) -> None:
    assert {wait_of(throttle, name=f"user{number}") for number in range(60)} == {0}
    clock.now += 20
    assert wait_of(throttle, name="another") == 40
    assert wait_of(throttle, name="another", address="10.0.0.2") == 0
    clock.now += 40
    assert wait_of(throttle, name="another") == 0


def test_right_passwords_use_up_no_tries_of_an_address(throttle: LoginThrottle) -> None:
    for _ in range(200):
        throttle.enter("anna", "10.0.0.1")
        throttle.succeeded("anna", "10.0.0.1")
    throttle.succeeded("nobody", "elsewhere")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("10.0.0.1", "10.0.0.2", False),
        # As a socket that listens on :: tells of those who come by IPv4.
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("no address", "no address", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_addresses_of_one_network_of_ipv6_count_as_one(
    throttle: LoginThrottle, one: str, other: str, same: bool
) -> None:
    for _ in range(5):
        throttle.enter("anna", one)
    assert (wait_of(throttle, address=other) > 0) is same


def test_what_is_kept_is_bounded_whatever_names_are_sent(throttle: LoginThrottle) -> None:
    for number in range(500):
        wait_of(throttle, name="x" * 10_000 + str(number), address=f"10.1.{number % 250}.{number // 250}")
        wait_of(throttle)
    assert wait_of(throttle) == 1, "who still tries is not forgotten for others"
    assert len([*throttle._pairs]) <= 100
    assert len([*throttle._addresses]) <= 100
    assert max(len(name) for name, _ in throttle._pairs) == 64


def test_a_flood_of_names_does_not_have_it_forget_who_has_to_wait(throttle: LoginThrottle, clock: Clock) -> None:
    for _ in range(9):
        clock.now += wait_of(throttle)
    waits = wait_of(throttle)
    assert waits > 1
    for number in range(1_000):
        assert wait_of(throttle, name=f"name{number}", address=f"10.{number // 250}.1.{number % 250}") == 0
    assert wait_of(throttle) == waits
    # Nor does it forget an address that may try no more.
    for number in range(60):
        wait_of(throttle, name=f"one{number}", address="10.6.6.6")
    for number in range(1_000):
        wait_of(throttle, address=f"10.7.{number // 250}.{number % 250}")
    assert wait_of(throttle, name="another", address="10.6.6.6") == 60


def test_names_that_all_have_to_wait_leave_room_for_the_tries_of_a_new_one(throttle: LoginThrottle) -> None:
    for number in range(300):
        for _ in range(5):
            throttle.enter("anna", f"10.3.{number // 250}.{number % 250}")
    assert [wait_of(throttle, name="bert") for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert len([*throttle._pairs]) <= 100


def test_tries_that_an_address_may_not_make_are_not_remembered() -> None:
    throttle = LoginThrottle(most_kept=200)
    for _ in range(4):
        throttle.enter("anna", "10.0.0.1")
    for number in range(1_000):
        wait_of(throttle, name=f"name{number}", address="10.6.6.6")
    throttle.enter("anna", "10.0.0.1")
    assert wait_of(throttle) == 1
    assert len([*throttle._pairs]) == 61
