"""What happens to a job, while it happens: the API's server-sent events."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2

from cli.client import requests as calls
from cli.client.address import Address
from cli.client.connection import MOST_ATTEMPTS, Client, pause_after
from cli.client.errors import CommandFailed, Refused, Unreachable
from cli.client.failure import unreachable

GOING_ON = frozenset({"queued", "running"})


def follow(client: Client, job_id: str) -> Iterator[tuple[str, Any]]:
    """The events of a job as (name, data), from its beginning to its end; a broken connection is resumed.

    An answer that says the API is being restarted, its own or a gateway's, counts as a broken connection.

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
        except (httpx2.RequestError, CommandFailed) as broken:
            error = broken
        passes = isinstance(error, CommandFailed) and error.passes
        failures = failures + 1 if last == before else 1
        # What was refused would be refused again, and before the first event there is nothing to resume.
        final = isinstance(error, Refused) or not last
        if failures == MOST_ATTEMPTS or (final and not passes):
            raise _ended(client.address, error) from None
        time.sleep(pause_after(error, failures))


def _ended(address: Address, error: Exception) -> CommandFailed:
    return error if isinstance(error, CommandFailed) else unreachable(address, error)


def _after(last: str) -> dict[str, str]:
    return {"Last-Event-ID": last} if last else {}
