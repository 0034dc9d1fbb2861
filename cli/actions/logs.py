"""What a job has written."""

import sys

from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.events import follow
from cli.render.output import Output
from cli.render.text import clean, stamp


def show_logs(client: Client, output: Output, job_id: str) -> None:
    """Give what is there.

    Raises:
        Refused, Unreachable: as `Client.text`.
    """
    _give(output, client.text(calls.logs(job_id)))


def follow_logs(client: Client, output: Output, job_id: str) -> None:
    """Give each line when it comes, and tell beside it what becomes of the job, until its end.

    Raises:
        Refused, Unreachable: as `follow`.
    """
    told = ""
    for event, data in follow(client, job_id):
        if event == "log":
            _give(output, f"{stamp(data['at'])} {data['text']}")
        elif event == "status" and data["status"] != told:
            told = data["status"]
            output.tell(f"Status: {told}")


def _give(output: Output, text: str) -> None:
    if output.out.is_terminal:
        text = clean(text)
    sys.stdout.write(text if not text or text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()
