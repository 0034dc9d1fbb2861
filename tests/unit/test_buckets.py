"""Buckets of requests: what passes, what is left, and when there is more."""

from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from api.access.buckets import LocalBuckets, Rate

# The seconds between one request and the next.
pauses = st.lists(st.floats(min_value=0, max_value=30), min_size=1, max_size=60)


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@effort(deadline=None, max_examples=200)
@given(limit=st.integers(min_value=1, max_value=40), pauses=pauses)
def test_in_no_time_pass_more_than_the_bucket_holds_and_than_come_in(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    buckets, passed = LocalBuckets(clock), []
    for pause in pauses:
        clock.now += pause
        taken = buckets.take("anna", Rate(limit), is_user=True)
        assert taken.passes or taken.remaining == 0
        if taken.passes:
            passed.append(clock.now)
    for first, begin in enumerate(passed):
        for last, end in enumerate(passed[first:], first):
            # A microsecond for what the clock itself leaves out.
            assert last - first + 1 <= limit + (end - begin + 1e-6) * limit / 60


@effort(deadline=None, max_examples=200)
@given(limit=st.integers(min_value=1, max_value=40), pauses=pauses)
def test_whoever_waits_as_long_as_was_told_passes(limit: int, pauses: list[float]) -> None:
    clock = Clock()
    buckets = LocalBuckets(clock)
    for pause in pauses:
        clock.now += pause / 30
        taken = buckets.take("anna", Rate(limit), is_user=True)
        if not taken.passes:
            clock.now += taken.seconds
            assert buckets.take("anna", Rate(limit), is_user=True).passes


def test_a_full_bucket_may_be_used_up_at_once_and_no_more() -> None:
    buckets = LocalBuckets(Clock())
    taken = [buckets.take("anna", Rate(3), is_user=True) for _ in range(4)]
    assert [each.passes for each in taken] == [True, True, True, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0]
    # All of it after a third of the minute, two thirds; then when one more is there.
    assert [each.seconds for each in taken] == [20, 40, 20, 20]


def test_what_one_uses_up_is_not_that_of_another() -> None:
    buckets = LocalBuckets(Clock())
    assert buckets.take("anna", Rate(1), is_user=True).passes
    assert not buckets.take("anna", Rate(1), is_user=True).passes
    assert buckets.take("bert", Rate(1), is_user=True).passes


def test_a_limit_that_was_lowered_holds_at_once() -> None:
    clock = Clock()
    buckets = LocalBuckets(clock)
    for _ in range(60):
        assert buckets.take("anna", Rate(60), is_user=True).passes
    assert not buckets.take("anna", Rate(1), is_user=True).passes
    clock.now += 60
    assert buckets.take("anna", Rate(1), is_user=True).passes


def test_addresses_without_number_share_one_bucket_and_take_none_of_another_away() -> None:
    clock = Clock()
    buckets = LocalBuckets(clock, most_kept=100)
    for who in ("anna", "bert"):
        assert buckets.take(who, Rate(1), is_user=True).passes
    assert buckets.take("10.0.0.1", Rate(1), is_user=False).passes
    passed = sum(buckets.take(f"10.1.0.{number}", Rate(1), is_user=False).passes for number in range(1000))
    # Ninety-nine with buckets of their own, and one of all others.
    assert passed == 100
    assert [len(kept) for kept in buckets._full_at.values()] == [2, 101]
    for who in ("anna", "bert"):
        assert not buckets.take(who, Rate(1), is_user=True).passes
    assert not buckets.take("10.0.0.1", Rate(1), is_user=False).passes
    # Once their buckets are full again, there is room for others.
    clock.now += 60
    assert all(buckets.take(f"10.2.0.{number}", Rate(1), is_user=False).passes for number in range(100))


def test_users_have_buckets_however_many_there_are() -> None:
    buckets = LocalBuckets(Clock(), most_kept=100)
    assert all(buckets.take(f"user{number}", Rate(1), is_user=True).passes for number in range(1000))
    assert not any(buckets.take(f"user{number}", Rate(1), is_user=True).passes for number in range(1000))
