"""The events of a job as a stream, over real connections."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID, uuid4

import httpx2
import pytest
from sqlalchemy import event

from api.live.follower import EventCursor
from api.parts import Parts
from shared.database import Database
from shared.jobs import claims, endings
from shared.jobs.acceptance import cancel
from shared.jobs.claims import Claim
from shared.settings import Settings
from tests.support.api_server import ApiServer, serving
from tests.support.events import Listener, Told, follow, going_away_after, lines_of
from tests.support.jobs import add_job, add_lines, claim_job, fail_job, finish_job
from tests.support.stack import Stack
from tests.support.waiting import eventually


class Api(NamedTuple):
    """A process of the API, as far as tests can tell."""

    url: str
    parts: Parts

    @property
    def database(self) -> Database:
        return self.parts.database


@pytest.fixture
def api(api_settings: Settings) -> Iterator[Api]:
    """A served API."""
    with serving(api_settings) as (url, parts):
        yield Api(url, parts)


@pytest.fixture(scope="module")
def one_api(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[Api]:
    """A served API for all requests that leave nothing behind."""
    with stack.settings(tmp_path_factory.mktemp("one")) as settings, serving(settings) as (url, parts):
        yield Api(url, parts)


@pytest.fixture
def other_api(api_settings: Settings) -> Iterator[Api]:
    """A second one over the same database."""
    with serving(api_settings) as (url, parts):
        yield Api(url, parts)


def succeed(database: Database, claim: Claim) -> None:
    with database.write() as session:
        claims.succeed(session, claim)
        claims.put_outcome(session, claim, result={"version": 7})


def show(database: Database, claim: Claim, percent: int, step: str) -> None:
    with database.write() as session:
        claims.report_progress(session, claim, percent=percent, step=step)


def statuses(told: list[Told]) -> list[str]:
    return [event.data["status"] for event in told if event.name == "status"]


def ended_job(database: Database, *lines: str) -> UUID:
    job_id = add_job(database)
    claim = claim_job(database, job_id)
    add_lines(database, claim, *lines)
    succeed(database, claim)
    return job_id


def test_a_job_is_told_from_its_beginning_to_its_end(api: Api) -> None:
    job_id = add_job(api.database)
    listener = Listener(api.url, job_id)
    eventually(lambda: statuses(listener.told) == ["queued"])
    claim = claim_job(api.database, job_id)
    eventually(lambda: statuses(listener.told) == ["queued", "running"])
    add_lines(api.database, claim, "one", "two")
    eventually(lambda: listener.lines == ["one", "two"])
    show(api.database, claim, 40, "fitting")
    eventually(lambda: listener.told[-1].name == "progress")
    assert listener.told[-1].data == {"percent": 40, "step": "fitting", "estimated": False}
    add_lines(api.database, claim, "three", first=3)
    succeed(api.database, claim)
    told = listener.wait()
    assert (statuses(told), lines_of(told)) == (["queued", "running", "succeeded"], ["one", "two", "three"])
    # The end is the last thing that is told, and as GET tells it.
    assert told[-1].data == httpx2.get(f"{api.url}/jobs/{job_id}", timeout=60).json()
    assert [event.id for event in told] == ["1-0", "2-0", "2-1", "2-2", "2-2", "2-3", "3-3"]


def test_whoever_comes_late_is_told_the_job_as_it_is_and_then_all_lines(api: Api) -> None:
    job_id = add_job(api.database)
    claim = claim_job(api.database, job_id)
    add_lines(api.database, claim, "one", "two")
    show(api.database, claim, 40, "fitting")
    with going_away_after(3, follow(api.url, job_id)) as told:
        assert [event.name for event in told] == ["status", "log", "log"]
        assert told[0].data == httpx2.get(f"{api.url}/jobs/{job_id}", timeout=60).json()
        assert set(told[1].data) == {"at", "text"}


def test_of_a_job_that_has_ended_the_lines_come_before_the_end(one_api: Api) -> None:
    job_id = ended_job(one_api.database, *map(str, range(450)))
    told = list(follow(one_api.url, job_id))
    assert lines_of(told) == list(map(str, range(450)))
    assert [event.name for event in told][-2:] == ["log", "status"]


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_every_end_ends_the_stream(api: Api, end: str) -> None:
    job_id = add_job(api.database)
    listener = Listener(api.url, job_id)
    eventually(lambda: listener.told)
    if end == "failed":
        fail_job(api.database, job_id)
    else:
        with api.database.write() as session:
            cancel(session, job_id)
    assert statuses(listener.wait())[-1] == end


def test_a_job_that_is_tried_again_is_told_so(api: Api) -> None:
    job_id = add_job(api.database)
    listener = Listener(api.url, job_id)
    for attempt in (1, 2):
        claim = claim_job(api.database, job_id)
        add_lines(api.database, claim, f"attempt {attempt}")
        eventually(lambda: statuses(listener.told)[-1:] == ["running"])
        with api.database.write() as session:
            endings.hand_back(session, claim)
        eventually(lambda: statuses(listener.told)[-1:] == ["queued"])
    succeed(api.database, claim_job(api.database, job_id))
    told = listener.wait()
    assert lines_of(told) == ["attempt 1", "attempt 2"]
    assert [event.data["attempts"] for event in told if event.name == "status"][-1] == 3


def test_a_client_that_comes_again_at_any_process_misses_nothing_and_hears_nothing_twice(
    api: Api, other_api: Api
) -> None:
    said = [f"line {number}" for number in range(300)]
    job_id = add_job(api.database)
    claim = claim_job(api.database, job_id)
    add_lines(api.database, claim, *said[:150])
    told: list[Told] = []
    for turn, count in enumerate([1, 2, 5, 1, 60, 80]):
        after = told[-1].id if told else None
        with going_away_after(count, follow((api, other_api)[turn % 2].url, job_id, after=after)) as heard:
            told += heard
    add_lines(api.database, claim, *said[150:], first=151)
    succeed(api.database, claim)
    with going_away_after(100, follow(api.url, job_id, after=told[-1].id)) as heard:
        told += heard
    told += list(follow(other_api.url, job_id, after=told[-1].id))
    assert lines_of(told) == said
    assert statuses(told) == ["running", "succeeded"]
    assert (
        httpx2.get(f"{api.url}/jobs/{job_id}/events", headers={"Last-Event-ID": told[-1].id}, timeout=60).status_code
        == 204
    )


@pytest.mark.any_stack
def test_whoever_was_told_the_end_is_told_not_to_come_again(one_api: Api) -> None:
    job_id = ended_job(one_api.database, "one")
    told = list(follow(one_api.url, job_id))
    for method in ("GET", "HEAD"):
        answer = httpx2.request(
            method, f"{one_api.url}/jobs/{job_id}/events", headers={"Last-Event-ID": told[-1].id}, timeout=60
        )
        assert (answer.status_code, answer.content) == (204, b"")
    # All but the last event was told: that one is still to come.
    assert statuses(list(follow(one_api.url, job_id, after=told[-2].id))) == ["succeeded"]


@pytest.mark.any_stack
@pytest.mark.parametrize(
    "last", ["x", "1", "1-", "-1-1", "1-1-1", "1.0-1", "9-0", "1-9", "1" * 30 + "-1", "\u0661-\u0661"]
)
def test_an_id_that_no_event_of_the_job_has_is_refused(one_api: Api, last: str) -> None:
    job_id = add_job(one_api.database)
    answer = httpx2.get(f"{one_api.url}/jobs/{job_id}/events", headers={b"Last-Event-ID": last.encode()}, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["loc"] == ["header", "Last-Event-ID"]
    assert "leave the header out" in answer.json()["detail"]


@pytest.mark.any_stack
def test_an_empty_id_is_none(one_api: Api) -> None:
    assert statuses(list(follow(one_api.url, ended_job(one_api.database), after=""))) == ["succeeded"]


@pytest.mark.parametrize("job_id", ["00000000-0000-0000-0000-000000000001", "5", "x"])
def test_an_unknown_job_has_no_events(one_api: Api, job_id: str) -> None:
    answer = httpx2.get(f"{one_api.url}/jobs/{job_id}/events", timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_job")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.any_stack
def test_nothing_on_the_way_may_keep_or_gather_events(one_api: Api) -> None:
    for job_id in (ended_job(one_api.database), add_job(one_api.database)):
        answer = httpx2.head(f"{one_api.url}/jobs/{job_id}/events")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")


@pytest.mark.any_stack
def test_a_comment_comes_every_fifteen_seconds_unless_a_test_is_in_a_hurry(one_api: Api) -> None:
    assert one_api.parts.following.heartbeat_seconds == 15


@pytest.mark.any_stack
def test_a_comment_shows_that_a_silent_stream_is_alive(api: Api) -> None:
    api.parts.following.heartbeat_seconds = 0.1
    job_id = add_job(api.database)
    with httpx2.stream("GET", f"{api.url}/jobs/{job_id}/events", timeout=20) as response:
        lines = response.iter_lines()
        comments = (line for line in lines if line.startswith(":"))
        assert [next(comments) for _ in range(3)] == [": ping"] * 3
        claim = claim_job(api.database, job_id)
        add_lines(api.database, claim, "one")
        assert any('"text":"one"' in line for line in lines)


@pytest.mark.any_stack
def test_a_success_is_told_only_when_this_process_serves_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = add_job(api.database)
    listeners = [Listener(api.url, job_id) for _ in range(5)]
    eventually(lambda: all(listener.told for listener in listeners))
    ready = threading.Event()
    real = api.parts.serving.catch_up

    def catch_up() -> None:
        assert ready.wait(30)
        real()

    monkeypatch.setattr(api.parts.serving, "catch_up", catch_up)
    finish_job(api.database, job_id)
    # Others are served meanwhile.
    assert statuses(list(follow(api.url, failed_job(api.database)))) == ["failed"]
    assert not any("succeeded" in statuses(listener.told) for listener in listeners)
    ready.set()
    assert {statuses(listener.wait())[-1] for listener in listeners} == {"succeeded"}


def failed_job(database: Database) -> UUID:
    job_id = add_job(database)
    fail_job(database, job_id)
    return job_id


@pytest.mark.any_stack
def test_a_client_that_goes_away_leaves_nothing_behind(api: Api) -> None:
    job_id = add_job(api.database)
    with going_away_after(1, follow(api.url, job_id)):
        assert api.parts.following.streams() == 1
    eventually(lambda: api.parts.following.streams() == 0)
    assert (api.parts.following._followers, api.parts.following._feeds) == ({}, {})
    poller = api.parts.following._poller
    assert poller is not None
    eventually(poller.done, what="nobody asks the database any more")


def test_one_poller_asks_for_all_streams_together(api: Api) -> None:
    jobs = [add_job(api.database) for _ in range(10)]
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "job_" in statement:
            asked.append(statement)

    listeners = [Listener(api.url, jobs[number % 10]) for number in range(30)]
    eventually(lambda: all(listener.told for listener in listeners), timeout=30)
    event.listen(api.database.engine, "before_cursor_execute", note)
    threading.Event().wait(1)
    event.remove(api.database.engine, "before_cursor_execute", note)
    # One query in each round, every 0.2 s or less often.
    assert 1 <= len(asked) <= 1 / 0.2 + 2
    for job_id in jobs:
        claim = claim_job(api.database, job_id)
        add_lines(api.database, claim, "one")
        succeed(api.database, claim)
    assert {tuple(lines_of(listener.wait())) for listener in listeners} == {("one",)}


@pytest.mark.any_stack
def test_a_client_that_reads_slowly_takes_no_more_memory_than_a_page(api: Api) -> None:
    job_id = ended_job(api.database, *map(str, range(1000)))
    following = api.parts.following

    async def read_slowly() -> list[int]:
        follower = following.follower(job_id, EventCursor())
        held = []
        with following.serve(follower):
            async for chunk in follower:
                assert chunk
                # Several rounds in which nothing is taken.
                await asyncio.sleep(0.5)
                held.append(len(follower._lines))
        return held

    assert max(asyncio.run(read_slowly())) <= 200


def test_without_a_database_the_streams_end_and_go_on_later(
    api: Api, api_settings: Settings, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = add_job(api.database)
    listener = Listener(api.url, job_id)
    eventually(lambda: statuses(listener.told) == ["queued"])
    with stack.without_database(api_settings):
        # What is open goes on to be read on a file that was moved.
        api.database.engine.dispose()
        told = listener.wait()
        assert httpx2.get(f"{api.url}/jobs/{job_id}/events", timeout=60).status_code == 503
    finish_job(api.database, job_id)
    assert statuses(list(follow(api.url, job_id, after=told[-1].id))) == ["succeeded"]
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.any_stack
def test_the_end_of_the_platform_ends_the_streams(api_settings: Settings) -> None:
    with serving(api_settings) as (url, parts):
        listeners = [Listener(url, add_job(parts.database)) for _ in range(5)]
        eventually(lambda: all(listener.told for listener in listeners))
    for listener in listeners:
        assert statuses(listener.wait()) == ["queued"]
    assert parts.following.streams() == 0


@pytest.mark.any_stack
def test_unknown_query_parameters_are_refused(one_api: Api) -> None:
    answer = httpx2.get(f"{one_api.url}/jobs/{uuid4()}/events?lastEventId=1-0", timeout=60)
    assert answer.status_code == 422


@pytest.mark.any_stack
def test_a_stream_is_counted_among_the_metrics(api: Api) -> None:
    with going_away_after(1, follow(api.url, add_job(api.database))):
        assert "mlmini_event_streams 1.0" in httpx2.get(f"{api.url}/metrics", timeout=60).text


def end_of(server: ApiServer) -> float:
    """How many seconds the process takes to stop when it is asked to."""
    assert server.process is not None
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(timeout=20)
    return time.monotonic() - began


def test_a_process_that_is_asked_to_stop_ends_its_streams_and_then_itself(
    server: ApiServer, server_database: Database
) -> None:
    listeners = [Listener(server.url, add_job(server_database)) for _ in range(5)]
    eventually(lambda: all(listener.told for listener in listeners))
    assert end_of(server) < 8
    assert [statuses(listener.wait()) for listener in listeners] == [["queued"]] * 5
    assert "Traceback" not in (server.folder / "log").read_text()


@pytest.mark.any_stack
def test_a_client_that_takes_nothing_does_not_keep_a_process_from_stopping(
    server: ApiServer, server_database: Database
) -> None:
    # More than what the buffers on the way take.
    job_id = ended_job(server_database, *("🙂" * 1000 for _ in range(1000)))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(f"GET /jobs/{job_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert connection.recv(1)
        assert end_of(server) < 9
