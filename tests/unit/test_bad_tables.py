"""Files that are no tables: each is refused with a reason, and with the line where there is one."""

import gzip
import io
import random
import re
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from shared.errors import (
    DuplicateColumns,
    EmptyTable,
    HeaderDoubtful,
    InvalidTable,
    PlatformError,
    ReadingRefused,
    TableTooLarge,
)
from shared.tables import text as textfile
from shared.tables.loading import first_rows, read_table
from tests.support.tables import broken_text, check, load, parquet, zipped

_PARQUET = parquet({"a": [1, 2], "b": ["x", "y"]})

REFUSED: dict[str, tuple[bytes, type[PlatformError], str]] = {
    "empty": (b"", EmptyTable, "file is empty"),
    "blank lines": (b"\n \r\n\n", EmptyTable, "file is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", EmptyTable, "file is empty"),
    "header only": (b"a,b\n", EmptyTable, "no rows"),
    "header without line end": (b"a,b", EmptyTable, "no rows"),
    "nameless and without values": (b",\n,\n", EmptyTable, "file is empty"),
    "two columns of one name": (b"a,b,a\n1,2,3\n", DuplicateColumns, r"'a' \(columns 1, 3\)"),
    "one name but for blanks": (b"a, a\n1,2\n", DuplicateColumns, r"'a' \(columns 1, 2\)"),
    "data where the header should be": (b"5.1,3.5,x\n4.9,3.0,y\n", HeaderDoubtful, "Line 1 holds data.*send 'header'"),
    "a line with too few fields": (b"a,b,c\n1,2,3\n4,5\n", InvalidTable, "Line 3 has 2 fields.*has 3.*column 'c'"),
    "a line with too many fields": (b"a,b\n1,2\n3,4,5\n", InvalidTable, "Line 3 has 3 fields.*has 2"),
    "a bad line after a field of two lines": (b'a,b\n1,"x\ny"\n3\n', InvalidTable, "Line 4 has 1 field"),
    "a bad line after carriage returns": (b"a,b\r1,2\r3\r", InvalidTable, "Line 3 has 1 field"),
    "a quote that stays open": (b'a,b\n1,2\n3,"x\n5,6\n', InvalidTable, "line 3, column 'b', is never closed"),
    "an open quote in the only column": (b'a\n"x\ny\n', InvalidTable, "line 2, column 'a', is never closed"),
    "an open quote at the very end": (b'a,b\n1,"', InvalidTable, "line 2, column 'b', is never closed"),
    "a NUL byte": (b"a,b\n1,2\n3,\0\n", InvalidTable, "Line 3 holds a NUL byte"),
    "an escape": (b"a,b\n1,x\n3,\x1b[31m\n", InvalidTable, r"Line 3 holds the control character U\+001B.*Remove"),
    "a control in quotes": (b'a,b\n1,"x\n\x08"\n', InvalidTable, r"Line 3 holds the control character U\+0008"),
    "a control in Latin-1": (b"a,b\n1,\xe4\n3,\x7f\n", InvalidTable, r"Line 3 holds the control character U\+007F"),
    "a control in a name": (b"a,b\x1f\n1,2\n", InvalidTable, r"Line 1 holds the control character U\+001F"),
    "a control far down": (b"a,b\n" + b"1,2\n" * 600_000 + b"3,\x01\n", InvalidTable, r"Line 600002 holds .* U\+0001"),
    "UTF-16 without mark": ("a,b\n1,2\n".encode("utf-16-le"), ReadingRefused, "UTF-16.*'encoding' utf-16-le"),
    "binary": (bytes(range(1, 256)) * 9, InvalidTable, "binary"),
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", InvalidTable, "PNG image"),
    "PDF": (b"%PDF-1.7\n", InvalidTable, "PDF"),
    "ZIP": (zipped("table.csv"), InvalidTable, "ZIP archive. Unpack"),
    "Excel": (zipped("xl/workbook.xml"), InvalidTable, "Excel workbook.*as CSV"),
    "HTML": (b"\n<!DOCTYPE html><html><body>", InvalidTable, "HTML"),
    "a pickle": (b"\x80\x05\x95\x10\0\0\0", InvalidTable, "pickle, which is never read"),
    "tar": (b"data.csv" + bytes(249) + b"ustar" + bytes(250), InvalidTable, "tar archive. Unpack"),
    "gzip of gzip": (gzip.compress(gzip.compress(b"a\n1\n")), InvalidTable, "compressed twice"),
    "gzip of PNG": (gzip.compress(b"\x89PNG\r\n\x1a\n"), InvalidTable, "gzip file holds something else.*PNG"),
    "gzip of Parquet": (gzip.compress(_PARQUET), InvalidTable, "it is a Parquet file. Upload it without gzip"),
    "gzip cut off": (gzip.compress(b"a,b\n" + b"1,2\n" * 9)[:-9], InvalidTable, "cut off"),
    "gzip damaged": (gzip.compress(b"a,b\n1,2\n")[:-6] + b"xxxxxx", InvalidTable, "damaged"),
    "gzip header only": (b"\x1f\x8b", InvalidTable, "cut off|damaged"),
    "JSON array": (b'[{"a": 1}]', InvalidTable, "one JSON object in a line"),
    "JSON over several lines": (b'{\n "a": 1\n}\n', InvalidTable, "one object in one line"),
    "broken JSON": (b'{"a": 1}\n{"a": }\n', InvalidTable, "Line 2 is not JSON.*character 7"),
    "JSON that ends early": (b'{"a": 1}\n{"a": 2', InvalidTable, "Line 2 is not JSON"),
    "a JSON line that is no object": (b'{"a": 1}\n[1]\n', InvalidTable, "Line 2 is not a JSON object"),
    "nested JSON": (b'{"a": {"b": 1}}', InvalidTable, "Line 1 holds an object or array in 'a'"),
    "deep JSON": (b'{"a": ' + b"[" * 100_000, InvalidTable, "Line 1 is nested too deeply"),
    "NaN in JSON": (b'{"a": 1}\n{"a": NaN}', InvalidTable, "Line 2 holds NaN, which JSON does not have. Write null"),
    "infinity in JSON": (b'{"a": -Infinity}', InvalidTable, "Line 1 holds -Infinity, which JSON does not have"),
    "too large a JSON number": (b'{"a": 1}\n{"a": 1e999}', InvalidTable, "Line 2 holds a number in 'a' that is too"),
    "too large beside text": (b'{"a": "x"}\n{"a": 1e999}', InvalidTable, "Line 2 holds a number in 'a' that is too"),
    "a JSON number of 400 digits": (
        b'{"a": 1}\n{"a": ' + b"9" * 400 + b"}",
        InvalidTable,
        "Line 2 holds a number in 'a'",
    ),
    "decimal commas without a header": (b"1,5;2;3\n3,5;4;5\n", HeaderDoubtful, "Line 1 holds data"),
    "a JSON number of 5000 digits": (b'{"a": ' + b"9" * 5000 + b"}", InvalidTable, "too many digits"),
    "one name twice in JSON": (b'{"a": 1, "a": 2}', DuplicateColumns, "Line 1 has the name 'a' more than once"),
    "half a Unicode pair in JSON": (b'{"a": 1}\n{"a": "\\ud800"}', InvalidTable, "Line 2 holds half of a Unicode pair"),
    "half a Unicode pair as name": (b'{"\\ud800": 1}', InvalidTable, "Line 1 has a name"),
    "an escaped NUL in JSON": (b'{"a": 1}\n{"a": "\\u0000"}', InvalidTable, r"Line 2 holds .* U\+0000 in 'a'.*Remove"),
    "a control beside a number in JSON": (b'{"a": 1}\n\n{"a": "\\b"}', InvalidTable, r"Line 3 holds .* U\+0008 in 'a'"),
    "a delete in JSON": (b'{"a": "x"}\n{"a": "\x7f"}', InvalidTable, r"Line 2 holds the control character U\+007F"),
    "a control in a JSON name": (
        b'{"a": 1}\n{"b\\u001f": 1}',
        InvalidTable,
        r"Line 2 has a name with .* U\+001F.*Rename",
    ),
    "JSON in Latin-1": (b'{"a": "\xff"}', InvalidTable, "UTF-8"),
    "JSON that turns to Latin-1 later": (b'{"a": "x"}\n' * 40_000 + b'{"a": "\xff"}', InvalidTable, "is not UTF-8"),
    "JSON Lines of empty objects": (b"{}\n{}\n", EmptyTable, "no rows"),
    "Parquet cut off": (_PARQUET[:-20], InvalidTable, "cut off or damaged"),
    "Parquet with damaged pages": (_PARQUET[:4] + b"\xff" * 60 + _PARQUET[64:], InvalidTable, "damaged"),
    "a control in Parquet": (
        parquet({"a": ["x"] * 70_000 + ["\x1b"]}),
        InvalidTable,
        r"Column 'a', row 70001, holds the control character U\+001B.*Remove",
    ),
    "a control in a category of Parquet": (
        parquet({"a": pa.array(["x", "\0"]).dictionary_encode()}),
        InvalidTable,
        r"Column 'a', row 2, holds the control character U\+0000",
    ),
    "a control in a Parquet name": (
        parquet({"a": [1], "b\x1f": [1]}),
        InvalidTable,
        r"name of column 2 .* U\+001F.*Rename",
    ),
    "Parquet with text that is none": (parquet({"a": broken_text()}), InvalidTable, "Column 'a', row 2, .* not UTF-8"),
    "Parquet with a name that is no text": (
        parquet({"naïve": [1]}).replace("ï".encode(), b"\xff\xff"),
        InvalidTable,
        "name of a column is not UTF-8. Rename",
    ),
    "nested Parquet": (parquet({"a": [[1], [2]]}), InvalidTable, "Column 'a' holds values of type list"),
    "binary Parquet": (parquet({"a": [b"\xff"]}), InvalidTable, "Column 'a' holds values of type binary"),
    "Parquet without rows": (parquet({"a": []}), EmptyTable, "no rows"),
    "Parquet without columns": (parquet({}), EmptyTable, "no columns"),
}


