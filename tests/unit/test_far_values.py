"""A value that is far from all others is told, with its first line and how often it is there; nothing else is."""

import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.tables.columns import CellReading, ColumnKind
from shared.tables.far_values import Ends
from shared.tables.findings import Finding, FindingCode
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.tables.options import ReadingOptions
from shared.tables.profile import ColumnProfile
from shared.training.findings import notes_of
from tests.support.mutated import effort
from tests.support.tables import column, parquet

FILL = 3.4028234663852886e38


def far(found: Inspection) -> list[Finding]:
    return [finding for finding in found.findings if finding.code is FindingCode.FAR_VALUE]


def found_in(folder: Path, content: bytes | str, **options: Any) -> Inspection:
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return inspect(path, TableLimits(), ReadingOptions(**options))


def csv_of(cells: list[Any]) -> str:
    return "x,y\n" + "".join(f"{cell},{'ab'[row % 2]}\n" for row, cell in enumerate(cells))


def notes_in(*chunks: pa.Array) -> list[tuple[str, int | None, int | None]]:
    """What is told of a column: the value, its first row, and how many rows have it."""
    ends, row = Ends(), 0
    for chunk in chunks:
        if chunk.null_count < len(chunk):
            ends.add(chunk, row=row, spelled=False)
        row += len(chunk)
    told = [(re.match(r"[\d,]+ cells? ha(?:s|ve) (.*?), which", note.detail), note) for note in ends.notes()]
    return [(match[1], note.row, note.count) for match, note in told if match is not None]


@pytest.mark.parametrize(
    ("usual", "code", "shown"),
    [
        (range(20), "999", "999"),
        (range(20), "-999", "-999"),
        (range(20), "-9999.0", "-9999"),
        (range(20), "-99", "-99"),
        (range(20), "99.99", "99.99"),
        (range(100), "-999.25", "-999.25"),
        ([0, 1] * 10, "999", "999"),
        ([row / 8 for row in range(20)], "3.4028235e38", "3.4028235e+38"),
        ([row / 8 for row in range(20)], "-1.7976931348623157e308", "-1.7976931348623157e+308"),
        (range(20), "2147483647", "2147483647"),
        (range(48, 68), "8856", "8856"),
    ],
)
def test_a_number_that_may_stand_for_no_value_or_be_a_mistake_is_told(
    tmp_path: Path, usual: Any, code: str, shown: str
) -> None:
    cells = [str(cell) for cell in usual]
    found = found_in(tmp_path, csv_of([*cells[:5], code, *cells[5:], code]))
    [told] = far(found)
    assert (told.column, told.line, told.count) == ("x", 7, 2)
    assert told.detail.startswith(f"2 cells have {shown}, which is far from all others (")
    assert f"Send 'gap_words' with '{shown}'" in told.detail
    assert [column(found, "x").min, column(found, "x").max].count(float(code)) == 1


def test_what_is_sent_as_advised_is_missing_and_nothing_is_told_any_more(tmp_path: Path) -> None:
    cells: list[Any] = [-999.0 if row % 5 == 0 else row / 4 for row in range(40)]
    records = "".join(json.dumps({"x": cell, "y": "ab"[row % 2]}) + "\n" for row, cell in enumerate(cells))
    for content in (csv_of(cells), records, parquet({"x": cells, "y": ["a", "b"] * 20})):
        assert [told.count for told in far(found_in(tmp_path, content))] == [8]
        mended = found_in(tmp_path, content, gap_words=["-999"])
        assert (column(mended, "x").missing, column(mended, "x").not_finite) == (8, 0)
        assert (column(mended, "x").min, far(mended)) == (0.25, [])
        table = read_table(tmp_path / "upload", mended.reading, columns=mended.columns)
        assert table["x"].isna().sum() == 8


def test_a_version_that_an_older_release_took_keeps_numbers_that_were_spelled_otherwise(tmp_path: Path) -> None:
    found = found_in(tmp_path, csv_of([-999.0, *range(20)]), gap_words=["-999"])
    for each in found.columns:
        assert each.cells is not None
        each.cells = each.cells.model_copy(update={"rules": 2})
    table = read_table(tmp_path / "upload", found.reading.model_copy(update={"rules": 2}), columns=found.columns)
    assert table["x"].tolist()[:2] == [-999, 0]


def test_codes_at_both_ends_are_both_told(tmp_path: Path) -> None:
    found = found_in(tmp_path, csv_of([*range(20), -999, 999, 999]))
    assert [(told.line, told.count) for told in far(found)] == [(22, 1), (23, 2)]
    assert all("(0 to 19)" in told.detail for told in far(found))


