"""What a job has written."""

import sys
from typing import Any

from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.events import GOING_ON, follow
from cli.render.jobs import erased
from cli.render.output import Output
from cli.render.text import clean, stamp


def show_logs(client: Client, output: Output, job_id: str) -> None:
    """Give what is there, and tell why there is nothing.

    Raises:
        Refused, Unreachable: as `Client.text`.
    """
    text = client.text(calls.logs(job_id))
    _give(output, text)
    if not text:
        _tell_why_empty(output, client.get(calls.job(job_id)))


def follow_logs(client: Client, output: Output, job_id: str) -> None:
    """Give each line when it comes, and tell beside it what becomes of the job, until its end.

    Raises:
        Refused, Unreachable: as `follow`.
    """
    told, empty = "", True
    for event, data in follow(client, job_id):
        if event == "log":
            empty = False
            _give(output, f"{stamp(data['at'])} {data['text']}")
        elif event == "status" and data["status"] != told:
            told = data["status"]
            output.tell(f"Status: {told}")
            if empty and told not in GOING_ON:
                _tell_why_empty(output, data)


def _tell_why_empty(output: Output, job: dict[str, Any]) -> None:
    waiting = "The job has written nothing yet." if job["status"] in GOING_ON else None
    output.tell(erased(job) or waiting or "The job has written nothing, or its log was old and has been removed.")


def _give(output: Output, text: str) -> None:
    if output.out.is_terminal:
        text = clean(text)
    sys.stdout.write(text if not text or text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()