@pytest.mark.parametrize(("content", "error", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_table_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, error: type[PlatformError], reason: str
) -> None:
    with pytest.raises(error) as refused:
        check(tmp_path, content)
    assert re.search(reason, refused.value.detail), refused.value.detail
    assert str(tmp_path) not in refused.value.detail


def test_duplicate_columns_are_all_named_and_addressed(tmp_path: Path) -> None:
    with pytest.raises(DuplicateColumns) as refused:
        check(tmp_path, "a,b,a,b,c\n1,2,3,4,5\n")
    assert [problem["loc"] for problem in refused.value.errors] == [["file", "a"], ["file", "b"]]
    assert "or send 'header' with the line of the names" in refused.value.detail


def test_duplicate_columns_of_a_parquet_file_are_not_looked_for_in_its_lines(tmp_path: Path) -> None:
    twice = io.BytesIO()
    pyarrow.parquet.write_table(pa.table([[1], [2]], names=["x", "x"]), twice)
    with pytest.raises(DuplicateColumns, match=r"'x' \(columns 1, 2\)\. Rename or remove them\.$"):
        check(tmp_path, twice.getvalue())


@pytest.mark.parametrize(
    ("rows", "told"), [("1,2\nSource: survey\n", "Line 3 has 1 field "), ("1,2\n\n,2,\n", "3 fields")]
)
def test_a_line_of_another_width_is_told_with_its_cells_and_what_to_do(tmp_path: Path, rows: str, told: str) -> None:
    with pytest.raises(InvalidTable, match=told) as refused:
        check(tmp_path, f"a,b\n{rows}")
    assert "remove" in refused.value.detail


def test_too_many_columns_are_refused_in_each_format(tmp_path: Path) -> None:
    for content in (b"a,b,c\n1,2,3\n", b'{"a": 1, "b": 1}\n{"c": 1}', parquet({"a": [1], "b": [1], "c": [1]})):
        with pytest.raises(TableTooLarge, match="columns"):
            check(tmp_path, content, max_columns=2)


def test_a_table_over_the_limit_of_bytes_is_refused_in_each_format(tmp_path: Path) -> None:
    text = b"a\n" + b"1\n" * 1000
    for content in (text, gzip.compress(text), b'{"a": 1}\n' * 1000, parquet({"a": [1] * 1000})):
        with pytest.raises(TableTooLarge, match="bytes"):
            check(tmp_path, content, max_bytes=1000)


def test_a_column_name_over_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableTooLarge, match="name of column 2 has 300 characters"):
        check(tmp_path, f"a,{'x' * 300}\n1,2\n")


