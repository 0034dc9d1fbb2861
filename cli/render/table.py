"""Tables that fit the screen: lines are wrapped between words, and only a long name is broken."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.table import Table
from rich.text import Text

from cli.render.text import cell

# How many blanks part two columns.
GAP = 2
# A longer word is a name, which may be broken into parts of this width.
_WORD = 12


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    dropped: Sequence[str] = (),
) -> "FittedTable":
    """A table of values: those of the columns in `right` are numbers, those in `whole` are never wrapped.

    A narrow screen leaves out the columns in `dropped`, the first of them first. A `Text` keeps its style.
    """
    shown = [[value if isinstance(value, Text) else Text(cell(value)) for value in row] for row in rows]
    columns = [
        _Column(heading, [row[index] for row in shown], right=heading in right, whole=heading in whole)
        for index, heading in enumerate(headings)
    ]
    return FittedTable(columns, dropped)


class _Span(NamedTuple):
    """How narrow and how wide a column may be."""

    least: int
    most: int


class _Column:
    """A heading, what stands below it, and how narrow it may become."""

    def __init__(self, heading: str, cells: list[Text], *, right: bool, whole: bool) -> None:
        self.heading = heading
        self.cells = cells
        self.justify: JustifyMethod = "right" if right else "left"
        self.span = _span([heading, *(each.plain for each in cells)], whole=whole)


class FittedTable:
    """What `table` draws, once the width of the screen is known."""

    def __init__(self, columns: list[_Column], dropped: Sequence[str]) -> None:
        self._columns = columns
        self._dropped = dropped

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        columns = self._kept(options.max_width)
        widths = _widths([column.span for column in columns], options.max_width)
        shown = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold underline")
        for column, width in zip(columns, widths, strict=True):
            shown.add_column(column.heading, overflow="fold", justify=column.justify, width=width)
        for row in zip(*(column.cells for column in columns), strict=True):
            shown.add_row(*row)
        yield shown

    def _kept(self, width: int) -> list[_Column]:
        kept = list(self._columns)
        for heading in self._dropped:
            if _total([column.span.least for column in kept]) <= width:
                break
            kept = [column for column in kept if column.heading != heading]
        return kept


def _span(texts: list[str], *, whole: bool) -> _Span:
    most = max(map(cell_len, chain.from_iterable(text.split("\n") for text in texts)))
    if whole:
        return _Span(most, most)
    words = (min(cell_len(word), _WORD) for text in texts for word in text.split())
    # A heading is never broken.
    return _Span(max([cell_len(texts[0]), *words]), most)


def _widths(spans: list[_Span], available: int) -> list[int]:
    """The width of each column: the widest give way first, and none below its least width unless it has to be."""
    for leasts in ([span.least for span in spans], [1] * len(spans)):

        def widths(most: int, leasts: list[int] = leasts) -> list[int]:
            return [min(span.most, max(least, most)) for span, least in zip(spans, leasts, strict=True)]

        # The last of the widths at which all of them fit.
        if most := bisect_right(range(1, available + 1), available, key=lambda most: _total(widths(most))):
            return widths(most)
    return [1] * len(spans)


def _total(widths: list[int]) -> int:
    return sum(widths) + GAP * (len(widths) - 1)
