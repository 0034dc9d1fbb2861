"""Lists in pages: an opaque cursor says after which item the next page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import Field

from api.schemas.base import ResponseBody
from shared.errors import InvalidCursor

T = TypeVar("T")
R = TypeVar("R")

Position = list[str | int]

_LARGEST_INTEGER = 2**63 - 1


class Page(ResponseBody, Generic[T]):
    """One page of a list; `next_cursor` is null on the last one."""

    items: list[T] = Field(description="What is on this page.")
    next_cursor: str | None = Field(
        default=None, description="Give it as `cursor` to get the next page; null on the last one."
    )


@dataclass(frozen=True)
class PageQuery:
    """The page that is asked for: at most `limit` items after the position `after`."""

    limit: int
    after: Position | None

    def position(self, *kinds: type[str] | type[int]) -> Position | None:
        """`after`, checked to have the form that positions of this list have.

        Raises:
            InvalidCursor: when it has not, as in a cursor of another list.
        """
        if self.after is not None and [type(part) for part in self.after] != list(kinds):
            raise InvalidCursor
        return self.after

    def after_number(self) -> int | None:
        """`after` in a list whose position is one number; None on the first page.

        Raises:
            InvalidCursor: when the cursor is of another list.
        """
        position = self.position(int)
        return None if position is None else int(position[0])

    def after_text(self) -> str | None:
        """`after` in a list whose position is one text; None on the first page.

        Raises:
            InvalidCursor: when the cursor is of another list.
        """
        position = self.position(str)
        return None if position is None else str(position[0])


def page_query(
    limit: Annotated[int, Query(ge=1, le=200, description="The most items on one page.")] = 50,
    cursor: Annotated[str | None, Query(description="The `next_cursor` of the page before.")] = None,
) -> PageQuery:
    """Read the page that a request asks for.

    Raises:
        InvalidCursor: when the cursor was not made here.
    """
    return PageQuery(limit=limit, after=None if cursor is None else decode_cursor(cursor))


PageQueryDep = Annotated[PageQuery, Depends(page_query)]


def make_page(
    rows: Sequence[R], query: PageQuery, *, item: Callable[[R], T], position: Callable[[R], Position]
) -> Page[T]:
    """Make a page of rows that were fetched with `limit + 1`: the extra row shows that there is another page."""
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    return Page(items=[item(row) for row in shown], next_cursor=encode_cursor(position(shown[-1])) if more else None)


def encode_cursor(position: Position) -> str:
    """The opaque form of a position."""
    text = json.dumps(position, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> Position:
    """The position that a cursor stands for.

    Raises:
        InvalidCursor: when it was not made by `encode_cursor`.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidCursor from None
    if not isinstance(position, list) or not position or not all(map(_is_part, position)):
        raise InvalidCursor
    return position


def _is_part(part: object) -> bool:
    if type(part) is int:
        return abs(part) <= _LARGEST_INTEGER
    return isinstance(part, str) and part.isprintable()