@pytest.mark.parametrize(
    ("cells", "advice"),
    [
        (["9999-12-31"], "Send 'gap_words' with it as the file writes it"),
        ([pd.Timestamp("1900-01-01")], "Leave its cells empty in the file"),
    ],
)
def test_a_day_that_stands_for_none_is_told(tmp_path: Path, cells: list[Any], advice: str) -> None:
    days: list[Any] = [f"2024-{month:02d}-01" for month in range(1, 13)] * 2
    if not isinstance(cells[0], str):
        days = [pd.Timestamp(day) for day in days]
    values, classes = [*days, *cells], ["a", "b"] * 12 + ["a"]
    content = csv_of(values) if isinstance(cells[0], str) else parquet({"x": pa.array(values), "y": classes})
    [told] = far(found_in(tmp_path, content))
    assert told.detail.startswith(f"1 cell has {str(cells[0])[:10]}, which is far from all others (2024-01-01 to")
    assert advice in told.detail
    if isinstance(cells[0], str):
        mended = found_in(tmp_path, content, gap_words=cells)
        assert (column(mended, "x").kind, column(mended, "x").missing, far(mended)) == ("datetime", 1, [])


def test_the_first_and_the_last_moment_of_all_are_told_and_not_in_the_way() -> None:
    first, last = -62_135_596_800_000_000, 253_402_300_799_999_999
    usual = [1_700_000_000_000_000 + 3_600_000_000 * hour for hour in range(50)]
    told = notes_in(pa.array([first, *usual, last], pa.timestamp("us")))
    assert told == [("0001-01-01", 0, 1), ("9999-12-31 23:59:59", 51, 1)]


RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize(
    "cells",
    [
        RANDOM.lognormal(8, 2, 5_000).round(2),
        RANDOM.exponential(30, 5_000).round(2),
        RANDOM.normal(0, 1, 5_000),
        RANDOM.integers(0, 2, 500),
        RANDOM.integers(1, 9_999_999, 500),
        np.arange(1, 1_000),
        np.full(50, 999),
        np.concatenate([np.zeros(500), [1.0]]),
        np.concatenate([np.arange(900), [999]]),
        np.array([0, 1, 2, 999]),
    ],
    ids=["incomes", "waiting", "normal", "flags", "numbers", "rows", "constant", "rare", "near", "few"],
)
def test_nothing_is_told_of_numbers_as_they_usually_are(cells: Any) -> None:
    assert notes_in(pa.array(cells)) == []


WIDE = st.none() | st.integers(-20, 20) | st.sampled_from([-999, 999, 9_999, 500_000, -9, -99]) | st.floats(-5, 5)
NARROW = st.sampled_from([None, 0, 1, 2, 3, 4, 5, -9, 999])
NUMBERS = st.lists(WIDE, min_size=10, max_size=60) | st.lists(NARROW, min_size=10, max_size=60)


@effort(300)
@given(numbers=NUMBERS, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_chunks_tell_the_same_as_the_whole(numbers: list[float | None], cuts: list[int]) -> None:
    places = sorted({0, len(numbers), *(cut for cut in cuts if cut < len(numbers))})
    chunks = [pa.array(numbers[first:last], pa.float64()) for first, last in pairwise(places)]
    present = [number for number in numbers if number is not None]
    ends = sorted({min(present), max(present)}) if len(present) >= 10 else []
    told = [number for number in ends if is_far(number, sorted(set(present)))]
    shown = [repr(float(number)).removesuffix(".0") for number in told]
    expected = [(text, numbers.index(each), present.count(each)) for text, each in zip(shown, told, strict=True)]
    assert notes_in(*chunks) == expected


def is_far(number: float, different: list[float]) -> bool:
    """The rule, by all numbers at once."""
    others = [other for other in different if other != number]
    if len(different) >= 4:
        opposite = different[0] if number == different[-1] else different[-1]
        others = [other for other in others if other != opposite or opposite not in (-999, 999, 9_999)]
    if len(others) < 2:
        return False
    apart = others[-1] - others[0]
    gap = min(abs(number - other) for other in others)
    code = number in (-999, 999, 9_999) or (number in (-9, -99) and others[0] >= 0)
    return gap > apart and (code or gap > 100 * apart)


def test_a_training_of_the_column_passes_the_finding_on(tmp_path: Path) -> None:
    found = found_in(tmp_path, csv_of([*range(20), FILL]))
    notes = notes_of(found.findings, target="y", used={"x"})
    assert notes[0].startswith("Column 'x': 1 cell has 3.4028234663852886e+38, which is far from all others")
    assert "POST /datasets/{name}/reread" in notes[1]


def test_extremes_stay_those_of_all_chunks() -> None:
    profile = ColumnProfile("x", CellReading(kind=ColumnKind.NUMBER, typed=True), columns=1)
    for chunk in ([5.5, None], [None, None], [-3.25, 8.5], [0.5, 1.5]):
        values = pa.array(chunk, pa.float64())
        profile.add(values, values)
    found = profile.finish()
    assert (found.min, found.max, found.missing) == (-3.25, 8.5, 3)
    assert found.mean is not None
    assert math.isclose(found.mean, 12.75 / 5)
