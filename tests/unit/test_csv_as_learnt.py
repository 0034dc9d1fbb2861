"""A file of rows to predict for is read as the table was that the model learnt from, where that fits the file."""

from pathlib import Path
from typing import Any

import pytest

from shared.errors import InvalidInput, InvalidTable
from shared.prediction.csv_reading import LearntReading, how_to_read, how_to_read_guessed
from shared.prediction.csv_rows import CsvRows
from shared.tables.inspected import TableLimits
from shared.tables.inspection import inspect
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading, Rules
from shared.tables.text import NotUtf8

LIMITS = TableLimits()


def learnt(encoding: str | None = None, **reading: Any) -> LearntReading:
    """What is known of a table; it was uploaded with an encoding, or that was guessed."""
    detected = {"format": "csv", "encoding": encoding or "utf-8", "delimiter": ",", "quote": '"', "header_line": 1}
    return LearntReading(Reading.model_validate(detected | reading), encoding)


def read(folder: Path, content: bytes, known: LearntReading, *, rules: Rules = 2) -> list[list[str]]:
    """The cells of the rows of a file for a model with the columns a and b."""
    path = folder / "rows.csv"
    path.write_bytes(content)
    try:
        reading = how_to_read(path, LIMITS, known)
    except NotUtf8:
        reading = how_to_read_guessed(path, LIMITS, known, rules=rules)
    with CsvRows(path, reading, LIMITS, columns=["a", "b"], model="model", rules=rules, learnt=known) as rows:
        assert rows.header == ["a", "b"]
        return [row.cells for row in rows]


TEXT = "a,b\n1,Čapek\n"
CP1250 = learnt("cp1250")


@pytest.mark.parametrize("encoding", ["cp1250", "utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_utf8_and_marks_win_over_the_encoding_that_was_given_and_that_one_over_a_guess(
    tmp_path: Path, encoding: str
) -> None:
    assert read(tmp_path, TEXT.encode(encoding), CP1250) == [["1", "Čapek"]]
    # Nothing else would tell.
    assert encoding != "cp1250" or read(tmp_path, TEXT.encode(encoding), learnt()) == [["1", "Èapek"]]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "iso2022_jp", "cp037"])
def test_an_encoding_that_is_no_text_in_ascii_is_followed_where_it_was_given(tmp_path: Path, encoding: str) -> None:
    text = "a,b\n1,東京\n" if encoding == "iso2022_jp" else "a,b\n1,plain\n"
    assert read(tmp_path, text.encode(encoding), learnt(encoding)) == [["1", text.rsplit(",", maxsplit=1)[-1].strip()]]
    assert read(tmp_path, text.encode(), learnt(encoding)) == [["1", text.rsplit(",", maxsplit=1)[-1].strip()]]


def test_the_encoding_that_was_guessed_at_the_upload_wins_where_a_few_words_tell_nothing(tmp_path: Path) -> None:
    guessed = LearntReading(learnt(encoding="cp1250").reading)
    assert read(tmp_path, TEXT.encode("cp1250"), guessed) == [["1", "Čapek"]]
    words = ("Привет дорогой читатель", "этой таблицы", "которая написана", "русскими буквами")
    russian = "a,b\n" + "".join(f"1,{word}\n" for word in words * 5)
    assert read(tmp_path, russian.encode("cp1251"), guessed)[0] == ["1", "Привет дорогой читатель"]
    with pytest.raises(InvalidTable, match=r"^Line 3 holds bytes that are not UTF-8"):
        read(tmp_path, TEXT.encode() + b"2,Z\xc3\n", guessed)


def test_an_encoding_that_was_given_and_does_not_fit_is_guessed(tmp_path: Path) -> None:
    # Not all bytes are letters in it.
    assert read(tmp_path, "a,b\n1,Zürich\n".encode("cp1252"), learnt("shift_jis")) == [["1", "Zürich"]]


def test_bytes_that_come_late_are_read_in_the_encoding_that_was_given(tmp_path: Path) -> None:
    content = ("a,b\n" + "1,x\n" * 100_000 + "2,Čapek\n").encode("cp1250")
    assert read(tmp_path, content, CP1250)[-1] == ["2", "Čapek"]


def test_the_model_of_an_older_release_reads_latin1_as_ever(tmp_path: Path) -> None:
    known = learnt("latin-1", rules=1)
    assert read(tmp_path, "a,b\n1,„x“\n".encode("cp1252"), known, rules=1) == [["1", "\x84x\x93"]]


