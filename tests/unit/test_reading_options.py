"""What an upload says about its file has the last word, or is refused with what there is instead."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from shared.errors import HeaderDoubtful, InvalidTable, PlatformError, ReadingRefused
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from shared.tables.loading import read_table
from shared.tables.options import ReadingOptions
from tests.support.tables import kinds, parquet


def told(folder: Path, content: bytes | str, **options: Any) -> tuple[Inspection, pd.DataFrame]:
    """What is found in a file that is read as the options say, and its table."""
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = inspect(path, TableLimits(), ReadingOptions(**options))
    return found, read_table(path, found.reading, columns=found.columns)


def refused(folder: Path, content: bytes | str, error: type[PlatformError], **options: Any) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(error) as raised:
        told(folder, content, **options)
    return raised.value.detail


def test_names_are_given_to_a_table_without_them(tmp_path: Path) -> None:
    rows = "39,State-gov,2\n50,Private,3\n"
    found, table = told(tmp_path, rows, header="none", names=["age", "work", "n"])
    assert table.to_dict("list") == {"age": [39, 50], "work": ["State-gov", "Private"], "n": [2, 3]}
    assert (found.reading.header_line, found.reading.names) == (None, ["age", "work", "n"])
    assert "has 2 names, but the rows have 3 cells" in refused(tmp_path, rows, ReadingRefused, names=["age", "work"])


def test_the_line_of_names_is_the_one_that_is_said(tmp_path: Path) -> None:
    content = "# logger 3.2\n# north gate\nregion,units\nnorth,4\nsouth,5\n"
    assert "line 3 seems to hold them. Send 'header' 3" in refused(tmp_path, content, HeaderDoubtful)
    found, table = told(tmp_path, content, header=3)
    assert table.to_dict("list") == {"region": ["north", "south"], "units": [4, 5]}
    assert (found.reading.header_line, found.reading.skipped_lines) == (3, [1, 2])
    assert "Line 9 holds no names; the lines with cells are 1 to 5" in refused(
        tmp_path, content, ReadingRefused, header=9
    )


def test_a_first_line_of_data_can_be_said_to_hold_the_names(tmp_path: Path) -> None:
    content = "39,State-gov\n50,Private\n"
    assert "holds data (39, State-gov)" in refused(tmp_path, content, HeaderDoubtful)
    assert kinds(told(tmp_path, content, header=1)[0]) == {"39": "integer", "State-gov": "category"}


def test_a_row_of_units_is_a_row_if_the_names_are_said_to_be_above_it(tmp_path: Path) -> None:
    content = "height,class\ncm,\n" + "174,a\n165,b\n" * 3
    assert told(tmp_path, content)[0].rows == 6
    found, table = told(tmp_path, content, header=1)
    assert (found.rows, table["height"].tolist()[0]) == (7, "cm")


def test_the_delimiter_is_the_one_that_is_said(tmp_path: Path) -> None:
    content = "a;b^c\n1;2^3\n4;5^6\n"
    assert kinds(told(tmp_path, content)[0]) == {"a": "integer", "b^c": "category"}
    assert kinds(told(tmp_path, content, delimiter="^")[0]) == {"a;b": "category", "c": "integer"}
    assert "'|', which is not in the first lines" in refused(tmp_path, content, ReadingRefused, delimiter="|")
    assert kinds(told(tmp_path, "a  b\n1   x\n2 \t y\n", delimiter="blank")[0]) == {"a": "integer", "b": "category"}


def test_lines_that_an_uncommon_delimiter_parts_are_not_one_column_in_silence(tmp_path: Path) -> None:
    assert "Send 'delimiter' ^" in refused(tmp_path, "a^b\n1^2\n3^4\n", ReadingRefused)
    whole = refused(tmp_path, '"a,b"\n"1,2"\n"3,4"\n', ReadingRefused)
    assert "Each line is enclosed in quotes as a whole" in whole
    found, _ = told(tmp_path, "word\nred\nblue\n")
    assert [finding.code for finding in found.findings] == ["one_column"]


def test_cells_may_be_enclosed_in_single_quotes_or_in_none(tmp_path: Path) -> None:
    content = "x,name\n1,'Dow, Jane'\n2,'Roe, Bo'\n"
    assert "Send 'quote' '" in refused(tmp_path, content, ReadingRefused)
    assert told(tmp_path, content, quote="'")[1]["name"].tolist() == ["Dow, Jane", "Roe, Bo"]
    inches = 'item,n\n"Mad Dog" Mattis,1\n24" pipe,2\n'
    assert "text behind a quote that closes" in refused(tmp_path, inches, InvalidTable)
    assert told(tmp_path, inches, quote="none")[1]["item"].tolist() == ['"Mad Dog" Mattis', '24" pipe']


def test_a_quote_behind_a_blank_is_a_quote(tmp_path: Path) -> None:
    found, table = told(tmp_path, 'x, name, n\n1, "Dow, ""Jane""", 2\n3,   "Roe, Bo", 4\n')
    assert table["name"].tolist() == ['Dow, "Jane"', "Roe, Bo"]
    assert found.reading.skips_blanks
    ragged = refused(tmp_path, 'x, name, n\n1, "Dow, Jane", 2\n3, "Roe"\n', InvalidTable)
    assert "Line 3 has 2 fields" in ragged
    assert "line 3, column 'name', is never closed" in refused(tmp_path, 'x, name\n1, "a"\n2, "b\n', InvalidTable)


