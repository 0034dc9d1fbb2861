"""Lists, page by page."""

from typing import Any

from cli.client import requests as calls
from cli.client.connection import Client
from cli.render.output import Output, Show

# More than any list has that is shown as a whole.
EVERYTHING = 10_000
_LARGEST_PAGE = 200
_NONE_FITS = "No {} fit these filters. Leave one of them out to see more."


def pages(client: Client, path: str, *, most: int, **filters: str | None) -> dict[str, Any]:
    """The first items of a list as one page, however many pages of the API that takes; at most `most`.

    Raises:
        Refused, Unreachable: as `Client.send`.
    """
    items: list[Any] = []
    cursor: str | None = None
    while True:
        limit = str(min(most - len(items), _LARGEST_PAGE))
        page = client.get(calls.listing(path, **filters, limit=limit, cursor=cursor))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None or len(items) >= most:
            return {"items": items, "next_cursor": cursor}


def give_list(client: Client, output: Output, path: str, show: Show, *, most: int, **filters: str | None) -> None:
    """Give a list, and tell when there is more of it, or when nothing fits the filters.

    Raises:
        Refused, Unreachable: as `Client.send`.
    """
    page = pages(client, path, most=most, **filters)
    narrowed = any(value is not None for value in filters.values())
    output.give(page, show if page["items"] or not narrowed else lambda _: _NONE_FITS.format(path.strip("/")))
    if page["next_cursor"] and not output.as_json:
        output.tell(f"There are more than these {most}; --limit shows more.")
