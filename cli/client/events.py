"""What happens to a job, while it happens: the API's server-sent events."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2

from cli.client import calls
from cli.client.connection import LONGEST_PAUSE, MOST_ATTEMPTS, Client
from cli.client.failures import Unreachable

GOING_ON = frozenset({"queued", "running"})


def follow(client: Client, job_id: str) -> Iterator[tuple[str, Any]]:
    """The events of a job as (name, data), from its beginning to its end; a broken connection is taken up again.

    Raises:
        Refused, Unreachable: as `Client.stream`; also when the connection breaks again and again without an event.
    """
    last, failures = "", 0
    while True:
        before = last
        try:
            with client.stream(calls.events(job_id), accept="text/event-stream", headers=_after(last)) as response:
                for event in httpx2.EventSource(response):
                    last = event.id or last
                    data: Any = event.json()
                    yield event.event, data
                    if event.event == "status" and data["status"] not in GOING_ON:
                        return
            error: Exception = Unreachable("The API ended the events of the job before the job ended.")
        except (httpx2.RequestError, Unreachable) as broken:
            error = broken
        failures = failures + 1 if last == before else 1
        # Where nothing was ever heard, nothing was lost.
        if not last or failures == MOST_ATTEMPTS:
            raise client.unreachable(error) from None
        time.sleep(min(0.5 * 2 ** (failures - 1), LONGEST_PAUSE))


def _after(last: str) -> dict[str, str]:
    return {"Last-Event-ID": last} if last else {}
