"""What a typed file says comes back equal, or it is counted as rounded, or the file is refused: nothing in silence."""

import io
import json
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.errors import InvalidTable
from tests.support.tables import column, load

quick = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])

FIRST, LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
UNITS = {"s": Decimal(10**6), "ms": Decimal(10**3), "us": Decimal(1), "ns": Decimal("0.001")}


@dataclass(frozen=True)
class Cells:
    """The cells of a column, as Arrow has them and what has to come back: a number, a moment, a word, or None."""

    array: pa.Array
    expected: list[Any]
    rounded: int = 0
    refused: bool = False


def is_kept(written: Decimal, number: float) -> bool:
    """Whether a float is the number, or is shown like it."""
    return written in {Decimal(number), Decimal(repr(number))}


def of_whole_numbers(values: list[int | None], kind: pa.DataType) -> Cells:
    """Whole numbers; if one is beyond 64 bits, all of them are texts."""
    array = pa.array(values if pa.types.is_integer(kind) else [None if v is None else Decimal(v) for v in values], kind)
    if all(value is None or -(2**63) <= value < 2**63 for value in values):
        return Cells(array, values)
    return Cells(array, [None if value is None else str(value) for value in values])


def of_decimals(values: list[int | None], precision: int, scale: int) -> Cells:
    """Decimals with fractions, as the nearest floats."""
    maker = pa.decimal128 if precision <= 38 else pa.decimal256
    decimals = [None if value is None else Decimal(f"{value}E-{scale}") for value in values]
    floats = [None if value is None else float(value) for value in decimals]
    lost = sum(not is_kept(d, f) for d, f in zip(decimals, floats, strict=True) if d is not None and f is not None)
    return Cells(pa.array(decimals, maker(precision, scale)), floats, rounded=lost)


