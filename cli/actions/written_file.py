"""Where an answer goes: a file that is there whole or not at all, or standard output."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE, S_ISREG
from typing import BinaryIO, TextIO

from cli.client.errors import CommandFailed
from cli.render.text import clean

STANDARD = "-"


def copy_text(pieces: Iterable[str], file: TextIO) -> None:
    """Write a text while it comes; on a terminal, what would steer it is shown as escapes."""
    on_terminal = file.isatty()
    for piece in pieces:
        file.write(clean(piece) if on_terminal else piece)
        file.flush()


def is_written_to(file: BinaryIO, target: str) -> bool:
    """Whether a file that is read is the one that is written to, under whatever name."""
    try:
        read = os.fstat(file.fileno())
        written = os.fstat(sys.stdout.fileno()) if target == STANDARD else Path(target).stat()
    except OSError:
        # There is no such file yet, or none behind the stream.
        return False
    return S_ISREG(read.st_mode) and os.path.samestat(read, written)


@contextmanager
def opened(target: str) -> Iterator[TextIO]:
    """A text file to write to; the file of this name changes only if everything went well.

    Raises:
        CommandFailed: when it cannot be written.
    """
    # The file behind a link is written, and the link stays.
    path = Path(os.path.realpath(target))
    if target == STANDARD:
        yield sys.stdout
        return
    try:
        # A device or a pipe cannot be replaced.
        if path.exists() and not path.is_file():
            with path.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        with _replacing(path) as file:
            yield file
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}.") from None


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    draft = path.with_name(f".{path.name}.{token_hex(4)}.part")
    try:
        with draft.open("x", encoding="utf-8", newline="") as file:
            with suppress(FileNotFoundError):
                draft.chmod(S_IMODE(path.stat().st_mode))
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
