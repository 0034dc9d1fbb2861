"""Lines of the access log, written many at a time: to write one each time costs more than to predict."""

import asyncio
import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import NamedTuple

_SECONDS = 0.1
_MOST = 1_000


class AccessLine(NamedTuple):
    """One request that was answered; `moment` is that of its end, in seconds since 1970."""

    request_id: str
    client: str | None
    method: str
    path: str
    status: int
    seconds: float
    moment: float


class AccessLines:
    """Keeps lines for a moment and writes them as the log writes `request`. Belongs to one event loop."""

    def __init__(self, name: str) -> None:
        """The lines are said to come from the logger `name`, and are written if its level is."""
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
        """Write what waits."""
        waiting, self._waiting = self._waiting, []
        if waiting and self._logger.isEnabledFor(logging.INFO):
            sys.stderr.write("".join([self._written(line) for line in waiting]))
            sys.stderr.flush()

    def _written(self, line: AccessLine) -> str:
        moment = datetime.fromtimestamp(line.moment, UTC).isoformat().replace("+00:00", "Z")
        # A path and an address may hold anything; the rest is known to need no escapes.
        return (
            f'{{"client": {json.dumps(line.client)}, "method": "{line.method}", "path": {json.dumps(line.path)}, '
            f'"status": {line.status}, "seconds": {round(line.seconds, 6)}, "event": "request", '
            f'"request_id": "{line.request_id}", "level": "info", "logger": "{self._name}", "timestamp": "{moment}"}}\n'
        )
