"""What the launcher shows: plain lines, with colour on a terminal only."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress

_COLOURS = {"✓": 32, "!": 33, "✗": 31}


def say(text: str = "") -> None:
    """Show a line. Nobody reading it is no reason to stop."""
    _write(text, sys.stdout.fileno())


def complain(text: str) -> None:
    """Show a line about something that went wrong."""
    _write(text, sys.stderr.fileno())


def tick(name: str, seconds: float, note: str = "") -> None:
    """Show that a part is ready, and how long it took."""
    say(f"  {mark('✓')} {name:<10}{seconds:6.1f} s  {note}".rstrip())


def mark(sign: str) -> str:
    """A sign in its colour: ✓ is well, ! is worth a look, ✗ is broken."""
    return f"\033[{_COLOURS[sign]}m{sign}\033[0m" if _colours() else sign


def table(rows: Iterable[tuple[str, str]]) -> None:
    """Show names and what they stand for in two columns."""
    for name, value in rows:
        say(f"  {name:<12}{value}")


def _colours() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _write(text: str, descriptor: int) -> None:
    # Past Python's buffers, which would raise once more at exit when the reader of a pipe is gone.
    with suppress(OSError):
        os.write(descriptor, f"{text}\n".encode())
