"""From a promotion to the answers of what was promoted, by one API process or several at the same address."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx2

from bench.serving import FOREST
from tests.support.asking import Answered, ask_on, ask_until

ROW = [5.1, 3.5, 1.4, 0.2]
# The kernel deals connections out to the processes: with so many, each process has some of them.
WATCHERS = 8
CLIENTS = 4
# Between two promotions while clients ask, in seconds.
PAUSE = 0.5


class Promoted(NamedTuple):
    """Seconds until every connection was answered by what was promoted, since two moments."""

    since_request: float
    since_success: float


class Asked(NamedTuple):
    """Answers while versions were promoted: those that failed, and those by what was replaced too long ago."""

    answers: int
    failed: int
    stale: int
    # For how long a version that was replaced went on being asked for an answer, at most.
    longest: float
    times: list[float]


def train(url: str, count: int) -> list[int]:
    """Train so many forests on iris; gives their versions, which are active in dev."""
    request = {"dataset_name": "iris", "use_example": True, "model": FOREST, "target_column": "target"}
    with httpx2.Client(base_url=url, timeout=600) as client:
        jobs = [client.post("/train", json=request).raise_for_status().json()["job_id"] for _ in range(count)]
        return sorted(ended(client, job)["result"]["version"] for job in jobs)


def promote(url: str, version: int, stage: str) -> None:
    """Bring a version to the next stage, and return when it is there."""
    with httpx2.Client(base_url=url, timeout=60) as client:
        ended(client, requested(client, version, stage))


def requested(client: httpx2.Client, version: int, stage: str) -> str:
    """Ask for a promotion; gives the id of its job."""
    request = {"dataset_name": "iris", "version": version, "target_stage": stage}
    job_id: str = client.post("/promote", json=request).raise_for_status().json()["job_id"]
    return job_id


def ended(client: httpx2.Client, job_id: str) -> dict[str, Any]:
    """The job, which has succeeded."""
    while True:
        job: dict[str, Any] = client.get(f"/jobs/{job_id}", params={"wait": 30}).raise_for_status().json()
        if job["status"] == "succeeded":
            return job
        if job["status"] not in {"queued", "running"}:
            raise SystemExit(job)


def moment_of_success(job: dict[str, Any]) -> float:
    """When it was committed, on the clock that does not jump."""
    return datetime.fromisoformat(job["finished_at"]).timestamp() - time.time() + time.monotonic()


def until_served(url: str, version: int, stage: str, *, told: bool) -> Promoted:
    """Promote a version while all watch; `told` has somebody wait for the job, as a script does.

    Nobody else looks at the job before all are answered by the new version: that alone would have the API catch up.
    """
    watch = partial(moment_of_answer, urlsplit(url).port or 0, body_for(stage), version)
    with httpx2.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(WATCHERS) as threads:
        watchers = [threads.submit(watch) for _ in range(WATCHERS)]
        time.sleep(0.1)
        began = time.monotonic()
        job_id = requested(client, version, stage)
        if told:
            ended(client, job_id)
        last = max(watcher.result() for watcher in watchers)
        return Promoted(last - began, last - moment_of_success(ended(client, job_id)))


def moment_of_answer(port: int, body: str, version: int) -> float:
    """When the first answer by a version came on a connection."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = ask_on(connection, body)
        if answer.version == version:
            connection.close()
            return answer.received
        time.sleep(0.005)
    raise SystemExit(f"version {version} does not serve")


def body_for(stage: str) -> str:
    """A request for one row."""
    return json.dumps({"dataset_name": "iris", "environment": stage, "input_data": {"features": [ROW]}})


def asked_meanwhile(url: str, versions: list[int], stage: str, *, requests: int, noticed: float) -> Asked:
    """Promote versions one after the other while clients ask without a pause; nobody waits for the jobs."""
    over = threading.Event()
    ask = partial(ask_until, urlsplit(url).port or 0, body_for(stage), over, at_least=requests // CLIENTS)
    with httpx2.Client(base_url=url, timeout=60) as client, ThreadPoolExecutor(CLIENTS) as threads:
        clients = [threads.submit(ask) for _ in range(CLIENTS)]
        try:
            jobs = {}
            for version in versions:
                time.sleep(PAUSE)
                jobs[version] = requested(client, version, stage)
            time.sleep(2 * noticed)
        finally:
            over.set()
        answers = [answer for asked in clients for answer in asked.result()]
        committed = {version: moment_of_success(ended(client, job)) for version, job in jobs.items()}
    right = [answer for answer in answers if answer.status == 200]
    overdue = [overdue_by(committed, answer) for answer in right]
    return Asked(
        answers=len(answers),
        failed=len(answers) - len(right),
        stale=sum(seconds > noticed for seconds in overdue),
        longest=max(overdue),
        times=[answer.received - answer.sent for answer in answers],
    )


def overdue_by(committed: dict[int, float], answer: Answered) -> float:
    """For how many seconds the version of an answer was replaced when the request was sent; 0 if it was not."""
    newer = [moment for version, moment in committed.items() if version > answer.version]
    return max(0.0, answer.sent - min(newer, default=answer.sent))
