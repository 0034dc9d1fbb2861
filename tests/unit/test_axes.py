"""Axes of pictures: round ends, and ticks that people read."""

import math
from datetime import UTC, datetime

import pytest

from api.pages.charts.axes import axis_of, moments, of_metric, tick

LARGEST = 1.7976931348623157e308

TICKS = {
    (0.0, 1.0): ["0", "0.25", "0.50", "0.75", "1.00"],
    (0.0, 17.0): ["0", "5", "10", "15", "20"],
    (-0.021, 0.03): ["-0.04", "-0.02", "0", "0.02", "0.04"],
    (1_000.0, 5_000.0): ["1,000", "2,000", "3,000", "4,000", "5,000"],
    (0.0, 4_000_000.0): ["0", "1M", "2M", "3M", "4M"],
    (5.0, 5.0): ["2", "4", "6", "8"],
    (0.0, 0.0): ["-1.0", "-0.5", "0", "0.5", "1.0"],
}


@pytest.mark.parametrize("ends", TICKS)
def test_ticks_are_round_and_reach_around_all_numbers(ends: tuple[float, float]) -> None:
    axis = axis_of("x", ends)
    assert [text for _, text in axis.ticks] == TICKS[ends]
    assert axis.low <= min(ends)
    assert axis.high >= max(ends)


@pytest.mark.parametrize(
    "values",
    [[], [0.0], [LARGEST], [-LARGEST, LARGEST], [5e-324], [0.0, 5e-324], [1.0, 1.0 + 2e-16], [math.nan, 1.0], [1e15]],
)
def test_there_is_an_axis_for_any_numbers(values: list[float]) -> None:
    axis = axis_of("x", values)
    assert axis.low < axis.high
    assert 2 <= len(axis.ticks) <= 7
    assert all(0 <= axis.share(value) <= 1 for value in [*values, -LARGEST, LARGEST, math.inf, math.nan])


@pytest.mark.parametrize(
    ("value", "step", "text"), [(2e12, 1e12, "2e+12"), (3e-7, 1e-7, "3e-07"), (0.125, 0.025, "0.125")]
)
def test_numbers_far_from_1_have_an_exponent(value: float, step: float, text: str) -> None:
    assert tick(value, step) == text


def test_a_metric_that_is_a_share_has_no_axis_beyond_1() -> None:
    assert (of_metric("accuracy", [1.0, 1.0]).low, of_metric("accuracy", [1.0, 1.0]).high) == (0, 1)
    assert of_metric("accuracy", [0.9, 0.93]).low > 0.8
    assert of_metric("mae", [30.0, 60.0]).high == 60


@pytest.mark.parametrize(
    ("end", "texts"),
    [
        (datetime(2024, 12, 31, tzinfo=UTC), ["2024-03-01", "2024-07-01", "2024-10-31"]),
        (datetime(2024, 1, 2, tzinfo=UTC), ["01-01 04:00", "01-01 12:00", "01-01 20:00"]),
    ],
)
def test_moments_are_told_as_days_or_with_the_time(end: datetime, texts: list[str]) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    assert [text for _, text in moments("day", [start.timestamp(), end.timestamp()]).ticks] == texts
