"""Fetches the next chunk of a file while this one is worked on, and joins those that are too small for that."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

# Each chunk of a column costs some calls, however few rows it has: those of wide tables are joined, up to this size.
_ENOUGH_ROWS = 4_096
_MOST_BYTES = 32 * 2**20


def ahead(chunks: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows; each chunk is fetched in a thread of its own while the one before is in use."""
    joined = _joined(chunks)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, joined, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, joined, None)
            yield chunk


def _joined(chunks: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for chunk in chunks:
        if waiting and (chunk.schema != waiting[0].schema or size + chunk.nbytes > _MOST_BYTES):
            yield pa.concat_batches(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(chunk)
        rows, size = rows + chunk.num_rows, size + chunk.nbytes
        if rows >= _ENOUGH_ROWS:
            yield pa.concat_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.concat_batches(waiting)