def test_a_field_over_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableTooLarge, match="Column 'b' holds a field of 2,097,152 bytes"):
        check(tmp_path, b"a,b\n1," + b"x" * 2**21 + b"\n")


def test_a_row_over_the_limit_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TableTooLarge, match="begins in line 3"):
        check(tmp_path, b"a,b\n1,2\n1," + b"x" * (9 * 2**20) + b"\n")
    with pytest.raises(TableTooLarge, match="Line 2"):
        check(tmp_path, b'{"a": 1}\n{"a": "' + b"x" * (9 * 2**20))


def test_a_header_over_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableTooLarge):
        check(tmp_path, b",".join(b"column%d" % number for number in range(200_000)) + b"\n")


@pytest.mark.asvs("5.2.3")
def test_a_gzip_bomb_is_refused_long_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textfile, "_BOMB_BYTES", 2**22)
    zeros = gzip.compress(b"0,0\n" * 2**22)
    with pytest.raises(TableTooLarge, match="100 times"):
        check(tmp_path, gzip.compress(b"a,b\n") + zeros * 64)


@pytest.mark.asvs("5.2.3")
def test_a_footer_that_promises_too_much_is_refused_before_any_data_is_read(tmp_path: Path) -> None:
    # A million zeros take a few hundred bytes in Parquet.
    content = parquet({"a": [0] * 1_000_000})
    assert len(content) < 10_000
    with pytest.raises(TableTooLarge, match="1,000,000 rows"):
        check(tmp_path, content, max_bytes=10**6)


