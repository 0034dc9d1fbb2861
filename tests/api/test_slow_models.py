"""A model that is slow is slow for those who ask it, and for nobody else."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.parts import Parts
from api.server import GRACE_SECONDS
from shared.compiled.model import CompiledModel, Computed
from shared.database import Database
from shared.object_store import open_store
from shared.prediction.computing import ModelInForm
from shared.sandbox import client
from shared.settings import Settings
from tests.support import gated_api
from tests.support.api_server import ApiServer
from tests.support.arrivals import Arrivals
from tests.support.blocking_model import Gate
from tests.support.models import Platform, doubling, open_platform
from tests.support.registry import Data
from tests.support.server import running
from tests.support.waiting import eventually

pytestmark = pytest.mark.any_stack

Body = dict[str, object]

IRIS: Body = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}
SLOW: Body = {"dataset_name": "slow", "environment": "dev", "input_data": {"features": [[1]]}}
ROOT = Path(__file__).parents[2]
# More than the threads that all requests share by default.
MANY = 45
# Long for an answer that waits for nothing.
SOON = 20


class Site:
    """An application with a model of iris and one behind a gate, and clients that wait for it."""

    def __init__(self, client: TestClient, arrivals: Arrivals, platform: Platform, gate: Gate, slow: Data) -> None:
        self.client = client
        self.slow = slow
        self.arrivals = arrivals
        self.platform = platform
        self.gate = gate
        self._threads = ThreadPoolExecutor(MANY + 10)

    def ask(self, body: Body) -> "Future[httpx2.Response]":
        return self._threads.submit(self.client.post, "/predict", json=body)

    def ask_many(self, body: Body, times: int) -> "list[Future[httpx2.Response]]":
        """The answers to come of requests that have arrived."""
        before = self.arrivals.count
        asked = [self.ask(body) for _ in range(times)]
        eventually(lambda: self.arrivals.count == before + times)
        return asked

    def close(self) -> None:
        self.gate.open()
        self._threads.shutdown()


@pytest.fixture(autouse=True)
def gates_in_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Models that predict in processes of their own may reach nothing but their folder otherwise."""
    monkeypatch.setattr(client, "WRITES", (str(tmp_path),))


@contextmanager
def open_site(settings: Settings, folder: Path) -> Iterator[Site]:
    app = create_app(settings)
    arrivals = Arrivals(app)
    with TestClient(arrivals) as client:
        parts: Parts = app.state.parts
        platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
        gate = Gate(folder, "slow")
        platform.train(platform.dataset())
        slow = platform.dataset("slow")
        platform.train(slow, gate.fitted(), name="slow")
        site = Site(client, arrivals, platform, gate, slow)
        try:
            yield site
        finally:
            site.close()


@pytest.fixture
def patient(api_settings: Settings, tmp_path: Path) -> Iterator[Site]:
    """Predictions may take longer than a test does."""
    with open_site(api_settings.model_copy(update={"predict_seconds": 300}), tmp_path) as site:
        yield site


@pytest.fixture
def hasty(api_settings: Settings, tmp_path: Path) -> Iterator[Site]:
    """Predictions may take a moment only. So may loads: the first answer may be that one still goes on."""
    with open_site(api_settings.model_copy(update={"predict_seconds": 0.3}), tmp_path) as site:
        eventually(lambda: site.ask(IRIS).result(SOON).status_code == 200)
        yield site


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def until(site: Site, body: Body, wanted: str) -> httpx2.Response:
    """The first answer with a code; with none, the first prediction."""
    found: list[httpx2.Response] = []

    def ask() -> bool:
        found.append(site.ask(body).result(SOON))
        return code(found[-1])[1] == wanted

    eventually(ask)
    return found[-1]


@pytest.mark.asvs("15.2.2")
def test_many_who_wait_for_a_slow_model_hold_up_nobody_else(patient: Site) -> None:
    waiting = patient.ask_many(SLOW, MANY)
    eventually(lambda: patient.gate.begun() > 0)
    assert patient.ask(IRIS).result(SOON).json()["predictions"] == ["setosa"]
    threads = ThreadPoolExecutor()
    for path in ("/healthz", "/readyz", "/jobs", "/models", "/datasets", "/errors"):
        assert threads.submit(patient.client.get, path).result(SOON).status_code == 200, path
    patient.gate.open()
    assert {answer.result(SOON).status_code for answer in waiting} == {200}


