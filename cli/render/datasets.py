"""Datasets as tables."""

from collections.abc import Callable
from functools import partial
from itertools import accumulate
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from cli.render.output import facts, sections
from cli.render.reading import findings_text, reading_text
from cli.render.table import GAP, table
from cli.render.text import age, cell, count, data_text, moment, rounded, size

# How much of a digest tells versions apart, and how wide a column of a preview may be; longer cells are folded.
_DIGEST = 12
_WIDEST = 30


def dataset_list(page: dict[str, Any]) -> RenderableType:
    """The datasets of a page."""
    if not page["items"]:
        return "No datasets yet. `mlmini datasets upload FILE` adds one."
    return table(
        ["Dataset", "Version", "Rows", "Columns", "Size", "Age"],
        (
            (
                *(one["name"], one["version"], f"{one['rows']:,}", len(one["columns"])),
                *(size(one["size_bytes"]), age(one["updated_at"])),
            )
            for one in page["items"]
        ),
        right=["Version", "Rows", "Columns", "Size", "Age"],
    )


def dataset_at(address: str) -> Callable[[dict[str, Any]], RenderableType]:
    """How to show a dataset of the API at this address."""
    return partial(dataset_profile, address=address)


def dataset_profile(dataset: dict[str, Any], *, address: str = "") -> RenderableType:
    """One dataset with what is in each of its columns, or what a dry run tells of it."""
    is_stored = "location" in dataset
    place = f", {dataset['location']}" if is_stored else ""
    preview = dataset.get("preview")
    return sections(
        facts(
            [
                ("Dataset", dataset["name"]),
                ("Version", dataset["version"] if is_stored else _rehearsed(dataset["known_version"])),
                ("Table", f"{count(dataset['rows'], 'row')}, {count(len(dataset['columns']), 'column')}"),
                ("File", f"{dataset['format']}, {size(dataset['size_bytes'])}{place}"),
                ("Read as", reading_text(dataset["reading"])),
                ("SHA-256", dataset["sha256"]),
                *([("Uploaded", moment(dataset["updated_at"]))] if is_stored else []),
                *([("Description", dataset["description"])] if dataset["description"] else []),
                *([("Owner", dataset["owner"])] if dataset.get("owner") else []),
                *([("Team", dataset["team"])] if dataset.get("team") else []),
                *([("Profile", f"{address}{dataset['links']['profile']}")] if is_stored else []),
            ]
        ),
        table(
            ["Column", "Kind", "Missing", "Unique", "Values"],
            (
                (column["name"], column["kind"], column["missing"], column["unique"], _values(column))
                for column in dataset["columns"]
            ),
            right=["Missing", "Unique"],
        ),
        ("First rows", dataset_preview(preview)) if preview else None,
        findings_text(dataset.get("findings", [])),
    )


def _rehearsed(known: int | None) -> str:
    return "a new one; nothing is stored yet" if known is None else f"{known}, which is there already"


def version_list(page: dict[str, Any]) -> RenderableType:
    """The versions of a dataset on a page."""
    return table(
        ["Version", "Rows", "Columns", "Format", "Size", "Age", "SHA-256"],
        (
            (
                *(one["version"], f"{one['rows']:,}", len(one["columns"]), one["format"]),
                *(size(one["size_bytes"]), age(one["created_at"]), one["sha256"][:_DIGEST]),
            )
            for one in page["items"]
        ),
        right=["Version", "Rows", "Columns", "Size", "Age"],
    )


def dataset_preview(preview: dict[str, Any]) -> RenderableType:
    """The first rows of a dataset, whose values are shown as they are."""
    return _FirstColumns(preview["columns"], [[_shown(value) for value in row] for row in preview["rows"]])


class _FirstColumns:
    """A table of as many columns as fit, and below it the names of the others."""

    def __init__(self, names: list[str], rows: list[list[Text]]) -> None:
        self._names = [data_text(name) for name in names]
        self._rows = rows

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._fitting(options.max_width)
        yield table(self._names[:shown], (row[:shown] for row in self._rows))
        if left := self._names[shown:]:
            yield Text(f"\n{count(len(left), 'more column')}: {', '.join(left)}. A pipe and --json get all.")

    def _fitting(self, width: int) -> int:
        """How many columns fit; the first is always shown."""
        ends = accumulate(self._width(index) + GAP for index in range(len(self._names)))
        return max(1, sum(end - GAP <= width for end in ends))

    def _width(self, index: int) -> int:
        name = self._names[index]
        # A heading is never broken.
        return max(cell_len(name), min(_WIDEST, max((row[index].cell_len for row in self._rows), default=0)))


def _shown(value: object) -> Text:
    return Text(data_text(value), style="dim" if value is None else "")


def deleted(done: dict[str, Any]) -> RenderableType:
    """What was done with a dataset that is no longer in the catalog."""
    hint = " An upload of that name brings it back." if done["done"] == "archived" else ""
    return f"Dataset {cell(done['name'])} is {done['done']}.{hint}"


def _values(column: dict[str, Any]) -> str:
    lossy = f", {column['rounded']:,} rounded" if column.get("rounded") else ""
    if column.get("min") is not None:
        return f"{_bound(column, 'min')} to {_bound(column, 'max')}, mean {rounded(column['mean'])}{lossy}"
    return f"{', '.join(map(data_text, column['examples']))}{lossy}"


def _bound(column: dict[str, Any], name: str) -> str:
    value = column[name]
    return data_text(int(value) if column["kind"] == "integer" else value)
