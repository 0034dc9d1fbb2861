"""Lines of the access log, written many at a time: writing each by itself would cost more than a prediction."""

import asyncio
import json
import logging
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from select import PIPE_BUF
from typing import NamedTuple

_SECONDS = 0.1
# Few enough that writing them holds up no request for long.
_MOST = 100


class AccessLine(NamedTuple):
    """One request that was answered; `moment` is when it ended, in seconds since 1970."""

    request_id: str
    client: str | None
    method: str
    path: str
    status: int
    seconds: float
    moment: float


class AccessLines:
    """Keeps lines for a moment, and writes them in the form of the log's event `request`. Belongs to one event loop."""

    def __init__(self, name: str) -> None:
        """The lines name the logger `name`, and are written if its level is INFO or lower."""
        self._name = name
        self._logger = logging.getLogger(name)
        self._waiting: list[AccessLine] = []

    def add(self, *, request_id: str, client: str | None, method: str, path: str, status: int, seconds: float) -> None:
        """Note a request; its line is written within a tenth of a second."""
        self._waiting.append(AccessLine(request_id, client, method, path, status, seconds, time.time()))
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(_SECONDS, self.write)
        elif len(self._waiting) >= _MOST:
            self.write()

    def write(self) -> None:
        """Write the lines that wait."""
        waiting, self._waiting = self._waiting, []
        if waiting and self._logger.isEnabledFor(logging.INFO):
            for piece in _pieces([self._written(line) for line in waiting]):
                sys.stderr.write(piece)
                sys.stderr.flush()

    def _written(self, line: AccessLine) -> str:
        moment = f"{_second(int(line.moment))}.{int(line.moment % 1 * 1e6):06d}Z"
        # A path and an address may hold anything; the rest is known to need no escapes.
        return (
            f'{{"client": {_json(line.client)}, "method": "{line.method}", "path": {_json(line.path)}, '
            f'"status": {line.status}, "seconds": {round(line.seconds, 6)}, "event": "request", '
            f'"request_id": "{line.request_id}", "level": "info", "logger": "{self._name}", "timestamp": "{moment}"}}\n'
        )


@lru_cache(maxsize=4)
def _second(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1024)
def _json(text: str | None) -> str:
    return json.dumps(text)


def _pieces(lines: list[str]) -> Iterator[str]:
    """The lines, as many together as a pipe takes at once, so that they do not mix with those of other processes."""
    piece: list[str] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > PIPE_BUF:
            yield "".join(piece)
            piece, size = [], 0
        piece.append(line)
        # They are ASCII, so this is their size in bytes.
        size += len(line)
    if piece:
        yield "".join(piece)
