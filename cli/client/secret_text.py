"""Secrets as they come from outside: files for this user alone, and standard input."""

import os
import re
import shlex
import stat
from pathlib import Path

from cli.client.errors import WrongUsage

_LINE_END = re.compile(rb"\r?\n\Z")
_OF_OTHERS = 0o077


def private_bytes(path: Path, *, called: str) -> bytes:
    """What a file holds that nobody but this user can read; `called` is how errors name it.

    Raises:
        WrongUsage: when others can read it, or it is no file.
        OSError: when it cannot be read.
    """
    # A fifo must not keep the verb waiting.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise WrongUsage(f"{called}: {path} is not a file.")
        if mode & _OF_OTHERS:
            raise WrongUsage(
                f"{called}: others than you may read or change {path}. Have it for you alone: "
                f"chmod 600 {shlex.quote(str(path))}"
            )
        return file.read()


def without_line_end(given: bytes, *, called: str) -> str:
    """A text without its last line end.

    Raises:
        WrongUsage: when it is none.
    """
    try:
        return _LINE_END.sub(b"", given).decode()
    except UnicodeDecodeError:
        raise WrongUsage(f"{called}: this is not text in UTF-8.") from None
