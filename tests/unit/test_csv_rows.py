"""A file of rows to predict for is read line by line as an upload of it would be."""

from pathlib import Path

import pytest

from shared.errors import EmptyTable, InvalidTable
from shared.prediction.csv_reading import how_to_read, how_to_read_guessed
from shared.prediction.csv_rows import CsvRows
from shared.tables.inspected import TableLimits
from shared.tables.reading import Rules
from shared.tables.text import NotUtf8


def read(folder: Path, content: bytes, *, rules: Rules = 2) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header of a file and its rows with their lines."""
    path, limits = folder / "rows.csv", TableLimits()
    path.write_bytes(content)
    try:
        reading = how_to_read(path, limits)
    except NotUtf8:
        reading = how_to_read_guessed(path, limits, rules=rules)
    with CsvRows(path, reading, limits, columns=["a", "b"], model="model", rules=rules) as rows:
        return rows.header, [(row.line, row.cells) for row in rows]


PLAIN = [(2, ["1", "x"]), (3, ["2", "y"])]
LATER = [(line + 1, cells) for line, cells in PLAIN]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,x\n2,y\n", PLAIN),
        (b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n", PLAIN),
        (b"a,b\n1,x,\n2,y,\n", PLAIN),
        (b"a,b,\n1,x\n2,y\n", PLAIN),
        (b"sep=;\na;b\n1;x\n2;y\n", LATER),
        (b'"sep=,"\r\na,b\r\n1,x\r\n2,y\r\n', LATER),
        (b"sep=\t\na\tb\n1\tx\n2\ty\n", LATER),
        (b"\na,b\n1,x\n2,y\n", LATER),
        (b"  \na,b\n1,x\n2,y\n", LATER),
        (b"a,b\n\n1,x\n2,y\n\n", LATER),
        (b"a,b\n  \n1,x\n2,y\n", LATER),
        (b"a,b\n1,x\na,b\n2,y\n", [PLAIN[0], (4, ["2", "y"])]),
        (b"a;b\n1;x\n a ;b\n2;y\n", [PLAIN[0], (4, ["2", "y"])]),
    ],
    ids=[
        *("plain", "mark of the byte order and CRLF", "a delimiter behind each row", "a delimiter behind the header"),
        *("sep=;", "sep=, in quotes", "sep=tab", "a blank line first", "a line of blanks first"),
        *("blank lines", "a line of blanks", "the names again", "the names again, with blanks"),
    ],
)
def test_a_table_is_taken_as_an_upload_of_it_is(
    tmp_path: Path, content: bytes, expected: list[tuple[int, list[str]]]
) -> None:
    assert read(tmp_path, content) == (["a", "b"], expected)


TEXT = "a,b\n1,Zürich\n2,„5 €“\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_in_the_encoding_that_it_has(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, TEXT.encode(encoding))[1] == [(2, ["1", "Zürich"]), (3, ["2", "„5 €“"])]


def test_a_table_that_is_not_utf8_is_latin1_to_the_model_of_an_older_release(tmp_path: Path) -> None:
    assert read(tmp_path, TEXT.encode("cp1252"), rules=1)[1][1] == (3, ["2", "\x845 \x80\x93"])


def test_one_broken_byte_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable, match=r"^Line 4 holds bytes that are not UTF-8, .* Save the table as UTF-8[.]$"):
        read(tmp_path, TEXT.encode() + b"3,Z\xc3\n")


def test_an_encoding_that_cannot_be_told_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable, match=r"^The table is not UTF-8, .* Save the table as UTF-8[.]$"):
        read(tmp_path, TEXT.encode("utf-16-le"))


@pytest.mark.parametrize(
    ("content", "skipped", "expected"),
    [
        ("Sales of 2026\n\na,b\n1,x\n2,y\n", [1], [(4, ["1", "x"]), (5, ["2", "y"])]),
        ("a,b\n---,---\ncm,\n1,x\n2,y\n3,z\n", [2, 3], [(4, ["1", "x"]), (5, ["2", "y"]), (6, ["3", "z"])]),
        ("a,b\ncm,\n1,x\n2,y\n3,z\n", [2], [(3, ["1", "x"]), (4, ["2", "y"]), (5, ["3", "z"])]),
    ],
)
def test_lines_that_hold_neither_names_nor_rows_are_left_out(
    tmp_path: Path, content: str, skipped: list[int], expected: list[tuple[int, list[str]]]
) -> None:
    assert read(tmp_path, content.encode()) == (["a", "b"], expected)
    path, limits = tmp_path / "rows.csv", TableLimits()
    with CsvRows(path, how_to_read(path, limits), limits, columns=["a", "b"], model="model", rules=2) as rows:
        assert rows.skipped_lines == skipped


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ("a  b\n1  x\n2  y\n", [["1", "x"], ["2", "y"]]),
        ('a,b\n1, "x, y"\n2,z\n', [["1", "x, y"], ["2", "z"]]),
        ('a,b\n1,"say \\"hi, you\\""\n2,z\n', [["1", 'say "hi, you"'], ["2", "z"]]),
        ("\u200ba,b\n1,x\n", [["1", "x"]]),
    ],
    ids=[
        "blanks between cells",
        "a quote behind a blank",
        "a backslash before a quote",
        "a name with what is not seen",
    ],
)
def test_a_dialect_is_read_as_at_an_upload(tmp_path: Path, content: str, cells: list[list[str]]) -> None:
    header, rows = read(tmp_path, content.encode())
    assert (header, [row for _, row in rows]) == (["a", "b"], cells)


def test_the_model_of_an_older_release_gets_cells_as_they_were_parted_then(tmp_path: Path) -> None:
    assert read(tmp_path, b'a,b\n1, "x"\n2,y\n', rules=1)[1][0] == (2, ["1", ' "x"'])


def test_a_column_without_a_name_that_the_header_has_goes_by_its_place(tmp_path: Path) -> None:
    assert read(tmp_path, b",a,b\n0,1,x\n1,2,y\n")[0] == ["column_1", "a", "b"]
    assert read(tmp_path, b"a,b,\n1,x,\n2,y,\n")[0] == ["a", "b", "column_3"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,x,\n2,y,z\n", "line 3: there are 3 cells, but 2 columns."),
        (b"a,b\n1,x,\n2,y\n", "line 3: the rows before end with a delimiter, and this one does not."),
        (b"a,b\n1,x\n2,y,\n", "line 3: there are 3 cells, but 2 columns."),
        (b"a,b\n1,x,z\n2,y,z\n", "line 2: there are 3 cells, but 2 columns."),
        (b"a,b,\n1,x\n2,y,z\n", "line 3: there are 3 cells, but 2 columns."),
    ],
)
def test_a_delimiter_that_only_some_rows_end_with_is_refused_with_its_line(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(InvalidTable) as refused:
        read(tmp_path, content)
    assert said in refused.value.detail


def test_a_row_that_repeats_the_names_is_a_row_to_the_model_of_an_older_release(tmp_path: Path) -> None:
    _, rows = read(tmp_path, b"a,b\n1,x\na,b\n", rules=1)
    assert rows == [(2, ["1", "x"]), (3, ["a", "b"])]


def test_a_table_without_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyTable, match="first line must hold the names"):
        read(tmp_path, b"sep=;\n\n")
