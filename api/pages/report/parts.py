"""What all sections of a report are made of."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from api.pages.charts.axes import colour
from api.pages.markup import Content, Html, element, table, together
from api.pages.measures import measure

# The most rows of a table that the page shows; JSON has all.
MOST_ROWS = 100
_LONG = 20
_LONGEST = 60


class Section(NamedTuple):
    """A part of the page that a link leads to."""

    anchor: str
    title: str
    contents: Html


def section(anchor: str, title: str, *contents: Content) -> Section | None:
    """A part of the page; none if there is nothing in it."""
    shown = [each for each in contents if each]
    return Section(anchor, title, together(*shown)) if shown else None


def beside(picture: Html | None, other: Html) -> Html:
    """A picture and its numbers: next to each other where there is room."""
    return element("div", picture, other, class_="beside") if picture is not None else other


def numbers(caption: str, names: list[str], rows: Sequence[list[Content]]) -> Html:
    """A table; one that is long is folded, and of a very long one these are the first rows."""
    return folded(caption, names, rows) if len(rows) > _LONG else table(caption, names, list(rows))


def folded(caption: str, names: list[str], rows: Sequence[list[Content]]) -> Html:
    """A table for who wants its numbers."""
    more = len(rows) - MOST_ROWS
    return element(
        "details",
        element("summary", f"{caption}: {len(rows):,} rows"),
        table(caption, names, list(rows[:MOST_ROWS])),
        element("p", f"{more:,} more are in the JSON at this address.") if more > 0 else None,
    )


def legend(names: Sequence[str]) -> Html:
    """Which colour is what."""
    return element("ul", *(element("li", key(at), " ", name) for at, name in enumerate(names)), class_="legend")


def key(at: int) -> Html:
    """A piece of the line of the so manieth of several things."""
    broken = "5 3" if at >= 6 else None
    stroke = element("line", x1="0", y1="5", x2="22", y2="5", class_=f"curve {colour(at)}", stroke_dasharray=broken)
    return element("svg", stroke, viewBox="0 0 22 10", aria_hidden="true", class_="key")


def named(value: Any) -> str:
    """A label or a cell as text."""
    if value is None:
        return "missing"
    text = value if isinstance(value, str) else (measure(value) if isinstance(value, float) else json.dumps(value))
    text = text or ""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def all_names(metrics: Sequence[dict[str, float]]) -> list[str]:
    """The names of metrics of which each row has some, in the order of their first row."""
    return list(dict.fromkeys(name for each in metrics for name in each))
