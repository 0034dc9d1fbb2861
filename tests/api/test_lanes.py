"""What waits long for one thing holds up nobody who needs another."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.parts import Parts
from shared.errors import StoreUnavailable
from shared.settings import Settings
from tests.support.arrivals import Arrivals
from tests.support.busy_folders import below
from tests.support.jobs import add_job, finish_job
from tests.support.models import Platform, iris_forest
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

# More than the threads that all requests share by default.
MANY = 45
# Long for an answer that waits for nothing.
SOON = 20
UNKNOWN = {"dataset_name": "unknown", "environment": "dev", "input_data": {"features": [[1]]}}


class Stalled:
    """An application of which a part stands still until `go_on`, and clients that ask it for something."""

    def __init__(self, client: TestClient, arrivals: Arrivals, parts: Parts) -> None:
        self.client = client
        self.parts = parts
        self.go_on = threading.Event()
        self._arrivals = arrivals
        self._threads = ThreadPoolExecutor(2 * MANY)

    def stall(self, monkeypatch: pytest.MonkeyPatch, part: Any, name: str) -> None:
        """Let an act of a part wait."""

        def wait(*_given: object, **_more: object) -> None:
            self.go_on.wait(60)
            raise StoreUnavailable

        monkeypatch.setattr(part, name, wait)

    def ask(self, method: str, path: str, **more: Any) -> "Future[httpx2.Response]":
        return self._threads.submit(self.client.request, method, path, **more)

    def ask_many(self, times: int, method: str, path: str, **more: Any) -> "list[Future[httpx2.Response]]":
        """The answers to come of requests that have arrived."""
        before = self._arrivals.count
        asked = [self.ask(method, path, **more) for _ in range(times)]
        eventually(lambda: self._arrivals.count == before + times)
        return asked

    def close(self) -> None:
        self.go_on.set()
        self._threads.shutdown()


@pytest.fixture
def site(api_settings: Settings) -> Iterator[Stalled]:
    app = create_app(api_settings)
    arrivals = Arrivals(app)
    with TestClient(arrivals) as client:
        site = Stalled(client, arrivals, app.state.parts)
        try:
            yield site
        finally:
            site.close()


def upload(site: Stalled, name: str, *, size: int = 0) -> "Future[httpx2.Response]":
    content = b"a,b\n" + b"1,2\n" * (1 + size // 4)
    return site.ask("POST", "/datasets/upload", files={"file": (f"{name}.csv", content)})


def previews(site: Stalled, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    assert upload(site, "table").result(SOON).status_code == 201
    site.stall(monkeypatch, site.parts.reader, "preview")
    return "GET", "/datasets/table/preview"


def downloads(site: Stalled, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    parts = site.parts
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, parts.settings.scratch)
    platform.train(platform.dataset(), iris_forest())
    site.stall(monkeypatch, parts.store, "open")
    return "GET", "/models/1/artifact"


def acceptances(site: Stalled, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    job_id = add_job(site.parts.database)
    finish_job(site.parts.database, job_id)
    site.stall(monkeypatch, site.parts.accepting, "run")
    return "POST", f"/jobs/{job_id}/retry"


def looks_at_successes(site: Stalled, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    job_id = add_job(site.parts.database)
    finish_job(site.parts.database, job_id)
    site.stall(monkeypatch, site.parts.serving, "catch_up")
    return "GET", f"/jobs/{job_id}"


@pytest.mark.parametrize("slow", [previews, downloads, acceptances, looks_at_successes])
def test_many_who_wait_hold_up_nobody_else(
    site: Stalled, monkeypatch: pytest.MonkeyPatch, slow: Callable[[Stalled, pytest.MonkeyPatch], tuple[str, str]]
) -> None:
    waiting = site.ask_many(MANY, *slow(site, monkeypatch))
    for path in ("/healthz", "/readyz", "/metrics", "/version", "/jobs", "/datasets", "/models"):
        assert site.ask("GET", path).result(SOON).status_code == 200, path
    assert site.ask("POST", "/predict", json=UNKNOWN).result(SOON).status_code == 404
    site.go_on.set()
    assert {answer.result(SOON).status_code for answer in waiting} == {503}


@pytest.mark.asvs("15.2.2")
def test_of_too_many_previews_the_last_are_refused_at_once(site: Stalled, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = site.ask_many(MANY, *previews(site, monkeypatch))
    eventually(lambda: sum(answer.done() for answer in waiting) >= MANY / 2)
    refused = next(answer for answer in waiting if answer.done()).result()
    assert (refused.status_code, refused.json()["code"]) == (503, "reader_busy")
    assert int(refused.headers["retry-after"]) > 0
    assert not all(answer.done() for answer in waiting)


def test_large_uploads_that_wait_hold_up_no_small_one(site: Stalled, monkeypatch: pytest.MonkeyPatch) -> None:
    real = site.parts.reader.inspect

    def inspect(path: Any, options: Any) -> Any:
        if path.stat().st_size > 10_000:
            site.go_on.wait(60)
        return real(path, options)

    monkeypatch.setattr(site.parts.reader, "inspect", inspect)
    large = [upload(site, f"large_{number}", size=2 * 2**20) for number in range(6)]
    eventually(lambda: sum(status.st_size > 2**20 for status in below(site.parts.reader.folder).values()) == 6)
    assert upload(site, "small").result(SOON).status_code == 201
    site.go_on.set()
    assert {answer.result(60).status_code for answer in large} == {201}
