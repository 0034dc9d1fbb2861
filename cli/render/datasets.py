"""Datasets as tables."""

from typing import Any

from rich.console import RenderableType

from cli.render.output import facts, sections, table
from cli.render.text import age, cell, count, moment, size


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


def _values(column: dict[str, Any]) -> str:
    rounded = f", {column['rounded']:,} rounded" if column.get("rounded") else ""
    if column.get("min") is not None:
        return f"{cell(column['min'])} to {cell(column['max'])}, mean {cell(column['mean'])}{rounded}"
    return f"{cell(column['examples'])}{rounded}"
