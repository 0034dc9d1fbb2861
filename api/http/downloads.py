"""Files as responses: checked before the first byte is sent, with an ETag, conditional requests and single ranges."""

import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.http.errors import RangeNotSatisfiable
from api.http.problems import problem, responses
from shared.scratch import scratch_errors

_CHUNK_BYTES = 2**20
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_MEDIA_TYPE = "application/octet-stream"
_BINARY = {"content": {_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}

ARTIFACT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file", **_BINARY},
    206: {"description": "The part that `Range` asked for", **_BINARY},
    304: {"description": "The client has the file already"},
    **responses(416),
}


@dataclass(frozen=True)
class Download:
    """One immutable file, with what is registered about it.

    `copy` writes its bytes into a file, and raises an error unless they are those that were registered.
    """

    name: str
    size_bytes: int
    sha256: str
    copy: Callable[[BinaryIO], None]

    @property
    def etag(self) -> str:
        """The strong validator: equal digests are equal files."""
        return f'"{self.sha256}"'


def send(request: Request, download: Download, *, scratch: Path, threads: CapacityLimiter) -> Response:
    """The response to a request for a file, which is first copied to `scratch` as a whole.

    So a client gets the very bytes that were checked, whatever happens to the object meanwhile. `threads` read the copy
    while it is sent; a slow client keeps none of them.

    Raises:
        ScratchFull, ScratchUnavailable: when the copy cannot be written.
        PlatformError: as `copy` of the download does.
    """
    headers = {
        "ETag": download.etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{download.name}"',
        "X-Content-Type-Options": "nosniff",
    }
    if _names(request.headers.get("if-none-match", ""), download.etag):
        return Response(status_code=304, headers=headers)
    asked = _asked_range(request, download)
    start, end = asked or (0, download.size_bytes)
    if start >= end:
        found = RangeNotSatisfiable(f"The file has {download.size_bytes} bytes; the range asks for none of them.")
        return problem(found, request.scope["request_id"], headers={"Content-Range": f"bytes */{download.size_bytes}"})
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size_bytes}"
    headers["Content-Length"] = str(end - start)
    body = _chunks(download, start, end, scratch)
    # The file is checked before its first chunk is there, while an error can still be answered.
    first = next(body, b"")
    status = 206 if asked else 200
    if "head_only" in request.scope:
        return Response(status_code=status, headers=headers, media_type=_MEDIA_TYPE)
    chunks = _read_in(threads, chain([first], body))
    return StreamingResponse(chunks, status_code=status, headers=headers, media_type=_MEDIA_TYPE)


async def _read_in(threads: CapacityLimiter, chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await to_thread.run_sync(next, chunks, b"", limiter=threads):
        yield chunk


def _chunks(download: Download, start: int, end: int, scratch: Path) -> Iterator[bytes]:
    with ExitStack() as stack:
        with scratch_errors():
            file = stack.enter_context(tempfile.TemporaryFile(dir=scratch))
            download.copy(file)
            # This also flushes the buffer.
            file.seek(start)
        while start < end and (chunk := file.read(min(_CHUNK_BYTES, end - start))):
            start += len(chunk)
            yield chunk


def _names(header: str, etag: str) -> bool:
    """Whether a list of entity tags contains this one, by weak comparison (RFC 9110, section 13.1.2)."""
    return header.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in header.split(",")]


def _asked_range(request: Request, download: Download) -> tuple[int, int] | None:
    """The start and the end (exclusive) of the range that is asked for; None for the whole file.

    Several ranges, and ranges of another version of the file, get the whole file (RFC 9110, section 14.2).
    """
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or request.headers.get("if-range", download.etag) != download.etag:
        return None
    first, last = match.groups()
    size = download.size_bytes
    if first == "":
        return None if last == "" else (max(size - int(last), 0), size)
    if last == "":
        return min(int(first), size), size
    if int(last) < int(first):
        return None
    return min(int(first), size), min(int(last) + 1, size)
