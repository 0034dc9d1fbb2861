"""Cells that are not of their column's kind are told by place, and each different one is looked at once."""

import pyarrow as pa
import pytest

from shared.tables import cells
from shared.tables.cells import read_cells
from shared.tables.columns import CellReading, ColumnKind

READING = CellReading(kind=ColumnKind.INTEGER)


def test_words_that_come_again_keep_their_places() -> None:
    values, wrong = read_cells(pa.array(["1", "one", None, "2", "one", "NA", "two", "1"]), READING)
    assert values.to_pylist() == [1, None, None, 2, None, None, None, 1]
    assert wrong is not None
    assert wrong.to_pylist() == [False, True, False, False, True, False, True, False]


def test_a_word_that_comes_a_thousand_times_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def values_of(some: pa.Array, reading: CellReading) -> pa.Array:
        read.append(len(some))
        return kept(some, reading)

    kept = cells.values_of
    monkeypatch.setattr(cells, "values_of", values_of)
    found = read_cells(pa.array(["one"] * 1000), READING)
    assert found.wrong is not None
    assert found.wrong.to_pylist() == [True] * 1000
    assert read == [1000, 1]
