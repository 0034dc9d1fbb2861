"""How the values of a column are spread, from rows evenly taken."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from shared.tables.columns import ColumnKind
from shared.tables.sketch import Sketch, rows_looked_at


@pytest.mark.parametrize("rows", [5, 20_000, 20_001, 40_001, 1_000_003])
def test_the_rows_that_are_kept_are_evenly_taken(rows: int) -> None:
    sketch = Sketch(columns=3)
    numbers = np.arange(rows)
    for first in range(0, rows, 7_777):
        sketch.add(pa.array(numbers[first : first + 7_777]))
    kept = pa.chunked_array(sketch._kept).combine_chunks().to_numpy()
    assert kept[0] == 0
    assert len(set(np.diff(kept).tolist())) == 1
    assert len(kept) == rows_looked_at(rows, columns=3) <= 20_000


def test_a_column_that_comes_late_keeps_the_same_rows() -> None:
    early, late = Sketch(columns=3), Sketch(columns=3, rows_before=3)
    early.add(pa.array(range(50_000)))
    late.add(pa.array(range(3, 50_000)))
    kept = [pa.chunked_array(each._kept).combine_chunks().to_pylist() for each in (early, late)]
    assert kept[0][1:] == kept[1]


@pytest.mark.parametrize(
    "numbers", [[1.7e308] * 3, [2**63 - 1] * 3, [2**63 - 1, 2**63 - 2], [1e16, 1e16 + 2], [5e-324, 1e-323], [-1, 0, 7]]
)
def test_any_numbers_have_a_histogram_of_all_of_them(numbers: list[float]) -> None:
    sketch = Sketch(columns=1)
    sketch.add(pa.array(numbers))
    found = sketch.finish(ColumnKind.NUMBER).histogram
    assert found is not None
    assert sum(found.counts) == len(numbers)
    assert (found.edges[0], found.edges[-1]) == (float(min(numbers)), float(max(numbers)))
    assert len(found.edges) == len(found.counts) + 1


def test_a_range_beyond_all_floats_has_no_histogram() -> None:
    sketch = Sketch(columns=1)
    sketch.add(pa.array([-1.7e308, 0.0, 1.7e308]))
    assert sketch.finish(ColumnKind.NUMBER).histogram is None


def test_moments_are_spread_in_seconds() -> None:
    sketch = Sketch(columns=1)
    sketch.add(pa.array([datetime(1970, 1, 1), datetime(1970, 1, 2)], pa.timestamp("us")))  # noqa: DTZ001 - UTC
    assert sketch.finish(ColumnKind.DATETIME).quantiles == pytest.approx(
        {"0.05": 4_320, "0.25": 21_600, "0.5": 43_200, "0.75": 64_800, "0.95": 82_080}
    )


def test_nothing_is_spread_in_no_way() -> None:
    sketch = Sketch(columns=1)
    sketch.add(pa.nulls(3, pa.float64()))
    assert sketch.finish(ColumnKind.NUMBER).histogram is None


def test_quantiles_between_numbers_whose_distance_is_beyond_all_floats_are_numbers_of_the_column() -> None:
    numbers = [-1.7e308, -1e308, 1e308, 1.7e308]
    sketch = Sketch(columns=1)
    sketch.add(pa.array(numbers))
    quantiles = sketch.finish(ColumnKind.NUMBER).quantiles
    assert quantiles is not None
    assert set(quantiles.values()) <= set(numbers)
