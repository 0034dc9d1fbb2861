"""Where a verb's answers go: to standard output, as tables or as JSON. The rest goes to standard error."""

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.render.text import cell, clean, json_text

# In a pipe no line is broken and nothing is cut off.
_ENDLESS = 10**9

Show = Callable[[Any], RenderableType]


_STYLES = {"succeeded": "green", "running": "cyan", "failed": "red", "quarantined": "red", "cancelled": "yellow"}


class Output:
    """The two streams of a verb; with `as_json`, standard output has the API's JSON and nothing else."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _console(sys.stdout)
        self.err = _console(sys.stderr)

    def give(self, document: Any, show: Show) -> None:
        """Give the answer of a verb, in the form that was asked for."""
        if self.as_json:
            self.write(document)
        else:
            self.show(show(document))

    def write(self, document: Any) -> None:
        """Give a document as JSON: indented on a terminal, one line in a pipe."""
        indent = 2 if self.out.is_terminal else None
        sys.stdout.write(json_text(document, indent=indent) + "\n")
        sys.stdout.flush()

    def show(self, content: RenderableType) -> None:
        """Show something to people."""
        if self.out.is_terminal:
            self.out.print(content)
            return
        # Rich fills lines up with blanks, which are noise in a file.
        buffer = io.StringIO()
        Console(file=buffer, width=_ENDLESS, markup=False, highlight=False, emoji=False).print(content)
        sys.stdout.write("".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines()))
        sys.stdout.flush()

    def tell(self, sentence: str) -> None:
        """Tell what is going on, beside the answer."""
        self.err.print(clean(sentence), soft_wrap=True)


def _console(file: Any) -> Console:
    # Names and values of clients are shown as they are, whatever rich would make of their brackets.
    return Console(file=file, markup=False, highlight=False, emoji=False)


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


def status(word: str) -> Text:
    """The status of a job, in its colour."""
    return Text(word, style=_STYLES.get(word, ""))