def of_moments(counts: list[int | None], unit: str, zone: str | None) -> Cells:
    """Counts of a unit since 1970."""
    exact = [None if count is None else count * UNITS[unit] for count in counts]
    whole = [None if each is None else int(each // 1) - (each < 0 and each % 1 != 0) for each in exact]
    first, last = (FIRST - EPOCH) // MICROSECOND, (LAST - EPOCH) // MICROSECOND
    refused = any(not first <= each <= last for each in whole if each is not None)
    moments = [] if refused else [None if each is None else EPOCH + each * MICROSECOND for each in whole]
    finer = sum(each % 1 != 0 for each in exact if each is not None)
    return Cells(pa.array(counts, pa.int64()).cast(pa.timestamp(unit, zone)), moments, rounded=finer, refused=refused)


def of_days(days: list[int | None]) -> Cells:
    """Dates, counted in days since 1970."""
    first, last = (FIRST - EPOCH).days, (LAST - EPOCH).days
    refused = any(not first <= day <= last for day in days if day is not None)
    moments = [] if refused else [None if day is None else EPOCH + timedelta(days=day) for day in days]
    return Cells(pa.array(days, pa.int32()).cast(pa.date32()), moments, refused=refused)


def of_floats(values: list[float | None], kind: pa.DataType) -> Cells:
    """Floats of any width; what is not finite is missing."""
    array = pa.array(values, pa.float64()).cast(kind)
    finite = [value if value is not None and abs(value) < float("inf") else None for value in array.to_pylist()]
    return Cells(array, finite)


def of_words(values: list[str | None], make: Callable[[pa.Array], pa.Array]) -> Cells:
    """Strings, in one of the ways that Arrow has for them; a table holds them in composed form."""
    composed = [None if value is None else unicodedata.normalize("NFC", value) for value in values]
    return Cells(make(pa.array(values, pa.string())), composed)


def cells(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """A few cells, with gaps."""
    return st.lists(st.none() | values, min_size=1, max_size=6)


def whole(least: int, most: int) -> st.SearchStrategy[int]:
    """Whole numbers with those that stand at an edge."""
    edges = [least, most, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63]
    return st.sampled_from([edge for edge in edges if least <= edge <= most]) | st.integers(least, most)


INT64 = whole(-(2**63), 2**63 - 1)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=4).map("t".__add__)
COLUMNS = st.one_of(
    st.builds(of_whole_numbers, cells(INT64), st.just(pa.int64())),
    st.builds(of_whole_numbers, cells(st.integers(-(2**15), 2**15 - 1)), st.just(pa.int16())),
    st.builds(of_whole_numbers, cells(whole(0, 2**32 - 1)), st.just(pa.uint32())),
    st.builds(of_whole_numbers, cells(whole(0, 2**64 - 1)), st.just(pa.uint64())),
    st.builds(of_whole_numbers, cells(whole(-(10**18) + 1, 10**18 - 1)), st.just(pa.decimal128(18, 0))),
    st.builds(of_whole_numbers, cells(whole(-(10**38) + 1, 10**38 - 1)), st.just(pa.decimal128(38, 0))),
    st.builds(of_decimals, cells(whole(-(10**9) + 1, 10**9 - 1)), st.just(9), st.integers(1, 9)),
    st.builds(of_decimals, cells(whole(-(10**38) + 1, 10**38 - 1)), st.just(38), st.sampled_from([2, 18, 38])),
    st.builds(of_decimals, cells(whole(-(10**70), 10**70)), st.just(76), st.sampled_from([5, 30])),
    st.builds(
        of_moments, cells(INT64), st.sampled_from(["ms", "us", "ns"]), st.sampled_from([None, "UTC", "Asia/Tokyo"])
    ),
    st.builds(of_moments, cells(st.integers(-(2**40), 2**40)), st.sampled_from(list(UNITS)), st.none()),
    st.builds(of_days, cells(st.integers(-(2**31), 2**31 - 1) | st.integers(-719162, 2932896))),
    st.builds(of_floats, cells(st.floats()), st.just(pa.float64())),
    st.builds(of_floats, cells(st.floats(width=32)), st.just(pa.float32())),
    st.builds(of_floats, cells(st.floats(width=16)), st.just(pa.float16())),
    st.builds(
        of_words,
        cells(WORDS),
        st.sampled_from([lambda a: a, lambda a: a.cast(pa.large_string()), lambda a: a.dictionary_encode()]),
    ),
)


@quick
@given(COLUMNS)
@example(of_moments([2**63 - 1], "ms", None))
@example(of_moments([2**62], "ms", "UTC"))
@example(of_moments([-(2**63), None, 0], "us", None))
@example(of_moments([-1, 1, 1_000], "ns", None))
@example(of_moments([-(2**63), 2**63 - 1], "ns", "UTC"))
@example(of_days([None, 2**31 - 1]))
@example(of_whole_numbers([2**53 + 1, None], pa.int64()))
@example(of_whole_numbers([2**63, 2**53 + 1], pa.uint64()))
@example(of_decimals([7, 30], 10, 2))
def test_parquet_is_kept_or_told_or_refused(cells: Cells) -> None:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"a": cells.array}), file)
    _assert_kept(file.getvalue(), cells)


JSON_COLUMNS = st.one_of(
    st.builds(of_whole_numbers, cells(whole(-(10**38) + 1, 10**38 - 1)), st.just(pa.decimal128(38, 0))),
    st.builds(of_floats, cells(st.floats(allow_nan=False, allow_infinity=False)), st.just(pa.float64())),
    st.builds(of_words, cells(WORDS), st.just(lambda array: array)),
)


@quick
@given(JSON_COLUMNS)
def test_json_lines_are_kept_or_told(cells: Cells) -> None:
    values = [int(v) if isinstance(v, Decimal) else v for v in cells.array.to_pylist()]
    lines = [json.dumps({"a": value, "b": 1}) for value in values]
    _assert_kept("\n".join(lines).encode(), cells)


@quick
@given(cells(whole(-(10**25), 10**25)))
def test_whole_numbers_of_text_are_kept_or_told(values: list[int | None]) -> None:
    lines = ["a,b", *(f"{'' if value is None else value},x" for value in values)]
    _assert_kept("\n".join(lines).encode(), of_whole_numbers(values, pa.decimal128(38, 0)))


def _assert_kept(content: bytes, cells: Cells) -> None:
    with TemporaryDirectory() as folder:
        if cells.refused:
            with pytest.raises(InvalidTable, match=r"Column 'a', row \d+, holds .* outside of the years 1 to 9999"):
                load(Path(folder), content)
            return
        found, table = load(Path(folder), content)
    assert [_plain(value) for value in table["a"].tolist()] == cells.expected
    assert column(found, "a").rounded == cells.rounded


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.to_pydatetime().replace(tzinfo=UTC) if isinstance(value, pd.Timestamp) else value
