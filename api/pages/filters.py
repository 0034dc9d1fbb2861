"""Lists that are narrowed by links."""

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

from api.pages.markup import Html, element, link


def address(path: str, query: Mapping[str, str]) -> str:
    """The address of a list with these filters."""
    return f"{path}?{urlencode(query)}" if query else path


def choice(
    title: str, name: str, values: Sequence[str], *, path: str, chosen: Mapping[str, str], without: str = "all"
) -> Html:
    """Links to the list with each value of a filter, and `without` it; the other filters stay as they are chosen."""
    others = {key: value for key, value in chosen.items() if key != name}
    links = [link(without, address(path, others), current=name not in chosen)]
    links += [
        link(value, address(path, {**others, name: value}), current=chosen.get(name) == value) for value in values
    ]
    items = [element("li", f"{title}:"), *(element("li", each) for each in links)]
    return element("nav", element("ul", *items), aria_label=title)


def chosen_ones(titles: Mapping[str, str], *, path: str, chosen: Mapping[str, str]) -> Iterator[Html]:
    """For each of these filters that is chosen, the links to the list with and without it."""
    for name, title in titles.items():
        if name in chosen:
            yield choice(title, name, [chosen[name]], path=path, chosen=chosen)


def next_page(text: str, cursor: str | None, *, path: str, chosen: Mapping[str, str]) -> Html | None:
    """A link to what comes after this page of the list, if there is more."""
    return None if cursor is None else element("p", link(text, address(path, {**chosen, "cursor": cursor})))
