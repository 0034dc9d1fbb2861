"""A file of rows to predict for is read line by line as an upload of it would be."""

from pathlib import Path

import pytest

from shared.errors import EmptyTable, InvalidTable
from shared.prediction.csv_rows import CsvRows, how_to_read
from shared.tables.inspected import TableLimits


def read(folder: Path, content: bytes, *, skips_names: bool = True) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header of a file and its rows with their lines."""
    path, limits = folder / "rows.csv", TableLimits()
    path.write_bytes(content)
    with CsvRows(
        path, how_to_read(path, limits), limits, columns=["a", "b"], model="model", skips_names=skips_names
    ) as rows:
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
    _, rows = read(tmp_path, b"a,b\n1,x\na,b\n", skips_names=False)
    assert rows == [(2, ["1", "x"]), (3, ["a", "b"])]


def test_a_table_without_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyTable, match="first line must hold the names"):
        read(tmp_path, b"sep=;\n\n")
