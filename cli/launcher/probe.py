"""Asks the parts over HTTP whether they are ready."""

import http.client
import json
from typing import Any

_SECONDS = 5


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET is answered with 200."""
    return _get(host, port, path) is not None


def sees_worker(host: str, port: int) -> bool:
    """Whether the API knows of a worker."""
    body = _get(host, port, "/readyz")
    return body is not None and _read(body).get("status") == "ok"


def _read(body: bytes) -> dict[str, Any]:
    answer = json.loads(body)
    return answer if isinstance(answer, dict) else {}


def _get(host: str, port: int, path: str) -> bytes | None:
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return body if response.status == 200 else None
