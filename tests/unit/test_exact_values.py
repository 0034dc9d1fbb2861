"""Values at the edge of what a table can hold: kept, told, or refused with column and row."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from shared.errors import InvalidTable
from shared.tables import parquet as parquet_chunks
from tests.support.tables import check, column, kinds, load, parquet


@pytest.mark.asvs("1.4.2")
def test_a_moment_out_of_range_is_refused_with_its_column_and_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_chunks, "_CHUNK_ROWS", 2)
    # Microseconds can still count up to the year 294,247, and little else can say it.
    for unit, count in (("ms", 2**63 - 1), ("ms", 2**62), ("us", 2**63 - 1), ("us", 253_402_300_800_000_000)):
        moments = pa.array([0, None, 1, count], pa.int64()).cast(pa.timestamp(unit))
        with pytest.raises(InvalidTable, match="Column 't', row 4, holds a date or time outside") as refused:
            check(tmp_path, parquet({"t": moments}))
        assert refused.value.errors[0]["loc"] == ["file", 4, "t"]
    with pytest.raises(InvalidTable, match="Column 't', row 1"):
        check(tmp_path, parquet({"t": pa.array([2**31 - 1], pa.int32()).cast(pa.date32())}))


def test_the_first_and_the_last_moment_are_kept(tmp_path: Path) -> None:
    edges = [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999)]  # noqa: DTZ001 - what has no zone is UTC
    for content in (parquet({"t": edges}), "t\n" + "".join(f"{edge.isoformat()}\n" for edge in edges)):
        found, table = load(tmp_path, content)
        assert column(found, "t").kind == "datetime"
        assert table["t"].dt.to_pydatetime().tolist() == edges


def test_text_that_spells_a_moment_out_of_range_stays_text(tmp_path: Path) -> None:
    found, table = load(tmp_path, b"a,b\n0000-01-01,9999-12-31T23:00:00-05:00\n")
    assert kinds(found) == {"a": "category", "b": "category"}
    assert table.iloc[0].tolist() == ["0000-01-01", "9999-12-31T23:00:00-05:00"]


@pytest.mark.asvs("1.4.2")
def test_old_timestamps_of_96_bits_do_not_wrap_around(tmp_path: Path) -> None:
    moments = [datetime(1, 1, 1), datetime(3000, 6, 1), datetime(9999, 12, 31)]  # noqa: DTZ001 - what has no zone is UTC
    file = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"t": moments}), file, use_deprecated_int96_timestamps=True)
    _, table = load(tmp_path, file.getvalue())
    assert table["t"].dt.to_pydatetime().tolist() == moments


@pytest.mark.parametrize(
    "content",
    [
        parquet({"t": pa.array([-1, 1_000, 1_001], pa.timestamp("ns"))}),
        b"t\n1969-12-31T23:59:59.999999999\n1970-01-01T00:00:00.000001\n1970-01-01T00:00:00.000001001\n",
    ],
    ids=["parquet", "csv"],
)
def test_what_is_finer_than_a_microsecond_is_cut_and_told(tmp_path: Path, content: bytes) -> None:
    found, table = load(tmp_path, content)
    assert column(found, "t").rounded == 2
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 - what has no zone is UTC
    # Cut towards the past, as the text of a prediction is.
    assert [(moment - epoch) // timedelta(microseconds=1) for moment in table["t"].dt.to_pydatetime()] == [-1, 1, 1]


def test_decimals_become_the_floats_that_their_text_would(tmp_path: Path) -> None:
    texts = ["0.07", "1.10", "-2.30", "123456.78", "0.29"]
    _, table = load(tmp_path, parquet({"a": pa.array([Decimal(text) for text in texts], pa.decimal128(10, 2))}))
    assert table["a"].tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([2**53 + 1, 2**63 - 1], pa.uint64()), "integer"),
        (pa.array([Decimal(2**53 + 1), Decimal(2**63 - 1)], pa.decimal128(38, 0)), "integer"),
        (pa.array([None, 2**53 + 1], pa.int64()), "integer"),
    ],
    ids=["uint64", "decimal", "with a gap"],
)
def test_whole_numbers_of_64_bits_are_kept_to_the_last_digit(tmp_path: Path, values: pa.Array, kind: str) -> None:
    found, table = load(tmp_path, parquet({"a": values}))
    assert (column(found, "a").kind, column(found, "a").rounded) == (kind, 0)
    assert table["a"].dropna().tolist() == [int(value) for value in values.drop_null().to_pylist()]


@pytest.mark.parametrize(
    ("content", "rounded"),
    [
        (parquet({"a": pa.array([Decimal("1234567890.1234567891"), Decimal("0.1")], pa.decimal128(38, 18))}), 1),
        (b"a,b\n9007199254740993,x\n9007199254740994,x\n0.5,x\n", 1),
        (b'{"a": 18446744073709551615}\n{"a": 9007199254740993}\n{"a": 0.5}\n', 2),
        (b"a,b\n1e300,x\n0.1234567890123456789,x\n", 1),
    ],
    ids=["decimal", "csv", "json", "fractions of text"],
)
def test_numbers_that_floats_round_are_told(tmp_path: Path, content: bytes, rounded: int) -> None:
    found, _ = load(tmp_path, content)
    assert (column(found, "a").kind, column(found, "a").rounded) == ("number", rounded)


def test_whole_numbers_of_more_than_64_bits_are_kept_as_text_also_in_a_later_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_chunks, "_CHUNK_ROWS", 2)
    found, table = load(tmp_path, parquet({"a": pa.array([2**53 + 1, 5, 2**64 - 1], pa.uint64())}))
    assert (column(found, "a").kind, column(found, "a").rounded) == ("category", 0)
    assert table["a"].tolist() == [str(2**53 + 1), "5", str(2**64 - 1)]
    assert [finding.code for finding in found.findings if finding.column] == ["nearly_numeric"]


@pytest.mark.parametrize(
    "kind", [pa.bool_(), pa.timestamp("us"), pa.date32(), pa.string(), pa.decimal128(5, 2)], ids=str
)
def test_a_typed_column_without_values_can_be_read_after_it_was_checked(tmp_path: Path, kind: pa.DataType) -> None:
    found, table = load(tmp_path, parquet({"a": pa.array([None, None], kind), "b": [1, 2]}))
    assert column(found, "a").unique == 0
    assert table["a"].isna().all()


REFUSED_TYPES: dict[str, Any] = {
    "time of day": pa.array([1], pa.time32("ms")),
    "fine time of day": pa.array([1], pa.time64("ns")),
    "duration": pa.array([1], pa.duration("s")),
    "fixed binary": pa.array([b"ab"], pa.binary(2)),
    "list": pa.array([[1]]),
    "struct": pa.array([{"x": 1}]),
    "map": pa.array([[("x", 1)]], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("values", REFUSED_TYPES.values(), ids=REFUSED_TYPES.keys())
def test_types_that_no_table_holds_are_refused_by_their_column(tmp_path: Path, values: pa.Array) -> None:
    with pytest.raises(InvalidTable, match="Column 'a' holds values of type"):
        check(tmp_path, parquet({"a": values}))


def test_a_zone_is_turned_to_utc(tmp_path: Path) -> None:
    moment = pd.Timestamp("2024-01-31T00:00", tz="Asia/Tokyo")
    _, table = load(tmp_path, parquet({"t": pa.array([moment])}))
    assert table["t"][0].to_pydatetime().replace(tzinfo=UTC) == datetime(2024, 1, 30, 15, tzinfo=UTC)
