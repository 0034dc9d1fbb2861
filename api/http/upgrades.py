"""Requests that offer to change to another protocol, as Java's own client always does. The offer is ignored.

The parser would take it that no HTTP/1.1 follows the headers, and would leave out the body.
"""

import httptools

from api.http.header_lines import lines_of


def new_parser(protocol: object) -> httptools.HttpRequestParser:
    """A parser like those that the server makes for its connections."""
    parser = httptools.HttpRequestParser(protocol)
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def without_offer(parser: httptools.HttpRequestParser, target: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The head of a request as it was parsed, without the header that offers another protocol."""
    first = b"%s %s HTTP/%s\r\n" % (parser.get_method(), target, parser.get_http_version().encode())
    return first + lines_of(header for header in headers if header[0] != b"upgrade") + b"\r\n"
