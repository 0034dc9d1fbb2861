"""Requests that never reach the application: what is wrong with them, and the answer."""

import httptools
from starlette.datastructures import MutableHeaders
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.http.errors import HeadersTooLarge, MalformedRequest, UnsupportedTransferEncoding
from api.http.header_lines import lines_of
from api.http.middleware import add_headers
from api.http.problems import problem
from shared.errors import PlatformError

MOST_HEADER_BYTES = 2**16
MOST_HEADERS = 200


def wrong_headers(target: bytes, headers: list[tuple[bytes, bytes]], version: str) -> PlatformError | None:
    """What is wrong with these headers, if anything is; their names are in lower case."""
    size = len(target)
    encodings = []
    for name, value in headers:
        size += len(name) + len(value)
        if name == b"transfer-encoding":
            encodings.append(value.strip().lower())
    if size > MOST_HEADER_BYTES:
        return HeadersTooLarge()
    if encodings and (encodings != [b"chunked"] or version == "1.0"):
        return UnsupportedTransferEncoding()
    return None


def malformed(error: httptools.HttpParserError) -> MalformedRequest:
    """The error of the parser, in words."""
    if isinstance(error, httptools.HttpParserCallbackError):
        return MalformedRequest("The request has a target that cannot be asked for here. One looks like /datasets.")
    # PRI is the first word of HTTP/2.
    if "PRI" in str(error):
        return MalformedRequest("The request is written in HTTP/2. Send it in HTTP/1.1.")
    return MalformedRequest(f"The request cannot be read as HTTP/1.1: {str(error).rstrip('.')}.")


def host_of_target(target: bytes, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The host of a target such as `http://host/path` as a header, unless the request has the same header already."""
    _, _, rest = target.partition(b"://")
    host = rest.partition(b"/")[0]
    is_told = not rest or [value for name, value in headers if name == b"host"] == [host]
    return [] if is_told else [(b"host", host)]


def refusal(error: PlatformError, request_id: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The answer in place of the application's, which ends the connection; `headers` are those of all answers."""
    answer = problem(error, request_id, headers={"Connection": "close"})
    add_headers(MutableHeaders(raw=answer.raw_headers), request_id)
    head = lines_of([*headers, *answer.raw_headers])
    return STATUS_LINE[answer.status_code] + head + b"\r\n" + bytes(answer.body)
