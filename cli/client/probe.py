"""Asks a server over HTTP for one answer, without waiting for long."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 3


@dataclass(frozen=True)
class Answer:
    """What came back; `document` is empty unless it was a JSON object."""

    status: int
    document: dict[str, Any]

    @property
    def release(self) -> str | None:
        """The release of the platform, when this is its answer to /version."""
        release = self.document.get("platform")
        return release if self.status == 200 and isinstance(release, str) else None


def ask(url: str, path: str) -> Answer | None:
    """The answer to a GET; None when nothing listens there.

    Raises:
        TimeoutError: when something listens and says nothing.
        http.client.HTTPException: when it speaks, but not HTTP.
    """
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
    try:
        connection.request("GET", parts.path.rstrip("/") + path)
        response = connection.getresponse()
        return Answer(response.status, _object(response.read()))
    except TimeoutError:
        raise
    except OSError:
        return None
    finally:
        connection.close()


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
