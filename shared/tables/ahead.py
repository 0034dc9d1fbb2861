"""Reads the next chunk of a file while this one is worked on."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(chunks: Iterator[T]) -> Iterator[T]:
    """The same chunks, each fetched in a thread of its own while the one before is in use; two are held at a time."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, chunks, None)
            yield chunk
