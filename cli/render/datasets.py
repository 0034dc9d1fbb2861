"""Datasets as tables."""

from itertools import accumulate
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from cli.render.output import facts, sections, table
from cli.render.text import age, cell, count, moment, size

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


def dataset_profile(dataset: dict[str, Any]) -> RenderableType:
    """One dataset with what is in each of its columns."""
    return sections(
        facts(
            [
                ("Dataset", dataset["name"]),
                ("Version", dataset["version"]),
                ("Table", f"{count(dataset['rows'], 'row')}, {count(len(dataset['columns']), 'column')}"),
                ("File", f"{dataset['format']}, {size(dataset['size_bytes'])}, {dataset['location']}"),
                ("SHA-256", dataset["sha256"]),
                ("Uploaded", moment(dataset["updated_at"])),
                *([("Description", dataset["description"])] if dataset["description"] else []),
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
    )


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
    """The first rows of a dataset."""
    return _FirstColumns(preview["columns"], [[cell(value) for value in row] for row in preview["rows"]])


class _FirstColumns:
    """A table of as many columns as fit, and below it the names of the others."""

    def __init__(self, names: list[str], rows: list[list[str]]) -> None:
        self._names = [cell(name) for name in names]
        self._rows = rows

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._fitting(options.max_width)
        yield table(self._names[:shown], (row[:shown] for row in self._rows))
        if left := self._names[shown:]:
            yield Text(f"\n{count(len(left), 'more column')}: {', '.join(left)}. A pipe and --json get all.")

    def _fitting(self, width: int) -> int:
        """How many columns fit; the first is always shown."""
        # One blank parts two columns.
        ends = accumulate(self._width(index) + 1 for index in range(len(self._names)))
        return max(1, sum(end - 1 <= width for end in ends))

    def _width(self, index: int) -> int:
        longest = max(cell_len(text) for text in [self._names[index], *(row[index] for row in self._rows)])
        return min(longest, _WIDEST)


def deleted(done: dict[str, Any]) -> RenderableType:
    """What was done with a dataset that is no longer in the catalog."""
    hint = " An upload of that name brings it back." if done["done"] == "archived" else ""
    return f"Dataset {cell(done['name'])} is {done['done']}.{hint}"


def _values(column: dict[str, Any]) -> str:
    rounded = f", {column['rounded']:,} rounded" if column.get("rounded") else ""
    if column.get("min") is not None:
        return f"{cell(column['min'])} to {cell(column['max'])}, mean {cell(column['mean'])}{rounded}"
    return f"{cell(column['examples'])}{rounded}"
