"""How well one column alone predicts a target, and which rows are the same as others."""

import numpy as np
import pyarrow as pa

from shared.tables.alone import binned_by, halves_of, score_of_classes, score_of_numbers
from shared.tables.correlating import correlations_of
from shared.tables.repeated import RepeatedRows

ROWS = 1_000
CHANCE = np.random.default_rng(3)
LEARNT = halves_of(ROWS)


def test_what_a_table_knows_by_heart_is_no_score() -> None:
    names, classes = np.arange(ROWS), CHANCE.integers(0, 2, ROWS)
    assert score_of_classes(names, classes, LEARNT) == 0
    assert score_of_classes(classes, classes, LEARNT) == 1
    assert score_of_numbers(names, None, CHANCE.normal(size=ROWS), LEARNT) == 0


def test_a_gap_that_gives_the_target_away_is_found() -> None:
    classes = CHANCE.integers(0, 2, ROWS)
    numbers = np.where(classes == 1, CHANCE.normal(size=ROWS), np.nan)
    assert score_of_classes(binned_by(numbers, LEARNT), classes, LEARNT) == 1


def test_a_line_and_a_bend_are_found() -> None:
    numbers = CHANCE.lognormal(0, 2, ROWS)
    codes = binned_by(numbers, LEARNT)
    assert (score_of_numbers(codes, numbers, 3 * numbers + 2, LEARNT) or 0) > 0.999
    assert (score_of_numbers(codes, numbers, np.abs(np.log(numbers)), LEARNT) or 0) > 0.9


def test_correlations_are_those_of_the_rows_that_have_both() -> None:
    one, other = CHANCE.normal(size=ROWS) * 1e200, CHANCE.normal(size=ROWS)
    one[::3], other[1::3] = np.nan, np.nan
    mixed = one / 1e200 + other
    found, matrix = correlations_of({"one": one, "other": other, "mixed": mixed, "same": np.ones(ROWS)})
    for each in found:
        columns = [{"one": one / 1e200, "other": other, "mixed": mixed}[name] for name in each.columns]
        both = np.isfinite(columns[0]) & np.isfinite(columns[1])
        assert each.rows == both.sum()
        assert abs(each.pearson - np.corrcoef(columns[0][both], columns[1][both])[0, 1]) < 1e-5
    assert matrix is not None
    assert "same" not in matrix.columns


def test_rows_are_the_same_only_if_every_cell_is() -> None:
    table = pa.table(
        {
            "a": [1.0, 1.0, None, 0.0, 1.0, -0.0],
            "b": ["x", "x", "x", None, "y", None],
            "c": [True, True, True, None, True, None],
            "target": [1, 2, 1, 5, 1, 5],
        }
    )
    rows = RepeatedRows("target", ["a", "b", "c"])
    for batch in table.to_batches(max_chunksize=4):
        rows.add(batch)
    assert rows.count() == (6, 1, 2)
