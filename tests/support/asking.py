"""A client that asks for predictions without a pause, and when each answer was made by which version."""

import json
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection


@dataclass(frozen=True)
class Answered:
    """One answer: between which moments it was made, and by which version."""

    sent: float
    received: float
    status: int
    version: int


def ask_on(connection: HTTPConnection, body: str) -> Answered:
    """One request to `/predict`; an answer that names no version has 0."""
    sent = time.monotonic()
    connection.request("POST", "/predict", body=body, headers={"Content-Type": "application/json"})
    response = connection.getresponse()
    document = json.loads(response.read())
    return Answered(sent, time.monotonic(), response.status, document.get("version", 0))


def ask_until(port: int, body: str, over: threading.Event, *, at_least: int) -> list[Answered]:
    """Ask on one connection, until all is over and the client's share of the requests is sent."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    answers: list[Answered] = []
    while len(answers) < at_least or not over.is_set():
        answers.append(ask_on(connection, body))
    connection.close()
    return answers
