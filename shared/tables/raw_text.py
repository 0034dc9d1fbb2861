"""The bytes of a text file, uncompressed, block by block."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.errors import InvalidTable

_BLOCK_BYTES = 2**20


class RawFile:
    """A file of bytes, maybe compressed with gzip. `partial` says that it is only the beginning of a longer one.

    Reading raises InvalidTable for a damaged gzip file.
    """

    def __init__(self, path: Path, compression: str | None, *, partial: bool = False) -> None:
        self._raw = path.open("rb")
        self._packed = gzip.GzipFile(fileobj=self._raw) if compression == "gzip" else None
        self._partial = partial

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._packed is not None:
            self._packed.close()
        self._raw.close()

    @property
    def stored_bytes(self) -> int:
        """How many bytes of the file itself were read."""
        return self._raw.tell()

    def read(self, size: int) -> bytes:
        """The next block, about `size` bytes; empty at the end."""
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


def raw_blocks(path: Path, compression: str | None) -> Iterator[bytes]:
    """The bytes of a file, block by block.

    Raises:
        InvalidTable: for a damaged gzip file.
    """
    with RawFile(path, compression) as file:
        while block := file.read(_BLOCK_BYTES):
            yield block
