"""Tables that fit a terminal of 80 columns without cutting anything off, and are plain columns in a pipe."""

from collections.abc import Iterable, Sequence

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from cli.show.text import cell


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> Table:
    """A table of values; the columns in `right` are numbers, those in `whole` never wrap. A `Text` keeps its style."""
    shown = Table(box=None, pad_edge=False, show_edge=False, header_style="bold underline")
    for heading in headings:
        justify: JustifyMethod = "right" if heading in right else "left"
        shown.add_column(heading, overflow="fold", justify=justify, no_wrap=heading in whole)
    for row in rows:
        shown.add_row(*(value if isinstance(value, Text) else Text(cell(value)) for value in row))
    return shown


def facts(rows: Iterable[tuple[str, object]]) -> Table:
    """Names and values, one pair per line."""
    shown = Table(box=None, show_header=False, pad_edge=False, show_edge=False)
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in rows:
        shown.add_row(Text(cell(name)), value if isinstance(value, Text) else Text(cell(value)))
    return shown


def sections(*parts: tuple[str, RenderableType] | RenderableType | None) -> Group:
    """Parts below each other with a blank line between; a part with a heading is a pair."""
    lines: list[RenderableType] = []
    for part in parts:
        if part is None:
            continue
        if lines:
            lines.append("")
        if isinstance(part, tuple):
            lines.append(Text(cell(part[0]), style="bold"))
            part = part[1]  # noqa: PLW2901 - what is left of the pair
        lines.append(part)
    return Group(*lines)


_STYLES = {"succeeded": "green", "running": "cyan", "failed": "red", "quarantined": "red", "cancelled": "yellow"}


def status(word: str) -> Text:
    """The status of a job, in its colour."""
    return Text(word, style=_STYLES.get(word, ""))