def test_marks_of_numbers_are_those_that_are_said(tmp_path: Path) -> None:
    content = "a\tb\n1,234\tx\n999\ty\n"
    assert told(tmp_path, content)[1]["a"].tolist() == [1234, 999]
    assert told(tmp_path, content, decimal=",")[1]["a"].tolist() == [1.234, 999.0]
    points = "a;b\n1.234;x\n999;y\n"
    assert told(tmp_path, points, thousands=".")[1]["a"].tolist() == [1234, 999]
    found, table = told(tmp_path, points, thousands="none")
    assert table["a"].tolist() == [1.234, 999.0]
    assert [finding.code for finding in found.findings] == []
    assert told(tmp_path, "a;b\n1 234,5;x\n2 000;y\n")[1]["a"].tolist() == [1234.5, 2000.0]
    assert told(tmp_path, "a;b\n1'234.5;x\n2'000;y\n")[1]["a"].tolist() == [1234.5, 2000.0]


def test_numbers_that_do_not_fit_the_marks_that_are_said_are_kept_as_text_and_told(tmp_path: Path) -> None:
    found, table = told(tmp_path, "a;b\n1,5;x\n2.5;y\n", decimal=",")
    assert table["a"].tolist() == ["1,5", "2.5"]
    assert [(finding.code, finding.line) for finding in found.findings] == [("nearly_numeric", 3)]


def test_the_words_for_a_missing_value_are_those_that_are_said(tmp_path: Path) -> None:
    content = "disorder,n\nNone,1\nApnea,NA\nunknown,3\n"
    assert told(tmp_path, content)[1]["disorder"].tolist()[1:] == ["Apnea", "unknown"]
    found, table = told(tmp_path, content, gap_words=[])
    assert table["disorder"].tolist() == ["None", "Apnea", "unknown"]
    assert (kinds(found)["n"], found.columns[1].missing) == ("integer", 1)
    assert told(tmp_path, content, gap_words=["unknown"])[1]["disorder"].isna().tolist() == [False, False, True]
    numbers = "lead,n\n" + "3.8,1\n<0.5,2\n" * 3
    assert kinds(told(tmp_path, numbers)[0])["lead"] == "category"
    found, table = told(tmp_path, numbers, gap_words=["<0.5"])
    assert (kinds(found)["lead"], table["lead"].isna().sum()) == ("number", 3)


def test_kinds_are_those_that_are_said(tmp_path: Path) -> None:
    content = "zip,day,yes,price,n,t\n10115,05/06/2024,Y,$5,1,20240131\n20095,07/06/2024,N,$7,2,20240201\n"
    assert kinds(told(tmp_path, content)[0]) == {
        "zip": "integer", "day": "category", "yes": "category", "price": "integer", "n": "integer", "t": "integer",
    }  # fmt: skip
    said = {
        "zip": "category",
        "day": "datetime:dmy",
        "yes": "boolean",
        "price": "number",
        "n": "text",
        "t": "datetime",
    }
    found, table = told(tmp_path, content, kinds=said)
    assert kinds(found) == {name: kind.split(":")[0] for name, kind in said.items()}
    assert table["zip"].tolist() == ["10115", "20095"]
    assert table["day"].dt.strftime("%Y-%m-%d").tolist() == ["2024-06-05", "2024-06-07"]
    assert told(tmp_path, content, kinds={"day": "datetime:mdy"})[1]["day"].dt.month.tolist() == [5, 7]
    assert table["yes"].tolist() == [True, False]
    assert table["t"].dt.day.tolist() == [31, 1]
    assert found.reading.kinds == said


def test_kinds_that_cells_contradict_are_refused_with_the_first_five(tmp_path: Path) -> None:
    content = "a,b\n" + "".join(f"{'x' if row % 2 else row},1\n" for row in range(20))
    with pytest.raises(ReadingRefused) as raised:
        told(tmp_path, content, kinds={"a": "integer"})
    assert [problem["loc"] for problem in raised.value.errors] == [["file", line, "a"] for line in (3, 5, 7, 9, 11)]
    assert "Column 'a' is not integer: it holds 'x' (line 3)" in raised.value.detail
    near = refused(tmp_path, "zip,n\n1,2\n", ReadingRefused, kinds={"zipp": "text"})
    assert "'kinds' names the column 'zipp', which the table does not have. Did you mean 'zip'?" in near


