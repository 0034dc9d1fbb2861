"""The profile of a dataset as a page: what is in each column, what the reading tells, and the first rows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fastapi.responses import HTMLResponse

from api.pages.charts.spread import bar, histogram, most_of
from api.pages.frame import page, shown_time
from api.pages.markup import Content, Html, element, facts, link, table, together
from api.pages.measures import value_range
from api.pages.relations import relations_section
from api.schemas.profile import DatasetProfile, ProfiledColumn
from shared.tables.columns import ColumnKind
from shared.tables.findings import Finding
from shared.tables.reading import Reading

# The most columns and findings that the page shows; JSON has all.
_MOST_COLUMNS = 100
_MOST_FINDINGS = 200
_MOST_CELLS = 30
_LONGEST_CELL = 60
_MOST_SHOWN = 5
_MARKS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "blank", ".": "point", "'": "apostrophe"}


def page_of_profile(profile: DatasetProfile) -> HTMLResponse:
    """One version of a dataset, column by column."""
    shown = profile.columns[:_MOST_COLUMNS]
    more = len(profile.columns) - len(shown)
    sections = [part for column in shown for part in _section(column, profile)]
    return page(
        f"{profile.name}, version {profile.version}",
        facts(
            ("Rows", f"{profile.rows:,}"),
            ("Columns", f"{len(profile.columns):,}"),
            ("Read as", read_as(profile.reading)),
            ("Uploaded", shown_time(profile.created_at)),
            ("Changed", _diff(profile)),
        ),
        _findings(profile.findings),
        relations_section(profile),
        _first_rows(profile),
        element("h2", "Columns"),
        element("p", _looked_at(profile)),
        *sections,
        element("p", f"There are {more:,} more columns; the JSON has them.") if more else None,
    )


def _diff(profile: DatasetProfile) -> Html | None:
    if profile.version == 1:
        return None
    return link("since the version before", f"/datasets/{profile.name}/diff?to={profile.version}")


def read_as(reading: Reading) -> str:
    """How a file was read, in a line."""
    parts = [
        reading.format,
        f"sheet {reading.sheet}" if reading.sheet else None,
        _mark("delimiter", reading.delimiter),
        reading.encoding,
        _mark("decimal", reading.decimal),
        _mark("thousands", reading.thousands),
        f"names in line {reading.header_line}" if reading.header_line else None,
        reading.compression,
        _gap_words(reading.gap_words),
        f"kinds {_first([f'{name}: {kind}' for name, kind in reading.kinds.items()])}" if reading.kinds else None,
        None if reading.rules > 1 else "by the rules of an older release",
    ]
    return ", ".join(part for part in parts if part)


def shown_cell(value: Any) -> str:
    """A value in a cell of a page: shortened, and nothing where it is missing."""
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


def _gap_words(words: list[str] | None) -> str | None:
    if words is None:
        return None
    return f"gap words {_first([shown_cell(word) for word in words])}" if words else "no gap words"


def _first(texts: list[str]) -> str:
    more = [f"{len(texts) - _MOST_SHOWN} more"] if len(texts) > _MOST_SHOWN else []
    return f"({', '.join([*texts[:_MOST_SHOWN], *more])})"


def _mark(name: str, mark: str | None) -> str | None:
    return None if mark is None else f"{name} {_MARKS.get(mark, mark)}"


def _looked_at(profile: DatasetProfile) -> str:
    if profile.rows_looked_at >= profile.rows:
        return "Pictures and frequent values are of all rows."
    return f"Pictures and frequent values are of {profile.rows_looked_at:,} rows, evenly taken from the whole table."


def _findings(findings: list[Finding]) -> Html:
    if not findings:
        return element("p", "The reading found nothing to tell.")
    rows: list[list[Content]] = [
        [
            link(each.code.value, f"/findings/{each.code.value}"),
            each.column,
            None if each.line is None else f"{each.line:,}",
            each.detail,
        ]
        for each in findings[:_MOST_FINDINGS]
    ]
    more = len(findings) - len(rows)
    return together(
        table("What the reading tells", ["Finding", "Column", "Line", "What was found and done"], rows),
        element("p", f"There are {more:,} more findings; the JSON has them.") if more > 0 else None,
    )


def _first_rows(profile: DatasetProfile) -> Html | None:
    first = profile.first_rows
    names = first.columns[:_MOST_CELLS]
    rows: list[list[Content]] = [[shown_cell(cell) for cell in row[:_MOST_CELLS]] for row in first.rows]
    return table("The first rows, as they were read", names, rows) if rows else None


def _section(column: ProfiledColumn, profile: DatasetProfile) -> Iterator[Content]:
    yield element("h3", column.name)
    kind = ", ".join(filter(None, (column.kind.value, column.format, column.role)))
    share = f" ({column.missing / profile.rows:.1%})" if column.missing and profile.rows else ""
    yield facts(
        ("Kind", kind),
        ("Missing", f"{column.missing:,}{share}"),
        ("Different values", f"{column.unique:,}"),
        ("Lowest, mean, highest", value_range(column.min, column.mean, column.max)),
        ("Quantiles", _quantiles(column)),
        ("Examples", ", ".join(shown_cell(value) for value in column.examples)),
    )
    if column.histogram is not None:
        moments = column.kind is ColumnKind.DATETIME
        yield histogram(column.histogram, label=f"Values of {column.name}", moments=moments)
    if column.top:
        most = most_of(column.top)
        rows: list[list[Content]] = [
            [shown_cell(each.value), f"{each.count:,}", bar(each.count, most)] for each in column.top
        ]
        yield table(f"Frequent values of {column.name}", ["Value", "Rows", "Share"], rows)


def _quantiles(column: ProfiledColumn) -> str | None:
    if column.quantiles is None:
        return None
    moments = column.kind is ColumnKind.DATETIME
    return ", ".join(
        f"{float(share):.0%}: {_moment(value) if moments else f'{value:.6g}'}"
        for share, value in column.quantiles.items()
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
