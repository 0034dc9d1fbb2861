"""A file on its way into the catalog: on the local disk, counted and hashed as it is written."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.scratch import scratch_errors

# A preview of a longer file reads only this much. Never to be changed: the digests of what it reads are stored.
HEAD_BYTES = 4 * 2**20

# From this size on, a disk takes longer than a thread costs.
_LARGE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Spooled:
    """A complete local file, its size, and the SHA-256 of all of it and of its first HEAD_BYTES, in hex."""

    path: Path
    size_bytes: int
    sha256: str
    head_sha256: str


@contextmanager
def written_through(file: Spooled) -> Iterator[None]:
    """Write a large file through to the disk beside the block, so that nothing waits for that when it is stored.

    Raises ScratchFull and ScratchUnavailable.
    """
    if file.size_bytes < _LARGE_BYTES:
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(_sync, file.path)
        yield
        with scratch_errors():
            written.result()


class Spool:
    """Writes one such file. Close it with `finish` or `discard`; `discard` may always be called."""

    def __init__(self, folder: Path) -> None:
        """Raises ScratchFull and ScratchUnavailable."""
        with scratch_errors():
            descriptor, name = tempfile.mkstemp(prefix="spool-", dir=folder)
        self._file = os.fdopen(descriptor, "wb")
        self._path = Path(name)
        self._hash = hashlib.sha256()
        self._head: str | None = None
        self.size_bytes = 0

    def write(self, block: bytes | bytearray) -> None:
        """Add a block. Raises ScratchFull and ScratchUnavailable."""
        left = HEAD_BYTES - self.size_bytes
        if self._head is None and len(block) >= left:
            head = self._hash.copy()
            head.update(memoryview(block)[:left])
            self._head = head.hexdigest()
        self._hash.update(block)
        self.size_bytes += len(block)
        with scratch_errors():
            self._file.write(block)

    def finish(self) -> Spooled:
        """The complete file. Raises ScratchFull and ScratchUnavailable."""
        with scratch_errors():
            self._file.close()
        whole = self._hash.hexdigest()
        return Spooled(self._path, self.size_bytes, whole, self._head or whole)

    def discard(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
        try:
            self._file.close()
        except OSError:
            # What could not be written is not wanted any more.
            return


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