MARKS = "Send 'thousands' and 'decimal' with the marks that they have, another kind in 'kinds', or correct them."
GAPS = "Send another kind in 'kinds', name such cells in 'gap_words' to read them as missing, or correct them."
OTHER = "Send another kind in 'kinds', or correct them."


@pytest.mark.parametrize(
    ("cells", "said", "hint", "advised"),
    [
        (["1,234", "5"], {"thousands": "none", "kinds": {"n": "integer"}}, MARKS, {"thousands": ","}),
        (["1'234.5", "5"], {"thousands": "none", "kinds": {"n": "number"}}, MARKS, {"thousands": "'"}),
        (["$1,234.50", "$5"], {"thousands": "none", "kinds": {"n": "number:currency"}}, MARKS, {"thousands": ","}),
        (["1,234", "5"], {"decimal": ",", "kinds": {"n": "integer"}}, MARKS, {"decimal": ".", "thousands": ","}),
        (["1,5", "2"], {"decimal": ".", "kinds": {"n": "number"}}, MARKS, {"decimal": ","}),
        (["lots", "5"], {"thousands": "none", "kinds": {"n": "number"}}, GAPS, {"gap_words": ["lots"]}),
        (["1.5", "2"], {"kinds": {"n": "integer"}}, GAPS, {"gap_words": ["1.5"]}),
    ],
)
def test_who_asked_for_numbers_is_told_what_to_send_and_it_helps(
    tmp_path: Path, cells: list[str], said: dict[str, Any], hint: str, advised: dict[str, Any]
) -> None:
    content = "n;t\n" + "".join(f"{cell};x\n" for cell in cells)
    assert refused(tmp_path, content, ReadingRefused, **said).endswith(hint)
    assert told(tmp_path, content, **{**said, **advised})[0].rows == 2


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize(
    ("values", "kind", "hint"),
    [
        (["1", "lots"], "integer", GAPS),
        (["1", "1,5"], "integer", MARKS),
        ([1.5, 2.0], "integer", OTHER),
        ([True, False], "number", OTHER),
    ],
)
def test_a_word_of_a_typed_file_may_be_called_a_gap_and_a_number_may_not(
    tmp_path: Path, form: str, values: list[Any], kind: str, hint: str
) -> None:
    rows = "".join(json.dumps({"n": value, "t": "x"}) + "\n" for value in values)
    content = parquet({"n": values, "t": ["x", "y"]}) if form == "parquet" else rows
    assert refused(tmp_path, content, ReadingRefused, kinds={"n": kind}).endswith(hint)
    if hint == GAPS:
        assert told(tmp_path, content, kinds={"n": kind}, gap_words=["lots"])[0].columns[0].missing == 1


def test_the_encoding_is_the_one_that_is_said(tmp_path: Path) -> None:
    polish = "miasto,n\nŁódź,1\nGdańsk,2\n"
    found, table = told(tmp_path, polish.encode("iso8859-2"), encoding="latin2")
    assert (table["miasto"].tolist(), found.reading.encoding) == (["Łódź", "Gdańsk"], "iso8859-2")
    assert found.findings == []
    assert told(tmp_path, polish.encode("utf-16-le"), encoding="utf-16-le")[1]["miasto"].tolist() == ["Łódź", "Gdańsk"]
    broken = refused(tmp_path, b"a,b\n1,2\n3,\xff\n", ReadingRefused, encoding="ascii")
    assert "Line 3 holds bytes that are not text in the encoding ascii" in broken


def test_options_that_a_format_does_not_know_are_refused(tmp_path: Path) -> None:
    sentence = refused(tmp_path, parquet({"a": [1]}), ReadingRefused, delimiter=";", encoding="cp1252")
    assert "parquet, which has no use for 'encoding' and 'delimiter'" in sentence
    assert "'header'" in refused(tmp_path, '{"a": 1}\n', ReadingRefused, header=1)
    found, table = told(tmp_path, '{"age": "34"}\n{"age": "35"}\n', kinds={"age": "number"})
    assert (kinds(found), table["age"].tolist()) == ({"age": "number"}, [34.0, 35.0])


def test_a_column_that_is_written_in_two_ways_has_one_kind() -> None:
    with pytest.raises(ValidationError, match="'caf\u00e9' is given twice"):
        ReadingOptions(kinds={"caf\u00e9": "text", "cafe\u0301": "number"})
