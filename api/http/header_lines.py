"""Headers as HTTP/1.1 writes them."""

from collections.abc import Iterable


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """One line for each header."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])
