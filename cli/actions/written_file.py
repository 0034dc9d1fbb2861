"""Where an answer goes: a file that is there whole or not at all, or standard output."""

import codecs
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from stat import S_IMODE, S_ISREG
from typing import Any, BinaryIO, TextIO, cast

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
    if target == STANDARD:
        yield sys.stdout
        return
    with opened_bytes(target) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        try:
            yield text
        finally:
            # Whoever opened the file closes it.
            text.detach()


@contextmanager
def opened_bytes(target: str) -> Iterator[BinaryIO]:
    """The same for bytes.

    Raises:
        CommandFailed: when it cannot be written.
    """
    if target == STANDARD:
        yield cast("BinaryIO", _TerminalBytes()) if sys.stdout.isatty() else sys.stdout.buffer
        sys.stdout.flush()
        return
    # The file behind a link is written, and the link stays.
    path = Path(os.path.realpath(target))
    try:
        # A device or a pipe cannot be replaced.
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        with _replacing(path) as file:
            yield file
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}.") from None


class _TerminalBytes(io.RawIOBase):
    """A terminal that takes bytes of UTF-8: what would steer it is shown as escapes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def write(self, piece: Any, /) -> int:
        sys.stdout.write(clean(self._decoder.decode(piece)))
        return len(piece)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    draft = path.with_name(f".{path.name}.{token_hex(4)}.part")
    try:
        with draft.open("xb") as file:
            with suppress(FileNotFoundError):
                draft.chmod(S_IMODE(path.stat().st_mode))
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
