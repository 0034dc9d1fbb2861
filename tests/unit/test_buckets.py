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
        taken = buckets.take("anna", Rate(limit))
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
        taken = buckets.take("anna", Rate(limit))
        if not taken.passes:
            clock.now += taken.seconds
            assert buckets.take("anna", Rate(limit)).passes


def test_a_full_bucket_may_be_used_up_at_once_and_no_more() -> None:
    buckets = LocalBuckets(Clock())
    taken = [buckets.take("anna", Rate(3)) for _ in range(4)]
    assert [each.passes for each in taken] == [True, True, True, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0]
    # All of it after a third of the minute, two thirds; then when one more is there.
    assert [each.seconds for each in taken] == [20, 40, 20, 20]


def test_what_one_uses_up_is_not_that_of_another() -> None:
    buckets = LocalBuckets(Clock())
    assert buckets.take("anna", Rate(1)).passes
    assert not buckets.take("anna", Rate(1)).passes
    assert buckets.take("bert", Rate(1)).passes


def test_a_limit_that_was_lowered_holds_at_once() -> None:
    clock = Clock()
    buckets = LocalBuckets(clock)
    for _ in range(60):
        assert buckets.take("anna", Rate(60)).passes
    assert not buckets.take("anna", Rate(1)).passes
    clock.now += 60
    assert buckets.take("anna", Rate(1)).passes


def test_no_more_buckets_are_kept_than_room_is_for_them() -> None:
    clock = Clock()
    buckets = LocalBuckets(clock, most_kept=100)
    for number in range(1000):
        buckets.take(f"address:{number}", Rate(1))
    assert len(buckets._full_at) == 100
    assert not buckets.take("address:999", Rate(1)).passes
