"""Fetches the next chunk of a file while this one is worked on, and joins those that are too small for that."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa

# Each chunk of a column costs some calls, however few rows it has: those of wide tables are joined, up to this size.
_ENOUGH_ROWS, _MOST_BYTES = 4_096, 64 * 2**20
# So many chunks wait at most: more than one, since some take longer to use than others.
_AHEAD = 2


def ahead(chunks: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows; chunks are fetched in a thread of their own while the one before them is in use."""
    joined = _joined(chunks)
    with ThreadPoolExecutor(1) as pool:
        coming = deque(pool.submit(next, joined, None) for _ in range(_AHEAD))
        while (chunk := coming.popleft().result()) is not None:
            coming.append(pool.submit(next, joined, None))
            yield chunk


def _joined(chunks: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for chunk in chunks:
        if waiting and (chunk.schema != waiting[0].schema or size + chunk.nbytes > _MOST_BYTES):
            yield _one(waiting)
            waiting, rows, size = [], 0, 0
        waiting.append(chunk)
        rows, size = rows + chunk.num_rows, size + chunk.nbytes
        if rows >= _ENOUGH_ROWS:
            yield _one(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield _one(waiting)


def _one(chunks: list[pa.RecordBatch]) -> pa.RecordBatch:
    # To join copies, also where there is nothing to join.
    return chunks[0] if len(chunks) == 1 else pa.concat_batches(chunks)
