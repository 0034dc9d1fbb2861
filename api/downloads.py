"""Files from the object store as responses: streamed, with an ETag, conditional and in single ranges."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from api.problems import RangeNotSatisfiable, problem, responses
from shared.errors import ModelUnavailable
from shared.object_store import ObjectMissing, ObjectStore

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
    """One immutable object with what is registered about it."""

    bucket: str
    key: str
    size_bytes: int
    sha256: str

    @property
    def etag(self) -> str:
        """The strong validator: equal digests are equal files."""
        return f'"{self.sha256}"'


def send(request: Request, store: ObjectStore, download: Download) -> Response:
    """The response that a request for an object gets.

    Raises:
        ModelUnavailable: when the object is missing.
        StoreUnavailable: when the object store does not answer.
    """
    headers = {
        "ETag": download.etag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{download.key}"',
        "X-Content-Type-Options": "nosniff",
    }
    if _names(request.headers.get("if-none-match", ""), download.etag):
        return Response(status_code=304, headers=headers)
    asked = _asked_range(request, download)
    start, end = asked or (0, download.size_bytes)
    if start >= end:
        refusal = RangeNotSatisfiable(f"The file has {download.size_bytes} bytes; the range asks for none of them.")
        return problem(
            refusal, request.scope["request_id"], headers={"Content-Range": f"bytes */{download.size_bytes}"}
        )
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size_bytes}"
    headers["Content-Length"] = str(end - start)
    if "head_only" in request.scope:
        return Response(status_code=206 if asked else 200, headers=headers, media_type=_MEDIA_TYPE)
    body = _chunks(store, download, start, end)
    # The first read shows whether the file is there, while an error can still be answered.
    first = next(body, b"")
    return StreamingResponse(
        chain([first], body), status_code=206 if asked else 200, headers=headers, media_type=_MEDIA_TYPE
    )


def _chunks(store: ObjectStore, download: Download, start: int, end: int) -> Iterator[bytes]:
    try:
        with store.open(download.bucket, download.key, start=start, end=end) as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
    except ObjectMissing:
        raise ModelUnavailable(f"The file '{download.key}' is missing from the object store.") from None


def _names(header: str, etag: str) -> bool:
    """Whether a list of entity tags has this one, compared weakly (RFC 9110, section 13.1.2)."""
    return header.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in header.split(",")]


def _asked_range(request: Request, download: Download) -> tuple[int, int] | None:
    """The bytes from start up to but without end that are asked for; None for all of them.

    Several ranges, and ranges of another state of the file, are answered with all of it (RFC 9110, section 14.2).
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
