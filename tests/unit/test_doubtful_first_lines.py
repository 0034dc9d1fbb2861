"""A first line of values is not taken for names in silence, and no row is lost because it looks like the names."""

from pathlib import Path

import pytest

from shared.errors import HeaderDoubtful, PlatformError
from shared.tables.inspected import Inspection, TableLimits
from shared.tables.inspection import inspect
from tests.support.tables import check, kinds


def found_in(folder: Path, *lines: str) -> Inspection:
    path = folder / "upload"
    path.write_text("".join(f"{line}\n" for line in lines))
    return inspect(path, TableLimits())


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([f"{row},Foo{row},Bar{row}" for row in range(20)], id="rows numbered from 0"),
        pytest.param([f"{row + 1},Foo{row},Bar{row}" for row in range(20)], id="rows numbered from 1"),
        pytest.param([f"{row % 2} 1:0.5 2:{row}.5" for row in range(20)], id="a label of two"),
        pytest.param([f"2024-01-{row + 1:02},foo,bar" for row in range(20)], id="days"),
        pytest.param([f"{row + 1}.01.2024;foo" for row in range(20)], id="days as in Germany"),
        pytest.param([f"ab,cd,x{row % 3}" for row in range(20)], id="words that come again, in the same rows"),
        pytest.param([f"Bonn,{2001 + row % 9}" for row in range(20)], id="years above years"),
    ],
)
def test_a_first_line_that_is_a_row_is_not_taken_for_names(tmp_path: Path, rows: list[str]) -> None:
    with pytest.raises(HeaderDoubtful) as refused:
        found_in(tmp_path, *rows)
    assert refused.value.errors[0]["loc"] == ["file", 1]


@pytest.mark.parametrize(
    ("names", "row"),
    [
        pytest.param(",0", "a,5", id="a series of pandas"),
        pytest.param("0,1,2,label", "7,8,9,x", id="an array"),
        pytest.param("country,2019", "Peru,5", id="a year above amounts"),
        pytest.param("day,2024-01-01", "Peru,5", id="a day above amounts"),
    ],
)
def test_names_may_be_numbers_and_days(tmp_path: Path, names: str, row: str) -> None:
    found = found_in(tmp_path, names, *[row] * 9)
    assert (found.rows, [column.name for column in found.columns][-1]) == (9, names.rsplit(",", maxsplit=1)[-1])


def test_a_row_of_values_is_not_dropped_because_the_names_are_numbers(tmp_path: Path) -> None:
    found = found_in(tmp_path, "0", *map(str, range(20)))
    assert found.rows == 20


@pytest.mark.parametrize("again", ["a,b", "a, b", " a ,b", "\ufeffa,b"])
def test_names_are_known_again_whatever_is_around_them(tmp_path: Path, again: str) -> None:
    found = found_in(tmp_path, "a , b", "1,x", "2,y", again, "3,z")
    assert (found.rows, [column.kind for column in found.columns]) == (3, ["integer", "category"])
    assert [(finding.code, finding.line) for finding in found.findings] == [("repeated_header", 4)]


def test_a_day_above_a_column_without_any_value_is_a_name(tmp_path: Path) -> None:
    assert found_in(tmp_path, "x,2024-01-01", *["5,"] * 9).rows == 9


def test_a_first_row_with_one_word_among_numbers_is_no_row_of_units(tmp_path: Path) -> None:
    found = found_in(tmp_path, "name,score", "Ann,absent", *[f"C{row},{row}" for row in range(60)])
    assert (found.rows, [finding.code for finding in found.findings]) == (61, ["nearly_numeric"])


def test_a_line_drawn_below_the_names_is_skipped_and_told(tmp_path: Path) -> None:
    for names, rule in (("| a | b |", "|---|:--|"), (" a | b ", "---+---")):
        found = found_in(tmp_path, names, rule, *[names.replace("a", "1").replace("b", "x")] * 3)
        kinds = {column.name: column.kind.value for column in found.columns if column.unique}
        assert (found.rows, kinds) == (3, {"a": "integer", "b": "category"})
        assert ("header_doubtful", 2) in [(finding.code, finding.line) for finding in found.findings]


REFUSED = {
    "names in two lines": (
        ["Year,2020,,2021,", ",m,f,m,f", *["C,1,2,3,4"] * 9],
        "and line 2 goes on with the names",
    ),
    "metadata": (
        ["Station,Berlin", "Lat,52.5", "", "time,temp", *["2024-01-05,1.5"] * 9],
        "line 4 seems to hold them. Send 'header' 4",
    ),
    "a title above words": (
        ["Persons", "name,sex", *[f"C{row},x" for row in range(9)]],
        "if that line is a title, send 'header' 2",
    ),
    "single quotes": (["a,b", "'x','1'", "'y','2'"], "Send 'quote' single if"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_stands_above_a_table_or_around_its_cells_is_no_part_of_it_in_silence(tmp_path: Path, name: str) -> None:
    lines, hint = REFUSED[name]
    with pytest.raises(PlatformError) as refused:
        found_in(tmp_path, *lines)
    assert hint in refused.value.detail
    assert refused.value.errors[0]["loc"][0] == "file"


def test_a_title_above_any_column_is_not_taken_for_the_names(tmp_path: Path) -> None:
    for title in (",Sales", "Sales,", "Sales"):
        found = check(tmp_path, f"{title}\nsize,word\n" + "1,x\n2,y\n" * 3)
        assert (list(kinds(found)), found.rows, found.reading.header_line) == (["size", "word"], 6, 2)
    # A table whose first column numbers the rows has one name, too.
    assert list(kinds(check(tmp_path, ",size\n" + "".join(f"{row},{row * 3}\n" for row in range(6))))) == [
        "column_1",
        "size",
    ]
