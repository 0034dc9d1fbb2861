"""Asks a server on this machine for one answer, without waiting for long.

The launcher asks its parts every few milliseconds while they start, and has to start fast itself. So this uses the
HTTP client of the standard library, not the one of `cli.client.connection`.
"""

import http.client
import json
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.hosts import is_loopback

_SECONDS = 3


@dataclass(frozen=True)
class Reply:
    """What came back; `document` is empty unless it was a JSON object."""

    status: int
    document: dict[str, Any]


def ask(url: str, path: str) -> Reply | None:
    """What answers a GET; None when nothing that speaks HTTP answers in time."""
    parts = urlsplit(url)
    place = parts.hostname or "", parts.port
    connection = (
        http.client.HTTPSConnection(*place, timeout=_SECONDS, context=_context(place[0]))
        if parts.scheme == "https"
        else http.client.HTTPConnection(*place, timeout=_SECONDS)
    )
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return Reply(response.status, _object(response.read()))
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _context(host: str) -> ssl.SSLContext:
    """What checks certificates, but not on this machine: nothing secret is sent, and the name in it is another one."""
    context = ssl.create_default_context()
    if is_loopback(host):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
