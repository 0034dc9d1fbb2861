"""The text of a file as clean UTF-8, block by block: uncompressed, without byte order mark, held to the limits."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.errors import InvalidTable, TableTooLarge
from shared.tables.controls import find_control
from shared.tables.inspected import TableLimits
from shared.tables.reading import Reading

# No honest table of this size shrinks to less than a hundredth; below it, a bomb does no harm.
_BOMB_BYTES = 256 * 2**20
_BOMB_RATIO = 100


_BLOCK_BYTES = 2**20


class EndlessLine(Exception):
    """A line is longer than any row may be."""


class NotUtf8(Exception):
    """The text is not UTF-8 after all, however it began."""


class TextFile:
    """Blocks of UTF-8 from a file that is read as `reading` says.

    `partial` says that the file is only the beginning of a longer one. Reading raises InvalidTable for a damaged
    gzip file and for binary data, TableTooLarge over the limits, and NotUtf8.
    """

    def __init__(self, path: Path, reading: Reading, limits: TableLimits, *, partial: bool = False) -> None:
        self._raw = path.open("rb")
        self._packed = gzip.GzipFile(fileobj=self._raw) if reading.compression == "gzip" else None
        self._latin = reading.encoding == "latin-1"
        self._checker = codecs.getincrementaldecoder("utf-8")()
        self._limits = limits
        self._partial = partial
        self._bytes_read = 0
        self._lines = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._packed is not None:
            self._packed.close()
        self._raw.close()

    def read(self, size: int) -> bytes:
        """The next block, about `size` bytes; empty at the end."""
        block = self._read_bytes(size)
        if not self._bytes_read:
            block = block.removeprefix(codecs.BOM_UTF8)
        self._bytes_read += len(block)
        self._check_size()
        self._check_characters(block)
        self._lines += block.count(b"\n")
        return self._as_utf8(block)

    def _read_bytes(self, size: int) -> bytes:
        if self._packed is None:
            return self._raw.read(size)
        block = bytearray()
        try:
            while len(block) < size and (piece := self._packed.read1(size - len(block))):
                block += piece
        except EOFError:
            if not self._partial:
                raise InvalidTable("The gzip file is cut off. Compress or upload it again.") from None
        except (gzip.BadGzipFile, zlib.error):
            raise InvalidTable("The gzip file is damaged. Compress or upload it again.") from None
        return bytes(block)

    def _check_size(self) -> None:
        if self._bytes_read > self._limits.max_bytes:
            raise TableTooLarge(
                f"Uncompressed, the table has more than {self._limits.max_bytes:,} bytes. Split it into smaller "
                "files, or have MLMINI_TABLE_MAX_BYTES raised.",
                limit=self._limits.max_bytes,
                setting="MLMINI_TABLE_MAX_BYTES",
            )
        if self._bytes_read > _BOMB_BYTES and self._bytes_read > self._raw.tell() * _BOMB_RATIO:
            raise TableTooLarge(
                f"The gzip file grows to more than {_BOMB_RATIO} times its size, as files made to exhaust memory do. "
                "If it is a real table, upload it uncompressed."
            )

    def _check_characters(self, block: bytes) -> None:
        nul = block.find(b"\0")
        if nul >= 0:
            line = self._lines + block[:nul].count(b"\n")
            raise InvalidTable(
                f"Line {line} holds a NUL byte, so the file is binary, damaged or UTF-16. Save it as text in UTF-8."
            )
        if not self._limits.controls and (control := find_control(block)):
            line = self._lines + block[: control.position].count(b"\n")
            raise InvalidTable(
                f"Line {line} holds {control.name}, which no table here can hold. Remove or replace all such "
                "characters, and save the file as UTF-8 if it has another encoding.",
                errors=[{"loc": ["file", line], "msg": control.name}],
            )

    def _as_utf8(self, block: bytes) -> bytes:
        if self._latin:
            return block.decode("latin-1").encode()
        if block.isascii() and not self._checker.getstate()[0] and block:
            return block
        try:
            self._checker.decode(block, final=not block and not self._partial)
        except UnicodeDecodeError:
            raise NotUtf8 from None
        return block


def split_lines(text: TextFile, *, longest: int) -> Iterator[bytes]:
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
