"""The log of a job as text."""

import re
from uuid import uuid4

from fastapi.testclient import TestClient

from shared.database import Database
from tests.support.jobs import add_job, add_lines, claim_job


def test_a_log_has_a_moment_and_a_text_on_each_line(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    add_lines(api_database, claim_job(api_database, job_id), "attempt 1 started", "größer \x1b[31m× 2\nand on")  # noqa: RUF001 - the sign of multiplication is meant
    answer = client.get(f"/jobs/{job_id}/logs")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    first, second = answer.text.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z attempt 1 started", first)
    assert second.endswith("Z größer × 2 and on")  # noqa: RUF001 - the sign of multiplication is meant
    assert answer.text.endswith("\n")


def test_a_long_log_comes_whole(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    claim = claim_job(api_database, job_id)
    for count in (500, 1000, 1500):
        add_lines(api_database, claim, *map(str, range(count - 499, count + 1)), first=count - 499, most=2000)
        texts = [line.split(" ")[1] for line in client.get(f"/jobs/{job_id}/logs").text.splitlines()]
        assert texts == list(map(str, range(1, count + 1)))


def test_a_job_that_has_said_nothing_has_an_empty_log(client: TestClient, api_database: Database) -> None:
    answer = client.get(f"/jobs/{add_job(api_database)}/logs")
    assert (answer.status_code, answer.text) == (200, "")


def test_a_log_is_asked_for_by_head_too(client: TestClient, api_database: Database) -> None:
    job_id = add_job(api_database)
    add_lines(api_database, claim_job(api_database, job_id), "one")
    head, whole = client.head(f"/jobs/{job_id}/logs"), client.get(f"/jobs/{job_id}/logs")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]


def test_an_unknown_job_has_no_log(client: TestClient) -> None:
    for job_id in (str(uuid4()), "5", "x" * 300):
        answer = client.get(f"/jobs/{job_id}/logs")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")
