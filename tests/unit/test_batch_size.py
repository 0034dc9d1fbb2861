"""How many rows of a CSV file are predicted at a time."""

from api.predicting_csv import BatchSize


def test_batches_grow_while_they_are_fast_and_never_beyond_the_most() -> None:
    size = BatchSize(100, limit_seconds=32)
    sizes = [size.rows]
    for _ in range(5):
        size.adapt(0.5)
        sizes.append(size.rows)
    assert sizes == [16, 32, 64, 100, 100, 100]


def test_batches_shrink_before_they_take_too_long_down_to_single_rows() -> None:
    size = BatchSize(100, limit_seconds=32)
    sizes = []
    for _ in range(6):
        size.adapt(5)
        sizes.append(size.rows)
    assert sizes == [8, 4, 2, 1, 1, 1]


def test_batches_of_a_middling_time_stay_as_they_are() -> None:
    size = BatchSize(100, limit_seconds=32)
    size.adapt(2)
    assert size.rows == 16


def test_a_request_that_may_have_few_cells_begins_with_few_rows() -> None:
    assert BatchSize(3, limit_seconds=32).rows == 3
