"""What has changed between two versions of a dataset as a page: the columns that drift most first."""

from collections.abc import Iterator
from typing import Any

from fastapi.responses import HTMLResponse

from api.pages.charts.spread import both_bars, both_histograms
from api.pages.frame import page, shown_time
from api.pages.markup import Content, Html, element, facts, link, table
from api.pages.measures import value_range
from api.pages.profile import shown_cell
from api.pages.report.parts import legend
from api.schemas.diff import ComparedColumn, ComparedVersion, DatasetDiff
from shared.tables.columns import ColumnKind
from shared.tables.compared import FewOfMany, ReadingChange

# The most columns that the page shows; JSON has all.
_MOST_ROWS = 200
_MOST_SECTIONS = 60
_WORDS = {"strong": "strong drift", "some": "some drift", "none": "no drift", None: "not measured"}


def page_of_diff(diff: DatasetDiff) -> HTMLResponse:
    """Both versions, a table of the columns, and how the values of each are spread in both."""
    before, after = diff.from_.version, diff.to.version
    shown = [column for column in diff.columns if column.from_ is not None and column.to is not None]
    more = max(len(diff.columns) - _MOST_ROWS, len(shown) - _MOST_SECTIONS)
    sections = [part for column in shown[:_MOST_SECTIONS] for part in _section(column, diff)]
    return page(
        f"{diff.name}, from version {before} to {after}",
        facts(
            ("From", _version(diff.name, diff.from_)),
            ("To", _version(diff.name, diff.to)),
            ("Columns that came", _names(diff, "added")),
            ("Columns that went", _names(diff, "removed")),
            ("Read in another way", ", ".join(map(_change, diff.reading))),
            ("Drift", ", ".join(f"{count:,} {word}" for word, count in diff.drifting.items())),
        ),
        _overview(diff),
        element("h2", "Columns of both"),
        legend([f"version {before}", f"version {after}"]),
        element("p", _looked_at(diff)),
        *sections,
        element("p", f"Up to {more:,} more columns are not shown; the JSON has them.") if more > 0 else None,
    )


def _version(name: str, version: ComparedVersion) -> Content:
    address = f"/datasets/{name}/profile?version={version.version}"
    rows = f", {version.rows:,} {'row' if version.rows == 1 else 'rows'}, "
    return element("span", link(f"version {version.version}", address), rows, shown_time(version.created_at))


def _names(diff: DatasetDiff, state: str) -> str:
    names = [column.name for column in diff.columns if column.state == state]
    more = [f"{len(names) - 20:,} more"] if len(names) > 20 else []
    return ", ".join([*names[:20], *more])


def _overview(diff: DatasetDiff) -> Html:
    rows: list[list[Content]] = [
        [
            column.name,
            _WORDS[column.drift] if column.state in {"kept", "changed"} else column.state,
            None if column.psi is None else f"{column.psi:.3f}",
            None if column.ks is None else f"{column.ks:.3f}",
            _both(column, lambda side: f"{side.missing_share:.1%}"),
            _both(column, lambda side: f"{side.unique:,}"),
            _both(column, lambda side: None if side.mean is None else f"{side.mean:.6g}"),
        ]
        for column in diff.columns[:_MOST_ROWS]
    ]
    names = ["Column", "Drift", "PSI", "KS", "Missing", "Different values", "Mean"]
    return table("Columns, those that drift most first", names, rows)


def _both(column: ComparedColumn, tell: Any) -> str | None:
    told_of = [None if side is None else tell(side) for side in (column.from_, column.to)]
    if told_of == [None, None]:
        return None
    first, second = ("none" if text is None else text for text in told_of)
    return first if first == second else f"{first} → {second}"


def _looked_at(diff: DatasetDiff) -> str:
    if (diff.from_.rows_looked_at, diff.to.rows_looked_at) == (diff.from_.rows, diff.to.rows):
        return "Shares are of all rows."
    looked_at = f"{diff.from_.rows_looked_at:,} and {diff.to.rows_looked_at:,}"
    return f"Shares are of {looked_at} rows, evenly taken from the whole of both tables."


def _section(column: ComparedColumn, diff: DatasetDiff) -> Iterator[Content]:
    yield element("h3", column.name)
    yield facts(
        ("Drift", _drift(column)),
        ("Changed", ", ".join(map(_change, column.changes))),
        ("Kind", _both(column, lambda side: side.kind)),
        ("Missing", _both(column, lambda side: f"{side.missing:,} ({side.missing_share:.1%})")),
        ("Lowest, mean, highest", _both(column, lambda side: value_range(side.min, side.mean, side.max))),
        ("New values", _few(column.new_values)),
        ("Vanished values", _few(column.vanished_values)),
    )
    if column.histogram is not None:
        moments = column.from_ is not None and column.from_.kind == ColumnKind.DATETIME
        what = "Lengths of" if column.measured == "lengths" else "Values of"
        if column.measured == "lengths":
            yield element("p", "How many characters its texts have:")
        yield both_histograms(column.histogram, label=f"{what} {column.name}", moments=moments)
    if column.shares:
        rows: list[list[Content]] = [
            [shown_cell(each.value), f"{each.from_:.1%}", f"{each.to:.1%}", both_bars(each.from_, each.to)]
            for each in column.shares
        ]
        names = ["Value", f"Version {diff.from_.version}", f"Version {diff.to.version}", "Shares"]
        yield table(f"Frequent values of {column.name}", names, rows)


def _drift(column: ComparedColumn) -> str:
    if column.psi is None or column.chance is None:
        return f"not measured. {column.not_measured}"
    return f"{column.drift} (PSI {column.psi:.3f}; chance alone may make up to {column.chance:.3f})"


def _few(found: FewOfMany | None) -> str | None:
    if found is None or not found.count:
        return None
    more = [f"{found.count - len(found.first):,} more"] if found.count > len(found.first) else []
    return ", ".join([*map(shown_cell, found.first), *more])


def _change(change: ReadingChange) -> str:
    return f"{change.what.replace('_', ' ')}: {_said(change.from_)} → {_said(change.to)}"


def _said(value: Any) -> str:
    return "none" if value is None else shown_cell(value)
