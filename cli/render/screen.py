"""Lines for people: plain text, with colour at a terminal only.

The launcher starts without the library that draws tables, so this file does without it, too.
"""

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress

from cli.render.text import clean

# A sign at the beginning of a line: ✓ is well, ! is worth a look, ✗ is broken.
_SIGN = re.compile(r"^  ([✓!✗]) ", re.MULTILINE)
_COLOURS = {"✓": 32, "!": 33, "✗": 31}
_STYLES = {"bold": 1, "cyan": 36}


def say(text: str = "", *, style: str = "") -> None:
    """Show a line; a terminal gets it `bold` or `cyan` if asked. A reader that is gone does not end the program."""
    _write(text, sys.stdout.fileno(), style)


def complain(text: str) -> None:
    """Show a line about a failure."""
    _write(text, sys.stderr.fileno())


def tick(name: str, seconds: float, note: str = "") -> None:
    """Show that a part is ready, and how long it took."""
    say(f"  ✓ {name:<10}{seconds:6.1f} s  {note}".rstrip())


def columns(rows: Iterable[tuple[str, str]]) -> None:
    """Show names and what they stand for in two columns."""
    for name, value in rows:
        say(f"  {name:<12}{value}")


def _write(text: str, descriptor: int, style: str = "") -> None:
    if os.isatty(descriptor):
        text = _shown(text, style)
    # Past Python's buffers, which would raise once more at exit when the reader of a pipe is gone.
    with suppress(OSError):
        os.write(descriptor, f"{text}\n".encode())


def _shown(text: str, style: str) -> str:
    """The text as a terminal gets it: nothing in it steers the terminal, except for our own colours."""
    text = clean(text)
    if "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb":
        return text
    text = _SIGN.sub(lambda sign: f"  \033[{_COLOURS[sign[1]]}m{sign[1]}\033[0m ", text)
    return f"\033[{_STYLES[style]}m{text}\033[0m" if style else text
