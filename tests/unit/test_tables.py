"""Files that are tables, also untidy ones: what is found in them, and that reading them agrees with it."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from shared.errors import InvalidTable
from shared.tables import delimited as csv_chunks
from shared.tables.columns import ColumnKind, unique_bound
from shared.tables.loading import first_rows, read_table
from shared.tables.reading import Reading
from tests.support.tables import check, column, kinds, load, parquet


@pytest.mark.parametrize(("delimiter", "format_"), [(",", "csv"), (";", "csv"), ("\t", "tsv"), ("|", "csv")])
def test_delimiter_and_format_are_told_from_the_bytes(tmp_path: Path, delimiter: str, format_: str) -> None:
    found, table = load(tmp_path, f'a{delimiter}b\n1{delimiter}"x, y; z"\n')
    assert (found.reading.format, found.reading.delimiter) == (format_, delimiter)
    assert table.iloc[0].tolist() == [1, "x, y; z"]


def test_a_long_field_in_the_first_row_is_no_obstacle(tmp_path: Path) -> None:
    found, table = load(tmp_path, f"a;b\n{'x' * 1_000_000};1\n")
    assert found.reading.delimiter == ";"
    assert len(table["a"][0]) == 1_000_000


def test_the_delimiter_that_fits_most_lines_wins(tmp_path: Path) -> None:
    assert check(tmp_path, "a;b\n1,5;2\n2,5;3\n").reading.delimiter == ";"
    assert check(tmp_path, "a,b|c\n1,2\n3,4\n").reading.delimiter == ","


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    found, table = load(tmp_path, "größe,ort\n1,東京\n".encode(encoding))
    assert found.reading.encoding == "utf-8"
    assert table["größe"].tolist() == [1]
    assert table["ort"].tolist() == ["東京"]


def test_what_is_not_utf8_is_latin1_and_says_so(tmp_path: Path) -> None:
    found, table = load(tmp_path, "ort,x\nKöln,1\n".encode("latin-1"))
    assert found.reading.encoding == "latin-1"
    assert table["ort"].tolist() == ["Köln"]


def test_a_latin1_letter_far_down_the_file_is_found(tmp_path: Path) -> None:
    found, table = load(tmp_path, b"ort,x\n" + b"Bonn,1\n" * 100_000 + "Köln,2\n".encode("latin-1"))
    assert found.reading.encoding == "latin-1"
    assert table["ort"].tolist()[-1] == "Köln"


def test_gzip_is_read_also_in_several_members(tmp_path: Path) -> None:
    found, table = load(tmp_path, gzip.compress(b"a,b\n1,2\n") + gzip.compress(b"3,4\n"))
    assert found.reading.compression == "gzip"
    assert found.reading.extension == "csv.gz"
    assert table["a"].tolist() == [1, 3]


def test_mixed_line_ends_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    _, table = load(tmp_path, b"\r\na,b\r\n1,2\n\n3,4\r5,6\r\n\r\n")
    assert table.to_numpy().tolist() == [[1, 2], [3, 4], [5, 6]]


def test_a_single_column_is_a_table(tmp_path: Path) -> None:
    found, table = load(tmp_path, b"a\n1\n2")
    assert kinds(found) == {"a": "integer"}
    assert table["a"].tolist() == [1, 2]


def test_names_are_stripped_and_missing_ones_are_made(tmp_path: Path) -> None:
    found, _ = load(tmp_path, b' a ,,"b c"\n0,1,2\n')
    assert list(kinds(found)) == ["a", "column_2", "b c"]


@pytest.mark.parametrize("content", [b"a,b,\n1,2,\n3,4,\n", b"a,b\n1,2,\n3,4,\n", b"a,b,\n1,2\n3,4\n"])
def test_a_delimiter_at_the_end_of_lines_is_no_column(tmp_path: Path, content: bytes) -> None:
    found, table = load(tmp_path, content)
    assert list(kinds(found)) == ["a", "b"]
    assert table["b"].tolist() == [2, 4]


def test_whole_numbers_are_common_names(tmp_path: Path) -> None:
    assert list(kinds(check(tmp_path, b"0,1,2\n5.5,6,7\n"))) == ["0", "1", "2"]


def test_quotes_hold_delimiters_quotes_and_line_ends(tmp_path: Path) -> None:
    _, table = load(tmp_path, b'a,b\n"x, ""y""\nz",5" pipe\n')
    assert table.iloc[0].tolist() == ['x, "y"\nz', '5" pipe']


def test_markers_and_blanks_are_missing(tmp_path: Path) -> None:
    found, table = load(tmp_path, 'a,b,c\nNA,null,""\n 1 ,?,  \n,x, NA \n2,y,z\n')
    assert kinds(found) == {"a": "integer", "b": "category", "c": "category"}
    assert [each.missing for each in found.columns] == [2, 2, 3]
    assert table["a"].dtype == "Int64"
    assert table["c"].tolist()[-1] == "z"


def test_numbers_that_are_not_finite_are_missing_and_counted(tmp_path: Path) -> None:
    found, _ = load(tmp_path, b"a,b,c\n1.5,1,x\ninf,,inf\n-Infinity,2,x\n1e999,3,x\n,4,x\nNaN,5,inf\n2.5,6,x\n")
    number = column(found, "a")
    assert (number.kind, number.missing, number.not_finite, number.unique) == ("number", 5, 3, 2)
    assert (number.min, number.max, number.mean) == (1.5, 2.5, 2.0)
    assert (column(found, "b").missing, column(found, "b").not_finite) == (1, 0)
    assert (column(found, "c").missing, column(found, "c").not_finite) == (0, 0)


def test_infinities_of_parquet_are_counted_and_its_nan_is_just_missing(tmp_path: Path) -> None:
    found, table = load(tmp_path, parquet({"a": [1.5, float("inf"), float("nan"), None, float("-inf"), 2.5]}))
    number = column(found, "a")
    assert (number.missing, number.not_finite, number.unique, number.examples) == (4, 2, 2, [1.5, 2.5])
    assert (number.min, number.max, number.mean) == (1.5, 2.5, 2.0)
    assert table["a"].dropna().tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    ("cells", "kind", "dtype"),
    [
        (["1", "-2", "0"], "integer", "int64"),
        (["+4930123456", "+498912345678"], "integer", "int64"),
        (["+4930123456", "7", ""], "integer", "Int64"),
        (["1", "-2", "007"], "category", "str"),
        (["0.5", "-0.3", "0", "0e5"], "number", "float64"),
        (["00", "01"], "category", "str"),
        ([" 01", "2.5"], "category", "str"),
        (["-01", "2"], "category", "str"),
        (["1", ""], "integer", "Int64"),
        (["1", "2.5"], "number", "float64"),
        (["1e3", ".5"], "number", "float64"),
        (["9223372036854775808", "1"], "category", "str"),
        (["", "NA"], "number", "float64"),
        (["true", "FALSE"], "boolean", "bool"),
        (["True", ""], "boolean", "object"),
        (["yes", "no"], "category", "str"),
        (["0x10", "0x11"], "category", "str"),
        (["1,5", "2,5"], "number", "float64"),
        (["1", "x"], "category", "str"),
        (["true", "1"], "category", "str"),
        (["2024-01-31", "2024-02-29"], "datetime", "datetime64[us]"),
        (["2024-01-31 12:00:00", "2024-01-31T12:00:00.123456789"], "datetime", "datetime64[us]"),
        (["2024-01-31T12:00:00Z", "2024-01-31T12:00:00+02:00"], "datetime", "datetime64[us]"),
        (["2024-01-31", "soon"], "category", "str"),
    ],
)
def test_a_column_is_of_the_kind_that_all_its_cells_are(
    tmp_path: Path, cells: list[str], kind: str, dtype: str
) -> None:
    found, table = load(tmp_path, "a,b\n" + "".join(f'"{cell}",1\n' for cell in cells))
    assert kinds(found)["a"] == kind
    assert str(table["a"].dtype) == dtype


def test_a_chunk_of_infinities_only_is_one_of_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_chunks, "ROW_BYTES", 64)
    rows = ["inf,1,inf"] * 40 + ["1,inf,true"] * 40
    found, _ = load(tmp_path, "a,b,c\n" + "".join(f"{row}\n" for row in rows))
    assert kinds(found) == {"a": "number", "b": "number", "c": "category"}
    assert [each.not_finite for each in found.columns] == [40, 40, 0]
    nothing, _ = load(tmp_path, b"a,b\ninf,1\n-inf,1\n")
    assert (column(nothing, "a").missing, column(nothing, "a").not_finite) == (2, 2)


COMMAS = [
    (["1,5", "2", "-0,25", ""], [1.5, 2.0, -0.25, None]),
    ([" 1,5 ", "NA"], [1.5, None]),
    (["0,5", "0"], [0.5, 0.0]),
    (["1,234", "2,5"], [1.234, 2.5]),
    (["1,5", "2.5"], None),
    (["1.234,5", "2"], [1234.5, 2.0]),
    (["1,5", "1e3"], [1.5, 1000.0]),
    (["1,5", "inf"], [1.5, None]),
    (["1,5", "soon"], None),
    ([",5", "2"], [0.5, 2.0]),
    (["00,5", "2"], None),
    (["0,5", "007"], None),
]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize(("cells", "numbers"), COMMAS, ids=str)
def test_decimal_commas_are_numbers_where_the_comma_is_no_delimiter(
    tmp_path: Path, cells: list[str], numbers: list[float | None] | None, delimiter: str
) -> None:
    found, table = load(tmp_path, f"a{delimiter}b\n" + "".join(f"{cell}{delimiter}1\n" for cell in cells))
    path = tmp_path / "upload"
    shown = [row[0] for row in first_rows(path, found.reading, columns=found.columns, rows=9, partial=False).rows]
    amounts = column(found, "a")
    if numbers is None:
        assert kinds(found)["a"] in {"category", "text"}
        assert shown == table["a"].tolist() == cells
    else:
        known = [number for number in numbers if number is not None]
        assert (amounts.kind, amounts.min, amounts.max) == ("number", min(known), max(known))
        assert (amounts.examples, amounts.unique) == (known, len(known))
        assert table["a"].dropna().tolist() == known
        assert shown == numbers


def test_commas_and_points_of_different_chunks_make_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_chunks, "ROW_BYTES", 64)
    many = ["1"] * 40
    for first, then in (("1,5", "2.5"), ("2.5", "1,5")):
        found, table = load(tmp_path, "a;b\n" + "".join(f"{cell};1\n" for cell in [*many, first, *many, then, *many]))
        assert kinds(found) == {"a": "category", "b": "integer"}
        assert table["a"].tolist()[40] == first
    found, table = load(tmp_path, "a;b\n" + "".join(f"{cell};1\n" for cell in [*many, "1,5", *many, "-2,25", *many]))
    assert kinds(found) == {"a": "number", "b": "integer"}
    assert (column(found, "a").min, column(found, "a").unique, table["a"].min()) == (-2.25, 3, -2.25)


def test_a_code_in_a_later_chunk_keeps_the_spelling_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_chunks, "ROW_BYTES", 64)
    found, table = load(tmp_path, "a,b\n" + "10115,1\n" * 40 + "01067,2.5\n")
    assert kinds(found) == {"a": "category", "b": "number"}
    assert table["a"].tolist()[-1] == "01067"


def test_times_with_a_zone_are_kept_in_utc(tmp_path: Path) -> None:
    _, table = load(tmp_path, "a\n2024-01-31T12:00:00+02:00\n")
    assert table["a"][0].to_pydatetime().replace(tzinfo=UTC) == datetime(2024, 1, 31, 10, tzinfo=UTC)


def test_a_column_may_widen_in_a_later_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_chunks, "ROW_BYTES", 64)
    whole = [*("1" for _ in range(40)), "inf", "", *("2.5" for _ in range(40))]
    found, _ = load(tmp_path, "a,b,c,d\n" + "".join(f"{cell},{cell},true,1\n" for cell in whole) + "3,x,1,9\n")
    assert kinds(found) == {"a": "number", "b": "number", "c": "category", "d": "integer"}
    # One word among so many numbers is missing, as the infinity is, and told.
    assert (column(found, "a").missing, column(found, "b").missing) == (2, 3)
    assert (column(found, "a").unique, column(found, "b").unique) == (3, 2)
    assert [finding.column for finding in found.findings if finding.code == "nearly_numeric"] == ["b"]
    assert column(found, "d").mean == pytest.approx(91 / 83)


def test_strings_that_repeat_are_categories_and_others_are_text(tmp_path: Path) -> None:
    rows = "".join(f"{'red' if number % 2 else 'blue'},name {number},group {number % 40}\n" for number in range(400))
    found = check(tmp_path, "a,b,c\n" + rows)
    assert kinds(found) == {"a": "category", "b": "text", "c": "category"}
    assert kinds(check(tmp_path, "a,b\n" + "".join(f"x{n},1\n" for n in range(12))))["a"] == "text"


def test_distinct_values_are_counted_as_values_not_as_spellings(tmp_path: Path) -> None:
    found = check(tmp_path, "a,b\n1,true\n1.0,TRUE\n1e0,false\n2,true\n")
    assert (column(found, "a").unique, column(found, "b").unique) == (2, 2)
    assert column(found, "a").examples == [1.0, 2.0]


def test_distinct_values_are_counted_up_to_the_bound(tmp_path: Path) -> None:
    found = check(tmp_path, "a,b\n" + "".join(f"{number},{number % 9_999}\n" for number in range(20_000)))
    assert (column(found, "a").unique, column(found, "b").unique) == (10_000, 9_999)
    assert [unique_bound(columns) for columns in (1, 100, 200, 5_000)] == [10_000, 10_000, 5_000, 1_001]


def test_a_sum_of_large_whole_numbers_does_not_wrap_around(tmp_path: Path) -> None:
    number = column(check(tmp_path, b"a\n" + b"9223372036854775807\n" * 3), "a")
    assert number.kind is ColumnKind.INTEGER
    assert number.mean == number.max == float(2**63 - 1)


def test_a_mean_beyond_all_numbers_is_left_out(tmp_path: Path) -> None:
    number = column(check(tmp_path, b"a\n" + b"1.7e308\n" * 3), "a")
    assert (number.max, number.mean) == (1.7e308, None)


def test_long_texts_are_cut_in_the_examples(tmp_path: Path) -> None:
    (example,) = column(check(tmp_path, "a\n" + "x" * 500), "a").examples
    assert example == "x" * 99 + "…"


def test_json_lines_keep_their_types(tmp_path: Path) -> None:
    lines = (
        '{"a": 1, "b": "007", "c": true, "t": "2024-01-31"}\n\n'
        '{"a": 2.5, "b": "x", "e": 99999999999999999999}\n'
        '{"a": null, "b": null, "c": null, "e": null, "m": 1}\n{"m": "1"}'
    )
    found, table = load(tmp_path, lines)
    assert found.reading == Reading(format="jsonl", encoding="utf-8")
    assert kinds(found) == {
        "a": "number", "b": "category", "c": "boolean", "t": "datetime", "e": "category", "m": "category",
    }  # fmt: skip
    assert table["b"].tolist()[0] == "007"
    assert column(found, "e").missing == 3


def test_a_name_that_comes_late_in_json_lines_is_missing_before(tmp_path: Path) -> None:
    found, table = load(tmp_path, '{"a": 1}\n' * 25_000 + '{"a": 2, "b": "x"}\n')
    assert column(found, "b").missing == 25_000
    assert table["b"].tolist()[-1] == "x"


def test_rows_of_json_lines_before_the_first_name_are_rows(tmp_path: Path) -> None:
    found, table = load(tmp_path, "{}\n" * 45_000 + '{"a": 1, "b": "x"}\n' * 2)
    assert (found.rows, column(found, "a").missing, table["a"].count()) == (45_002, 45_000, 2)
    assert kinds(found) == {"a": "integer", "b": "category"}


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    moments = pd.to_datetime(["2024-01-31", "", ""]).tz_localize("Europe/Berlin")
    content = parquet(
        {"a": [1, None, 3], "b": ["1", "2", None], "c": [1.5, float("inf"), float("nan")], "d": [True, False, True],
         "t": moments, "n": [None, None, None], "k": pd.Categorical(["u", "v", "u"])}
    )  # fmt: skip
    found, table = load(tmp_path, content)
    assert found.reading == Reading(format="parquet")
    assert kinds(found) == {
        "a": "integer", "b": "category", "c": "number", "d": "boolean", "t": "datetime", "n": "number", "k": "category",
    }  # fmt: skip
    assert table["b"].tolist()[:2] == ["1", "2"]
    assert table["t"][0] == pd.Timestamp("2024-01-30T23:00:00")


def test_only_the_wanted_columns_are_read_in_the_wanted_order(tmp_path: Path) -> None:
    found = check(tmp_path, b"a,b,c\n1,2,3\n")
    table = read_table(tmp_path / "upload", found.reading, columns=found.columns, only=["c", "a"])
    assert list(table.columns) == ["c", "a"]


def test_a_file_that_is_not_the_checked_one_is_refused(tmp_path: Path) -> None:
    found = check(tmp_path, b"a,b\n1,2\n")
    (tmp_path / "upload").write_bytes(b"a,b\nx,2\n")
    with pytest.raises(InvalidTable, match="when it was checked"):
        read_table(tmp_path / "upload", found.reading, columns=found.columns)


def test_the_first_rows_are_plain_values(tmp_path: Path) -> None:
    found = check(tmp_path, "a,b,c,d\n1,x,2024-01-31,true\n,,,\n3,y,2024-02-01,false\n")
    path = tmp_path / "upload"
    shown = first_rows(path, found.reading, columns=found.columns, rows=2, partial=False)
    assert shown.columns == ["a", "b", "c", "d"]
    assert shown.rows == [[1, "x", "2024-01-31T00:00:00", True], [None, None, None, None]]


def test_a_beginning_of_several_chunks_shows_all_but_its_last_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = check(tmp_path, b"a,b\n" + b"12,x\n" * 100)
    monkeypatch.setattr(csv_chunks, "ROW_BYTES", 64)
    shown = first_rows(tmp_path / "upload", found.reading, columns=found.columns, rows=1000, partial=True)
    assert shown.rows == [[12, "x"]] * 99


@pytest.mark.parametrize("compress", [False, True])
def test_the_beginning_of_a_file_shows_all_but_its_cut_row(tmp_path: Path, compress: bool) -> None:
    content = b"a,b\n" + b'1234,"x\ny"\n' * 1000
    found = check(tmp_path, gzip.compress(content) if compress else content)
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(content)[:-20] if compress else content[: 4 + 11 * 10 + 6])
    shown = first_rows(path, found.reading, columns=found.columns, rows=1000, partial=True)
    assert len(shown.rows) > 500 if compress else len(shown.rows) == 10
    assert set(map(tuple, shown.rows)) == {(1234, "x\ny")}
