"""What is wrong with requests that no application sees."""

import httptools

from api.http.errors import HeadersTooLarge, MalformedRequest, UnsupportedTransferEncoding
from shared.errors import PlatformError

MOST_HEADER_BYTES = 2**16


def wrong_headers(target: bytes, headers: list[tuple[bytes, bytes]], version: str) -> PlatformError | None:
    """Why these headers cannot be right, if they cannot; their names are in lower case."""
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
    """What the parser found, in words."""
    if isinstance(error, httptools.HttpParserCallbackError):
        return MalformedRequest("The request has a target that cannot be asked for here. One looks like /datasets.")
    # The first word of HTTP/2, which the parser names.
    if "PRI" in str(error):
        return MalformedRequest("The request is written in HTTP/2. Send it in HTTP/1.1.")
    return MalformedRequest(f"The request cannot be read as HTTP/1.1: {str(error).rstrip('.')}.")
