"""What is remembered of credentials, by a clock that the test moves."""

import pytest

from shared.accounts.identity import NOBODY_NEEDED
from shared.accounts.memory import CredentialMemory, Recalled
from shared.errors import NotAuthenticated


class Hands:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def memory(clock: Hands) -> CredentialMemory:
    return CredentialMemory(clock, grace_seconds=60, most_kept=3)


def keep(memory: CredentialMemory, digest: bytes = b"a", *, ends_at: float = 1e9) -> None:
    memory.keep(digest, NOBODY_NEEDED, asked_at=50.0, ends_at=ends_at)


def test_an_answer_counts_then_one_is_told_to_ask_anew_then_all_have_to(memory: CredentialMemory, clock: Hands) -> None:
    assert memory.recall(b"a") is None
    keep(memory)
    clock.now += 0.4
    assert memory.recall(b"a") == Recalled(NOBODY_NEEDED)
    clock.now += 0.2
    assert memory.recall(b"a") == Recalled(NOBODY_NEEDED, due=True)
    assert memory.recall(b"a") == Recalled(NOBODY_NEEDED, due=False)
    clock.now += 0.5
    assert memory.recall(b"a") is None


def test_what_was_changed_here_counts_at_once(memory: CredentialMemory) -> None:
    keep(memory)
    memory.forget()
    assert memory.recall(b"a") is None
    assert memory.last_answer(b"a") is None, "nor does it while the database is away"


def test_a_refusal_counts_for_half_a_second_and_takes_the_place_of_an_answer(
    memory: CredentialMemory, clock: Hands
) -> None:
    keep(memory)
    memory.refuse(b"a", asked_at=50.0)
    with pytest.raises(NotAuthenticated):
        memory.recall(b"a")
    clock.now += 0.5
    assert memory.recall(b"a") is None
    keep(memory)
    memory.keep(b"a", NOBODY_NEEDED, asked_at=clock.now)
    assert memory.recall(b"a") == Recalled(NOBODY_NEEDED)


def test_while_the_database_is_away_the_last_answer_counts_until_the_grace_is_over(
    memory: CredentialMemory, clock: Hands
) -> None:
    keep(memory)
    clock.now += 30
    assert memory.recall(b"a") is None
    assert memory.last_answer(b"a") == NOBODY_NEEDED
    assert memory.recall(b"a") == Recalled(NOBODY_NEEDED)
    assert memory.last_answer(b"b") is None
    clock.now += 1
    assert memory.recall(b"a") is None, "the database is asked again"
    clock.now += 29
    assert memory.last_answer(b"a") is None
    assert memory.recall(b"a") is None


def test_an_answer_of_the_database_ends_the_time_in_which_nobody_asks_it(
    memory: CredentialMemory, clock: Hands
) -> None:
    keep(memory)
    clock.now += 2
    assert memory.last_answer(b"a") == NOBODY_NEEDED
    memory.keep(b"a", NOBODY_NEEDED, asked_at=clock.now)
    clock.now += 0.6
    assert memory.recall(b"a") == Recalled(NOBODY_NEEDED, due=True)


def test_what_has_ended_is_refused_in_each_way(memory: CredentialMemory, clock: Hands) -> None:
    keep(memory, ends_at=50.2)
    clock.now += 0.3
    with pytest.raises(NotAuthenticated, match="has expired"):
        memory.recall(b"a")
    with pytest.raises(NotAuthenticated, match="has expired"):
        memory.last_answer(b"a")


def test_made_up_credentials_push_no_real_ones_out_and_both_are_bounded(memory: CredentialMemory) -> None:
    keep(memory)
    for number in range(20):
        memory.refuse(bytes([number]), asked_at=50.0)
    assert memory.recall(b"a") == Recalled(NOBODY_NEEDED)
    assert len(memory._refused) == 3
    for number in range(20):
        keep(memory, bytes([number]))
    assert memory.recall(b"a") is None
    assert len(memory._answers) == 3
    keep(memory, bytes([17]))
    keep(memory, b"b")
    assert set(memory._answers) == {bytes([17]), bytes([19]), b"b"}, "the one that was not asked about for longest goes"
    for digest in (b"b", b"c", b"d", b"c", b"e"):
        memory.refuse(digest, asked_at=50.0)
    assert set(memory._refused) == {b"c", b"d", b"e"}
    assert b"b" not in memory._answers
