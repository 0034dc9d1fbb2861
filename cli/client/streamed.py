"""Answers that are long: their text as it comes."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import httpx2

from cli.client.connection import Client
from cli.client.errors import CommandFailed
from cli.client.request import Call


class StreamedText(NamedTuple):
    """The headers of an answer, and its text in pieces."""

    headers: Mapping[str, str]
    pieces: Iterator[str]


@contextmanager
def streamed_text(client: Client, call: Call, *, accept: str, content: Iterable[bytes]) -> Iterator[StreamedText]:
    """The answer to a call with this body; its pieces raise CommandFailed where it breaks off.

    Raises:
        Refused, Unreachable: as `Client.stream`.
    """
    with client.stream(call, accept=accept, content=content) as response:
        yield StreamedText(response.headers, _pieces(response))


def _pieces(response: httpx2.Response) -> Iterator[str]:
    try:
        yield from response.iter_text()
    except httpx2.RequestError:
        raise CommandFailed(
            "The answer broke off before its end: the connection was lost, or the model cannot compute with some row. "
            f"The log of the API tells more under the request id {response.headers.get('X-Request-ID')}."
        ) from None


class StreamedBytes(NamedTuple):
    """The headers of an answer, and its bytes in pieces."""

    headers: Mapping[str, str]
    pieces: Iterator[bytes]


@contextmanager
def streamed_bytes(client: Client, call: Call) -> Iterator[StreamedBytes]:
    """The file that answers a call; its pieces raise CommandFailed where it breaks off.

    Raises:
        Refused, Unreachable: as `Client.stream`.
    """
    with client.stream(call, accept="application/octet-stream") as response:
        yield StreamedBytes(response.headers, _bytes(response, call))


def _bytes(response: httpx2.Response, call: Call) -> Iterator[bytes]:
    try:
        yield from response.iter_bytes()
    except httpx2.RequestError:
        raise CommandFailed(
            f"The connection was lost before the end of the file. It is there still: GET {call.path}."
        ) from None
