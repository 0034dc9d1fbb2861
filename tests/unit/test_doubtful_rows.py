"""Rows that a quote may have swallowed, and last rows that may be none, are told."""

from pathlib import Path

import pytest

from tests.support.tables import check, load


def told(folder: Path, content: str) -> list[tuple[str, str | None, int | None]]:
    """The findings on rows, with column and line."""
    codes = {"rows_in_cell", "footer_row"}
    return [(each.code, each.column, each.line) for each in check(folder, content).findings if each.code in codes]


def test_rows_between_two_quotes_that_belong_to_the_text_are_told(tmp_path: Path) -> None:
    content = 'name,n\nred,1\n"foo,2\n' + "blue,3\n" * 4 + 'baz",4\nred,5\n'
    found, table = load(tmp_path, content)
    assert found.rows == 3
    assert told(tmp_path, content) == [("rows_in_cell", "name", 3)]
    assert table["name"].tolist()[1].startswith("foo,2\nblue")


def test_lines_within_cells_that_do_not_look_like_rows_are_not_told(tmp_path: Path) -> None:
    assert told(tmp_path, 'note,n,m\n"first\nsecond",1,2\n"a\nb, c",3,4\n' + "x,5,6\n" * 5) == []


@pytest.mark.parametrize(
    "last", ["Source: the office,,", "Total,312,", "total,312,9", "Summe;,1,2", "Grand Total,1,2", "anything,,"]
)
def test_a_last_row_that_may_be_a_footer_is_told_and_kept(tmp_path: Path, last: str) -> None:
    content = "region,units,n\n" + "north,4,1\nsouth,8,2\n" * 5 + f"{last}\n"
    assert told(tmp_path, content) == [("footer_row", None, 12)]
    assert check(tmp_path, content).rows == 11


def test_a_last_row_like_the_others_is_not_told(tmp_path: Path) -> None:
    assert told(tmp_path, "region,units,n\n" + "Totalien,4,1\nsouth,8,2\nNotes,,\n" * 5 + "Sumatra,1,2\n") == []
    assert told(tmp_path, "region,units\n" + "north,\n" * 9 + "south,\n") == []
