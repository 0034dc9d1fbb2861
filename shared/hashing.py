"""Bytes that are counted and hashed on their way."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

CHUNK_BYTES = 2**20


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""
        ...


class Writable(Protocol):
    """What takes bytes."""

    def write(self, chunk: bytes, /) -> object:
        """Take all of them."""
        ...


class Digest(NamedTuple):
    """SHA-256 in hexadecimal, and the number of bytes that it is of."""

    sha256: str
    size_bytes: int


def chunks_of(source: Readable) -> Iterator[bytes]:
    """All that can be read, in pieces of at most a MiB."""
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def copy_hashed(chunks: Iterable[bytes], target: Writable | None = None) -> Digest:
    """Write the chunks to a target, if there is one, and return their digest and size."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += len(chunk)
        if target is not None:
            target.write(chunk)
    return Digest(digest.hexdigest(), size)


def digest_of(path: Path) -> Digest:
    """The digest of a file."""
    with path.open("rb") as file:
        return copy_hashed(chunks_of(file))
