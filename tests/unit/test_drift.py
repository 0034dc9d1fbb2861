"""When columns drift: not by chance, in samples of any size, and whenever they have been shifted."""

from collections import Counter

import numpy as np
import pytest

from shared.tables.drift import (
    Index,
    Numbers,
    counts_of_numbers,
    counts_of_values,
    index_of,
    largest_distance,
)

SIZES = [(30, 30), (30, 2_000), (100, 60), (1_000, 1_000), (10_000, 8_000)]
COLUMNS = 20


def columns_of(chance: np.random.Generator, rows: int) -> list[Numbers]:
    """Columns as tables have them: smooth, heavy at one end, of few whole numbers, mostly 0."""
    return [
        chance.normal(size=rows),
        chance.lognormal(2, 2, size=rows),
        chance.integers(0, 6, size=rows).astype(float),
        np.where(chance.random(rows) < 0.9, 0.0, chance.exponential(size=rows)),
    ]


def index_of_numbers(before: Numbers, after: Numbers) -> Index:
    return index_of(*counts_of_numbers(before, after))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_two_random_halves_of_a_table_do_not_drift(sizes: tuple[int, int]) -> None:
    chance = np.random.default_rng(11)
    for _ in range(COLUMNS):
        for column in columns_of(chance, sum(sizes)):
            chance.shuffle(column)
            assert index_of_numbers(column[: sizes[0]], column[sizes[0] :]).word == "none"


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("values", [2, 8, 400])
def test_two_random_halves_of_categories_do_not_drift(sizes: tuple[int, int], values: int) -> None:
    chance = np.random.default_rng(13)
    for _ in range(COLUMNS):
        column = chance.zipf(1.5, size=sum(sizes)) % values
        halves = Counter(column[: sizes[0]].tolist()), Counter(column[sizes[0] :].tolist())
        assert index_of(*counts_of_values(*halves)).word == "none"


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_columns_that_were_shifted_drift_whatever_their_size(sizes: tuple[int, int]) -> None:
    chance = np.random.default_rng(17)
    for column in columns_of(chance, sum(sizes)):
        before, after = column[: sizes[0]], column[sizes[0] :]
        for shift in (-1, 1):
            moved = after + shift * 2 * np.ptp(column)
            assert index_of_numbers(before, moved).word == "strong"
            assert largest_distance(before, moved) == 1


def test_without_drift_the_index_is_what_chance_makes_of_it_in_the_mean() -> None:
    chance = np.random.default_rng(19)
    rows, others = 1_000, 500
    found, expected = [], []
    for _ in range(300):
        counts = counts_of_numbers(chance.normal(size=rows), chance.normal(size=others))
        found.append(index_of(*counts).psi)
        expected.append((np.count_nonzero(sum(counts)) - 1) * (1 / rows + 1 / others))
    assert np.mean(found) == pytest.approx(np.mean(expected), rel=0.1)


def test_what_is_significant_in_many_rows_but_does_not_matter_is_no_drift() -> None:
    chance = np.random.default_rng(23)
    index = index_of_numbers(chance.normal(size=20_000), chance.normal(0.1, 1, size=20_000))
    assert index.psi > 2 * index.chance
    assert index.word == "none"


def test_a_value_that_all_rows_have_drifts_when_it_changes_in_either_direction() -> None:
    for value in (4.0, 6.0):
        assert index_of_numbers(np.full(50, 5.0), np.full(50, value)).word == "strong"
    assert index_of_numbers(np.full(50, 5.0), np.full(50, 5.0)).word == "none"


def test_words_begin_at_their_thresholds_and_not_below_what_chance_makes() -> None:
    found = [Index(psi, chance).word for psi, chance in ((0.09, 0), (0.1, 0), (0.2, 0.21), (0.25, 0), (0.3, 0.4))]
    assert found == ["none", "some", "none", "strong", "none"]
