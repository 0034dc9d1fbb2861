"""The text of a file as clean UTF-8, block by block: uncompressed, without byte order mark, held to the limits."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from shared.errors import InvalidTable, ReadingRefused, TableTooLarge
from shared.tables.controls import find_control
from shared.tables.inspected import TableLimits
from shared.tables.raw_text import RawFile
from shared.tables.reading import Reading
from shared.tables.text_bytes import count_line_feeds, has_controls

# No honest table of this size shrinks to less than a hundredth; below it, a bomb does no harm.
_BOMB_BYTES = 256 * 2**20
_BOMB_RATIO = 100


_BLOCK_BYTES = 2**20

# Closes a file of old systems, and means nothing since.
_END_OF_FILE = b"\x1a"
# So few are looked at first: to strip a whole block copies it.
_END_BYTES = 64


class EndlessLine(Exception):
    """A line is longer than any row may be."""


class NotUtf8(Exception):
    """The text is not UTF-8 after all, however it began."""


class TextFile:
    """Blocks of UTF-8 from a file that is read as `reading` says.

    `partial` says that the file is only the beginning of a longer one. Reading raises InvalidTable for a damaged
    gzip file and for binary data, TableTooLarge over the limits, NotUtf8, and ReadingRefused when the text is not in
    another encoding that the reading names.
    """

    def __init__(self, path: Path, reading: Reading, limits: TableLimits, *, partial: bool = False) -> None:
        self._file = RawFile(path, reading.compression, partial=partial)
        self._encoding = reading.encoding or "utf-8"
        self._is_utf8 = codecs.lookup(self._encoding).name in {"utf-8", "utf-8-sig"}
        self._decoder = codecs.getincrementaldecoder("utf-8" if self._is_utf8 else self._encoding)()
        self._limits = limits
        self._partial = partial
        self._bytes_read = 0
        self._lines = 1
        self._waiting = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, size: int) -> bytes:
        """The next block, about `size` bytes; empty at the end."""
        while raw := self._next(size):
            is_first = not self._bytes_read
            self._bytes_read += len(raw)
            self._check_size()
            block = self._as_utf8(raw)
            if is_first:
                block = block.removeprefix(codecs.BOM_UTF8)
            self._check_characters(block)
            self._lines += count_line_feeds(block)
            if block:
                return block
        return self._as_utf8(b"")

    def _next(self, size: int) -> bytes:
        """The next bytes of the file, without the mark that old systems put at its end."""
        block, self._waiting = self._waiting, b""
        block = block or self._file.read(size)
        end = block[-_END_BYTES:].rstrip() or block.rstrip()
        if end.endswith(_END_OF_FILE):
            self._waiting = self._file.read(size)
            if not self._waiting and not self._partial:
                block = block.rstrip().removesuffix(_END_OF_FILE)
        return block

    def _check_size(self) -> None:
        if self._bytes_read > self._limits.max_bytes:
            raise TableTooLarge(
                f"Uncompressed, the table has more than {self._limits.max_bytes:,} bytes. Split it into smaller "
                "files, or have MLMINI_TABLE_MAX_BYTES raised.",
                limit=self._limits.max_bytes,
                setting="MLMINI_TABLE_MAX_BYTES",
            )
        if self._bytes_read > _BOMB_BYTES and self._bytes_read > self._file.stored_bytes * _BOMB_RATIO:
            raise TableTooLarge(
                f"The gzip file grows to more than {_BOMB_RATIO} times its size, as files made to exhaust memory do. "
                "If it is a real table, upload it uncompressed."
            )

    def _check_characters(self, block: bytes) -> None:
        if not has_controls(block):
            return
        nul = block.find(b"\0")
        if nul >= 0:
            line = self._lines + block[:nul].count(b"\n")
            raise InvalidTable(
                f"Line {line} holds a NUL byte, so the file is binary, damaged or UTF-16 without a mark. Save it as "
                "text in UTF-8; at an upload, 'encoding' may say what it is, such as utf-16-le."
            )
        if not self._limits.controls and (control := find_control(block)):
            line = self._lines + block[: control.position].count(b"\n")
            raise InvalidTable(
                f"Line {line} holds {control.name}, which no table here can hold. Remove or replace all such "
                "characters, and save the file as UTF-8 if it has another encoding.",
                errors=[{"loc": ["file", line], "msg": control.name}],
            )

    def _as_utf8(self, block: bytes) -> bytes:
        if self._is_utf8 and block and block.isascii() and not self._decoder.getstate()[0]:
            return block
        try:
            text = self._decoder.decode(block, final=not block and not self._partial)
        except UnicodeError as error:
            raise self._undecodable(block, error) from None
        # What a checked block holds is UTF-8 already, also where a letter goes on in the next one.
        return block if self._is_utf8 else text.encode("utf-8", "surrogatepass")

    def _undecodable(self, block: bytes, error: UnicodeError) -> Exception:
        if self._is_utf8:
            return NotUtf8()
        # There is no place where a mark is lacking at the beginning.
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = self._lines + block[: max(start, 0)].count(b"\n")
        sentence = f"not {self._encoding}"
        return ReadingRefused(
            f"Line {line} holds bytes that are not text in the encoding {self._encoding}. Send another 'encoding', or "
            "leave it out to have it found out.",
            errors=[{"loc": ["file", line], "msg": sentence}],
        )


class Blocks(Protocol):
    """What is read block by block, until an empty one."""

    def read(self, size: int, /) -> bytes:
        """The next block, about `size` bytes."""


def split_lines(text: Blocks, *, longest: int) -> Iterator[bytes]:
    """The lines of a text with their ends.

    Raises:
        EndlessLine: when one has more than `longest` bytes.
        InvalidTable, TableTooLarge, NotUtf8: as reading does.
    """
    rest = b""
    while block := text.read(_BLOCK_BYTES):
        # A carriage return at the end may be half of a line end, so the last line always waits for more.
        *whole, rest = (rest + block).splitlines(keepends=True)
        yield from whole
        if len(rest) > longest:
            raise EndlessLine
    if rest:
        yield from rest.splitlines(keepends=True)
