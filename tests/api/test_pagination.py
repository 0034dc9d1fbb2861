"""Pages and their cursors."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.pagination import PageQuery, decode_cursor, encode_cursor, make_page
from shared.errors import InvalidCursor

printable = st.text(st.characters(exclude_categories=["C", "Z"]))


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1) | printable, min_size=1))
def test_a_cursor_says_the_position_that_it_was_made_of(position: list[int | str]) -> None:
    assert decode_cursor(encode_cursor(position)) == position


@given(st.text())
def test_any_text_is_a_position_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidCursor):
        decode_cursor(text)


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "é",
        "%",
        "W10",
        _encoded("{}"),
        _encoded("5"),
        _encoded("[null]"),
        _encoded("[true]"),
        _encoded("[1.5]"),
        _encoded("[NaN]"),
        _encoded("[[1]]"),
        _encoded(f"[{2**64}]"),
        _encoded("[" + "9" * 5000 + "]"),
        _encoded('["a\\u0000"]'),
        _encoded("[" * 100_000),
    ],
)
def test_a_cursor_that_was_not_made_here_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor)


def test_a_cursor_of_another_list_is_refused() -> None:
    query = PageQuery(limit=1, after=[1, "a"])
    assert query.position(int, str) == [1, "a"]
    for kinds in [(int,), (str, int), (int, str, int)]:
        with pytest.raises(InvalidCursor):
            query.position(*kinds)
    for read in (query.after_number, query.after_text):
        with pytest.raises(InvalidCursor):
            read()


def test_the_first_page_begins_after_nothing_and_any_other_after_the_position_of_its_cursor() -> None:
    first = PageQuery(limit=1, after=None)
    assert (first.position(int), first.after_number(), first.after_text()) == (None, None, None)
    assert PageQuery(limit=1, after=[7]).after_number() == 7
    assert PageQuery(limit=1, after=["a"]).after_text() == "a"


def test_a_page_shows_what_was_asked_for_and_knows_whether_there_is_more() -> None:
    query = PageQuery(limit=2, after=None)
    page = make_page([1, 2, 3], query, item=str, position=lambda row: [row])
    assert page.items == ["1", "2"]
    assert page.next_cursor is not None
    assert decode_cursor(page.next_cursor) == [2]
    assert make_page([1, 2], query, item=str, position=lambda row: [row]).next_cursor is None
    assert make_page([], query, item=str, position=lambda row: [row]).items == []