QUOTES: dict[str, tuple[str | None, str, list[list[str]]]] = {
    "none, as it was": (None, 'a,b\n1,"x"\n2,5" pipe\n', [["1", '"x"'], ["2", '5" pipe']]),
    "none, and the names are quoted": (None, '"a","b"\n1,"x, y"\n', [["1", "x, y"]]),
    "none, and cells hold the delimiter": (None, 'a,b\n1,"x, y"\n2,z\n', [["1", "x, y"], ["2", "z"]]),
    "single, as it was": ("'", "a,b\n1,'x, y'\n2,\"z\"\n", [["1", "x, y"], ["2", '"z"']]),
    "single, and cells are in double ones": ("'", 'a,b\n1,"x, y"\n2,z\n', [["1", "x, y"], ["2", "z"]]),
    "double, as usual": ('"', "a,b\n1,\"x, y\"\n2,'z'\n", [["1", "x, y"], ["2", "'z'"]]),
}


@pytest.mark.parametrize(("quote", "content", "cells"), QUOTES.values(), ids=QUOTES)
def test_the_quote_of_the_table_is_followed_where_it_fits(
    tmp_path: Path, quote: str | None, content: str, cells: list[list[str]]
) -> None:
    assert read(tmp_path, content.encode(), learnt(quote=quote)) == cells


def test_a_backslash_means_what_it_meant_in_the_table(tmp_path: Path) -> None:
    content = b"a,b\n1,C:\\new\n"
    assert read(tmp_path, content, learnt(escape="\\")) == [["1", "C:new"]]
    assert read(tmp_path, content, learnt()) == [["1", "C:\\new"]]


DELIMITERS: dict[str, tuple[str, str, list[list[str]]]] = {
    "an uncommon one": ("^", "a^b\n1^x\n", [["1", "x"]]),
    "blanks": (" ", "a b\n1   x,y\n2 z\n", [["1", "x,y"], ["2", "z"]]),
    "another one in the file": ("^", "a;b\n1;x^y\n", [["1", "x^y"]]),
    "another one that the file names": ("^", "sep=|\na|b\n1|x^y\n", [["1", "x^y"]]),
}


@pytest.mark.parametrize(("delimiter", "content", "cells"), DELIMITERS.values(), ids=DELIMITERS)
def test_the_delimiter_of_the_table_is_followed_where_it_parts_the_names(
    tmp_path: Path, delimiter: str, content: str, cells: list[list[str]]
) -> None:
    assert read(tmp_path, content.encode(), learnt(delimiter=delimiter)) == cells


def test_one_column_is_not_parted_by_what_only_its_cells_hold(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a\nx;y\nz;w\n")
    reading, known = how_to_read(path, LIMITS, learnt()), learnt()
    with CsvRows(path, reading, LIMITS, columns=["a", "b"], model="model", rules=2, learnt=known) as rows:
        assert [row.cells for row in rows] == [["x;y"], ["z;w"]]


NAMELESS: dict[str, Any] = {"header_line": None, "names": ["a", "b"]}


@pytest.mark.parametrize("content", ["1,x\n2,a\n", "a,b\n1,x\n2,a\n", "sep=;\n1;x\n2;a\n", "Sales\na,b\n1,x\n2,a\n"])
def test_a_file_like_a_table_without_names_may_have_none(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content.encode(), learnt(**NAMELESS)) == [["1", "x"], ["2", "a"]]


def test_a_file_without_names_is_refused_where_the_table_had_some_or_more_columns(tmp_path: Path) -> None:
    for known in (learnt(), learnt(header_line=None, names=["a", "b", "c"])):
        with pytest.raises(InvalidInput, match="none of the columns"):
            read(tmp_path, b"1,x\n2,y\n", known)


def test_names_are_found_as_far_below_as_they_were(tmp_path: Path) -> None:
    content = b"about,this\n" * 150 + b"a,b\n1,x\n"
    assert read(tmp_path, content, learnt(header_line=151)) == [["1", "x"]]


def test_the_reading_of_an_upload_tells_all_that_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes('1|"x\n2|Čapek\n'.encode("cp1250"))
    options = ReadingOptions.model_validate(
        {"encoding": "cp1250", "quote": "none", "delimiter": "|", "header": "none", "names": ["a", "b"]}
    )
    reading = inspect(path, LIMITS, options).reading
    assert (reading.encoding, reading.quote, reading.delimiter) == ("cp1250", None, "|")
    assert (reading.header_line, reading.names) == (None, ["a", "b"])
