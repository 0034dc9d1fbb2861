"""Predictions in processes of their own, over HTTP: what a model may do that has no compiled form."""

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.database import Database
from shared.object_store import open_store
from shared.settings import Settings
from tests.support.alive import alive
from tests.support.api_server import ApiServer
from tests.support.models import Platform, doubling, iris_forest, open_platform
from tests.support.waiting import eventually
from tests.support.wilful_model import EXIT, FAIL, KILL, PREDICT, REFUSE, SLEEP, wilful

pytestmark = pytest.mark.any_stack

IRIS = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}
DOUBLE = {"dataset_name": "double", "environment": "dev", "input_data": {"features": [[2]]}}
ROOT = Path(__file__).parents[2]


def furnish(parts: Parts, folder: Path) -> Platform:
    """A model with a form, one without, and a wilful one."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset("double"), doubling().in_form(), name="double")
    platform.train(platform.dataset(), iris_forest())
    platform.train(platform.dataset("wilful"), wilful(), name="wilful")
    return platform


def order(*cells: float) -> dict[str, Any]:
    return {"dataset_name": "wilful", "environment": "dev", "input_data": {"features": [[cell] for cell in cells]}}


def others_answer(client: TestClient) -> bool:
    double, iris = client.post("/predict", json=DOUBLE), client.post("/predict", json=IRIS)
    return bool(double.json()["predictions"] == pytest.approx([4.0]) and iris.json()["predictions"] == ["setosa"])


@pytest.mark.usefixtures("one_platform")
@pytest.mark.parametrize("cell", [EXIT, KILL])
def test_a_crash_is_told_to_who_asked_and_is_over(one_client: TestClient, cell: float) -> None:
    one_client.post("/predict", json=order(PREDICT)).raise_for_status()
    answer = one_client.post("/predict", json=order(cell))
    assert (answer.status_code, answer.json()["code"]) == (503, "predictor_ended")
    assert "ended before it answered" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    assert others_answer(one_client)
    assert one_client.post("/predict", json=order(PREDICT)).status_code == 200


def test_what_a_model_refuses_and_where_it_fails_is_told_apart(app: FastAPI, tmp_path: Path) -> None:
    with TestClient(app, raise_server_exceptions=False) as client:
        furnish(app.state.parts, tmp_path)
        refused, failed = (client.post("/predict", json=order(cell)) for cell in (REFUSE, FAIL))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_input")
    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")
    assert "nothing like it" not in failed.text


@pytest.mark.usefixtures("one_platform")
def test_rows_of_csv_are_predicted_there_too(one_client: TestClient) -> None:
    query = {"dataset_name": "wilful", "environment": "dev"}
    sent: dict[str, Any] = {"params": query, "headers": {"content-type": "text/csv"}}
    answer = one_client.post("/predict", content="x\n0\n100\n", **sent)
    assert answer.status_code == 200
    crashed = one_client.post("/predict", content=f"x\n{KILL}\n", **sent)
    assert (crashed.status_code, crashed.json()["code"]) == (503, "predictor_ended")


def test_no_process_survives_an_api_that_is_killed(
    api_settings: Settings, server_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The process that predicts loads a model of the tests.
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    store = open_store(api_settings)
    store.prepare()
    platform = open_platform(server_database, store, api_settings, tmp_path)
    platform.train(platform.dataset("wilful"), wilful(), name="wilful")
    server = ApiServer(api_settings)
    with ThreadPoolExecutor() as threads:
        server.start()
        try:
            pid = int(httpx2.post(f"{server.url}/predict", json=order(PREDICT), timeout=60).json()["predictions"][0])
            family = psutil.Process(server.pid).children(recursive=True)
            assert pid in {process.pid for process in family}
            waiting = threads.submit(httpx2.post, f"{server.url}/predict", json=order(SLEEP), timeout=60)
            eventually(lambda: psutil.Process(pid).status() == psutil.STATUS_SLEEPING)
            process = server.process
            assert process is not None
            process.send_signal(signal.SIGKILL)
            eventually(lambda: not any(map(alive, family)))
            with pytest.raises(httpx2.HTTPError):
                waiting.result()
        finally:
            server.stop()
    store.close()