def test_a_parquet_file_with_any_byte_flipped_is_read_or_refused(tmp_path: Path) -> None:
    generator = random.Random(7)  # noqa: S311 (the same in every run, and no secret)
    for _ in range(200):
        content = bytearray(_PARQUET)
        content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        with suppress(PlatformError):
            check(tmp_path, bytes(content))


_WHITE_SPACE_AND_C1 = "x\t\v\f\x80\x9fy"


@pytest.mark.parametrize(
    "content",
    [
        f"a,b\n1,{_WHITE_SPACE_AND_C1}\n".encode(),
        b'{"a": 1, "b": "x\\t\\u000b\\f\\u0080\\u009fy"}',
        parquet({"a": [1], "b": [_WHITE_SPACE_AND_C1]}),
    ],
    ids=["csv", "jsonl", "parquet"],
)
def test_white_space_and_the_controls_of_other_code_pages_are_kept_as_they_are(tmp_path: Path, content: bytes) -> None:
    _, table = load(tmp_path, content)
    assert table["b"].tolist() == [_WHITE_SPACE_AND_C1]


@pytest.mark.parametrize(
    "content",
    [b"a,b\n1,x\x1by\n", b'{"a": 1, "b": "x\\u001by"}', parquet({"a": [1], "b": ["x\x1by"]})],
    ids=["csv", "jsonl", "parquet"],
)
def test_a_table_with_control_characters_of_an_older_release_is_still_read(tmp_path: Path, content: bytes) -> None:
    found = check(tmp_path, content, controls=True)
    table = read_table(tmp_path / "upload", found.reading, columns=found.columns)
    assert table["b"].tolist() == ["x\x1by"]
    shown = first_rows(tmp_path / "upload", found.reading, columns=found.columns, rows=9, partial=False)
    assert shown.rows == [[1, "x\x1by"]]
