"""Control characters, which no table and no form field may hold: terminals obey them, and real text has none."""

import re
from typing import NamedTuple

# C0 without its white space, and DEL; Python and Arrow read the pattern alike. C1 is allowed: the quotes and dashes of
# Windows-1252 become C1 where a file is read as Latin-1.
PATTERN = r"[\x00-\x08\x0e-\x1f\x7f]"
_CONTROL = re.compile(PATTERN)
CONTROLS = bytes(code for code in range(128) if _CONTROL.match(chr(code)))


class Control(NamedTuple):
    """A control character: where it is in its text, and how a sentence names it."""

    position: int
    name: str


def find_control(text: str | bytes) -> Control | None:
    """The first character of a text, or byte of a text in UTF-8, that is refused; None if all is well."""
    if isinstance(text, bytes):
        # Several times faster than the pattern, which matters for whole files.
        if len(text.translate(None, delete=CONTROLS)) == len(text):
            return None
        text = text.decode("latin-1")
    elif text.isprintable():
        return None
    found = _CONTROL.search(text)
    return found and Control(found.start(), f"the control character U+{ord(found[0]):04X}")
