"""Elements of HTML whose contents are escaped, so that nothing that a client named is ever read as HTML."""

import json
from html import escape
from typing import Any

# The most items of a list that are shown.
_MOST_ITEMS = 50
# Elements that hold nothing and are not closed.
_VOID = {"input", "meta"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Content = Html | str | None


def element(name: str, /, *contents: Content, **attributes: str | None) -> Html:
    """An element; `class_` and `for_` name attributes that are words of Python, and None leaves one out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{told}>")
    return Html(f"<{name}{told}>{together(*contents)}</{name}>")


def together(*contents: Content) -> Html:
    """Several elements and texts behind each other."""
    return Html("".join(each if isinstance(each, Html) else escape(each) for each in contents if each is not None))


def link(text: str, address: str, *, current: bool = False) -> Html:
    """A link to an address of the platform; `current` where it leads to what is shown."""
    return element("a", text, href=address, aria_current="true" if current else None)


def facts(*pairs: tuple[str, Content]) -> Html:
    """What is known of one thing, each with its name."""
    return element(
        "dl",
        *(
            together(element("dt", name), element("dd", content))
            for name, content in pairs
            if content not in (None, "")
        ),
    )


def listing(value: Any) -> Html:
    """A value as JSON, whose lists are shortened."""
    return element("pre", json.dumps(shortened(value), indent=2, ensure_ascii=False), tabindex="0")


def shortened(value: Any) -> Any:
    """A value of JSON with the first of each long list, and how many more there are."""
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        more = [f"... and {len(value) - _MOST_ITEMS:,} more"] if len(value) > _MOST_ITEMS else []
        return [*map(shortened, value[:_MOST_ITEMS]), *more]
    return value


def table(caption: str, names: list[str], rows: list[list[Content]]) -> Html:
    """A table whose rows begin with what they are about; it scrolls sideways where it is too wide."""
    head = element("tr", *(element("th", name, scope="col") for name in names))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    ]
    whole = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return element("div", whole, class_="wide", tabindex="0", role="region", aria_label=caption)