def test_a_slow_model_predicts_for_few_at_a_time(patient: Site) -> None:
    waiting = patient.ask_many(SLOW, MANY)
    eventually(lambda: patient.gate.begun() > 0)
    # Whoever comes after them all has had a turn.
    patient.ask(IRIS).result(SOON)
    assert patient.gate.begun() < MANY / 2
    patient.gate.open()
    assert {answer.result(SOON).status_code for answer in waiting} == {200}


def test_who_finds_too_many_before_him_is_refused_at_once(
    api_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.predicting._CALLERS", MANY)
    with open_site(api_settings.model_copy(update={"predict_seconds": 300}), tmp_path) as site:
        asked = [site.ask(SLOW)]
        eventually(lambda: site.gate.begun() > 0, what="it is loaded")
        asked += site.ask_many(SLOW, MANY)
        # Whichever came last: the others wait at the gate.
        refused = next(as_completed(asked, timeout=60)).result()
        assert code(refused) == (503, "model_busy")
        assert "more requests at a time" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) > 0
        site.gate.open()
        assert Counter(answer.result(SOON).status_code for answer in asked) == {200: MANY, 503: 1}


def test_a_prediction_over_its_time_is_given_up_and_says_how_to_mend_it(hasty: Site) -> None:
    answer = until(hasty, SLOW, "prediction_too_slow")
    assert answer.status_code == 503
    assert "Send fewer rows" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0


def test_a_prediction_over_its_time_is_killed_and_the_next_one_begins_anew(hasty: Site) -> None:
    until(hasty, SLOW, "prediction_too_slow")
    eventually(lambda: "mlmini_predictions_overdue 0.0" in hasty.client.get("/metrics").text)
    begun = hasty.gate.begun()
    eventually(lambda: hasty.ask(SLOW).result(SOON) and hasty.gate.begun() > begun)
    until(hasty, IRIS, "")
    hasty.gate.open()
    until(hasty, SLOW, "")


def test_a_form_that_is_stuck_refuses_at_once_until_its_predictions_have_ended(
    hasty: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No form that is known computes for long. What it does is done in a thread of the process, which cannot be killed.
    gate, begun = threading.Event(), []

    def compute(model: CompiledModel, rows: Any, *, probabilities: bool) -> Computed:
        begun.append(model)
        gate.wait()
        return real(model, rows, probabilities=probabilities)

    real = CompiledModel.compute
    # What is known to take long is computed in a thread.
    monkeypatch.setattr(ModelInForm, "seconds", lambda *_: 1.0)
    hasty.platform.train(hasty.slow, doubling().in_form(), name="slow")
    eventually(lambda: hasty.ask(SLOW).result(SOON).json().get("predictions") == [2.0])
    monkeypatch.setattr(CompiledModel, "compute", compute)
    refused = until(hasty, SLOW, "model_busy")
    assert refused.status_code == 503
    assert "is still at predictions that took longer than 0.3 seconds" in refused.json()["detail"]
    assert int(refused.headers["retry-after"]) > 0
    share = len(begun)
    assert code(hasty.ask(SLOW).result(SOON)) == (503, "model_busy")
    assert len(begun) == share
    until(hasty, IRIS, "")
    assert f"mlmini_predictions_overdue {share}.0" in hasty.client.get("/metrics").text
    gate.set()
    until(hasty, SLOW, "")
    eventually(lambda: "mlmini_predictions_overdue 0.0" in hasty.client.get("/metrics").text)


def test_a_new_version_answers_while_the_one_before_it_is_slow(hasty: Site) -> None:
    until(hasty, SLOW, "prediction_too_slow")
    opened = Gate(hasty.platform.folder, "opened")
    opened.open()
    hasty.platform.train(hasty.slow, opened.fitted(), name="slow")
    assert until(hasty, SLOW, "").json()["version"] == 3


def test_interrupted_the_process_does_not_wait_for_a_prediction(
    api_settings: Settings, server_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process loads a model of the tests.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    store = open_store(api_settings)
    store.prepare()
    platform = open_platform(server_database, store, api_settings, tmp_path)
    gate = Gate(tmp_path, "slow")
    platform.train(platform.dataset("slow"), gate.fitted(), name="slow")
    server = ApiServer(api_settings, module=gated_api.MODULE, GATES=str(tmp_path))
    with running(server), ThreadPoolExecutor() as threads:
        threads.submit(httpx2.post, f"{server.url}/predict", json=SLOW, timeout=60)
        # The first process that predicts is forked once scikit-learn is imported.
        eventually(lambda: gate.begun() == 1, timeout=60)
        process = server.process
        assert process is not None
        process.send_signal(signal.SIGINT)
        process.wait(timeout=GRACE_SECONDS + SOON)
    store.close()
