"""How often which label was taken for which: a table with the more colour in a cell, the more of its row is there."""

from collections.abc import Sequence

from api.pages.charts.axes import fitting
from api.pages.markup import Content, Html, element

# Shades from none to all of a row.
_SHADES = 10
# With more labels their names stand upright above the columns.
_MOST_LYING = 8


def matrix(caption: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Html:
    """Rows are what is true, columns what was said."""
    return _table(caption, "actual \\ predicted", labels, [_cells(row) for row in counts])


def shaded(caption: str, names: Sequence[str], shares: Sequence[Sequence[float | None]]) -> Html:
    """Numbers from -1 to 1 of pairs: the farther from 0, the more colour."""
    return _table(caption, "", names, [[_share(share) for share in row] for row in shares])


def _table(caption: str, corner: str, labels: Sequence[str], rows: Sequence[list[Content]]) -> Html:
    upright = "upright" if len(labels) > _MOST_LYING else None
    short = [fitting(label) for label in labels]
    shown = short if len(set(short)) == len(labels) else labels
    head = [element("th", corner, scope="col") if corner else element("td")]
    head += [
        element("th", element("span", name), scope="col", class_=upright, title=label)
        for name, label in zip(shown, labels, strict=True)
    ]
    body = [
        element("tr", element("th", name, scope="row", title=label), *row)
        for name, label, row in zip(shown, labels, rows, strict=True)
    ]
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
        class_="matrix",
    )
    return element("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)


def _cells(counts: Sequence[int]) -> list[Content]:
    total = sum(counts) or 1
    return [element("td", f"{count:,}", class_=f"s{_shade(count / total)}" if count else None) for count in counts]


def _share(share: float | None) -> Html:
    if share is None:
        return element("td", "")
    return element("td", f"{share:.2f}", class_=f"s{_shade(abs(share))}")


def _shade(share: float) -> int:
    # What is there at all can be seen.
    return max(round(share * _SHADES), 1)
