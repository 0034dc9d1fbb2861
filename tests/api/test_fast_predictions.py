"""The short way of POST /predict: it gives the answers of the usual way, and leaves everything else to it."""

import asyncio
import functools
import gc
import json
import logging
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from api.fast import answering
from api.fast.answers import AnswerWriter
from api.fast.body import read_plain
from api.http.access_lines import AccessLines
from api.parts import Parts
from api.predicting import Predicting
from api.routes.predict import answer_of
from shared.compiled.scores import TableOfCategories
from shared.database import Database
from shared.errors import InvalidInput, ModelBusy, PlatformError, PredictionTooSlow, PredictorEnded
from shared.object_store import open_store
from shared.prediction.computing import ModelInForm
from shared.prediction.extras import Extras
from shared.settings import Settings
from tests.support.api_server import ApiServer
from tests.support.models import Fitted, Platform, doubling, iris_forest, open_platform, with_target
from tests.support.training_tables import dirty, numeric_classes, trained_once
from tests.support.two_ways import PLAIN, USUAL, both, slips
from tests.support.waiting import eventually

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
BODY: dict[str, Any] = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
WHOLE = {"age": 50, "city": "Lyon", "member": True, "since": "2024-02-29", "currency": "EUR", "remark": "none"}


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier of iris and a regression, both compiled, in dev."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset(), iris_forest().in_form())
    platform.train(platform.dataset("doubling"), doubling().in_form(), name="doubling")
    platform.train(platform.dataset("dirty"), dirty_forest(), name="dirty")
    return platform


@functools.cache
def dirty_forest() -> Fitted:
    """A forest of numbers, words, booleans and dates with gaps."""
    result = trained_once("ensemble.RandomForestClassifier", dirty(), params={"n_estimators": 5})
    return Fitted(result.model, result.facts.signature, result.facts.environment, result.compiled)


@pytest.fixture(scope="module")
def furnished(one_client: TestClient, one_parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    furnish(one_parts, tmp_path_factory.mktemp("models"))
    rows: dict[str, dict[str, Any]] = {
        "iris": {"features": ROWS},
        "doubling": {"features": [[1.0]]},
        "dirty": {"records": [WHOLE]},
    }
    # All are in memory from now on.
    for name, data in rows.items():
        body = BODY | {"dataset_name": name, "input_data": data}
        assert one_client.post("/predict", json=body).status_code == 200
    return one_client


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many rows each answer of the short way had."""
    found: list[int] = []
    answer = AnswerWriter._answer

    def count(self: AnswerWriter, rows: Any, extras: Extras) -> bytes | None:
        found.append(len(rows))
        return answer(self, rows, extras)

    with monkeypatch.context() as patched:
        patched.setattr(AnswerWriter, "_answer", count)
        yield found


REQUESTS: dict[str, dict[str, Any]] = {
    "two rows": BODY,
    "one row": BODY | {"input_data": {"features": ROWS[:1]}},
    "integers": BODY | {"input_data": {"features": [[5, 3, 1, 0]]}},
    "large integers": BODY | {"input_data": {"features": [[5, 3, 2**60 + 1, 12345678901234567890123]]}},
    "labels": BODY | {"return": ["label"]},
    "nothing to return": BODY | {"return": []},
    "probabilities": BODY | {"return": ["label", "probability"]},
    "probabilities twice": BODY | {"return": ["probability", "probability"]},
    "numbers": BODY | {"dataset_name": "doubling", "input_data": {"features": [[4], [0.1], [1e-7], [1e22]]}},
}


@pytest.mark.parametrize("asked", REQUESTS)
def test_both_ways_answer_alike(furnished: TestClient, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as found:
        short, usual = both(furnished, json.dumps(REQUESTS[asked]))
    assert short == usual
    assert short[0] == 200
    assert len(found) == 1


OTHERS: dict[str, Any] = {
    "a version": BODY | {"version": 1},
    "a target": BODY | {"target": "target"},
    "records": BODY | {"input_data": {"records": [{"sepal_length": 5.1}]}},
    "a string": BODY | {"input_data": {"features": [["5.1", 3.5, 1.4, 0.2]]}},
    "a boolean": BODY | {"input_data": {"features": [[True, 3.5, 1.4, 0.2]]}},
    "a missing value": BODY | {"input_data": {"features": [[None, 3.5, 1.4, 0.2]]}},
    "rows of two lengths": BODY | {"input_data": {"features": [[1, 2, 3, 4], [1, 2, 3]]}},
    "a row too short": BODY | {"input_data": {"features": [[1, 2, 3]]}},
    "no rows": BODY | {"input_data": {"features": []}},
    "an empty row": BODY | {"input_data": {"features": [[]]}},
    "a number too large for the trees": BODY | {"input_data": {"features": [[1e300, 1, 1, 1]]}},
    "a number that cannot be doubled": BODY | {"dataset_name": "doubling", "input_data": {"features": [[1.7e308]]}},
    "an integer too large": BODY | {"input_data": {"features": [[10**400, 1, 1, 1]]}},
    "probabilities of a regression": BODY
    | {"dataset_name": "doubling", "input_data": {"features": [[1]]}, "return": ["probability"]},
    "an unknown dataset": BODY | {"dataset_name": "nothing"},
    "an unknown environment": BODY | {"environment": "nowhere"},
    "an unknown field": BODY | {"more": 1},
    "an unknown thing to return": BODY | {"return": ["everything"]},
    "three things to return": BODY | {"return": ["label", "label", "label"]},
    "null to return": BODY | {"return": None},
    "a list": [BODY],
}


@pytest.mark.parametrize("asked", OTHERS)
def test_what_is_not_plain_is_answered_by_the_usual_way(
    furnished: TestClient, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, usual = both(furnished, json.dumps(OTHERS[asked]))
    assert short == usual


START = '{"dataset_name":"iris","environment":"dev","input_data":'
RECORDS: dict[str, list[dict[str, Any]]] = {
    "a whole row": [WHOLE],
    "gaps": [WHOLE | {"age": None, "city": None, "member": None, "since": None}],
    "a new category": [WHOLE | {"city": "Ulm"}],
    "strings": [WHOLE | {"age": "50", "since": "2024-02-29T12:00:00+02:00"}],
    "missing names": [{"age": 20}, {}],
    "the target, too": [WHOLE | {"target": "buys"}],
    "a wrong kind": [WHOLE | {"age": "fifty"}],
    "an unknown name": [WHOLE | {"ages": 50}],
    "no record": [WHOLE, 7],  # type: ignore[list-item]  # that is what is wrong
}


@pytest.mark.parametrize("sent", RECORDS)
def test_both_ways_answer_records_of_every_kind_of_column_alike(
    furnished: TestClient, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def count(*given: Any, **named: Any) -> Any:
        asked.append(1)
        return answer_of(*given, **named)

    monkeypatch.setattr(answering, "answer_of", count)
    body = {"dataset_name": "dirty", "input_data": {"records": RECORDS[sent]}, "return": ["label", "probability"]}
    short, usual = both(furnished, json.dumps(BODY | body))
    assert short == usual
    assert asked == [1]
    asked_for = BODY | {"dataset_name": "dirty", "input_data": {"records": RECORDS[sent]}, "version": 3}
    short, usual = both(furnished, json.dumps(asked_for | {"target": "target"}))
    assert short == usual


WRITTEN = {
    "a name twice": START.replace("{", '{"dataset_name":"iris",', 1) + '{"features":[[1,2,3,4]]}}',
    "rows twice": START + '{"features":[[1,2,3,4]],"features":[[1,2,3,4]]}}',
    "return twice": START + '{"features":[[1,2,3,4]]},"return":["label"],"return":["label"]}',
    "NaN": START + '{"features":[[NaN,2,3,4]]}}',
    "an integer of too many digits": START.replace("iris", "doubling") + f'{{"features":[[-{"1" * 308}]]}}}}',
    "infinity": START + '{"features":[[1e999,2,3,4]]}}',
    "a leading zero": START + '{"features":[[01,2,3,4]]}}',
    "a trailing comma": START + '{"features":[[1,2,3,4],]}}',
    "more behind it": START + '{"features":[[1,2,3,4]]}} x',
    "half a body": START + '{"features":[[1,2',
    "nothing": "",
    "white space": " \n",
}


@pytest.mark.parametrize("written", WRITTEN)
def test_what_is_not_strict_json_is_refused_as_ever(furnished: TestClient, written: str) -> None:
    short, usual = both(furnished, WRITTEN[written])
    assert short == usual
    assert short[0] in {415, 422}


def test_a_name_in_escapes_is_the_same_name(furnished: TestClient) -> None:
    short, usual = both(furnished, json.dumps(BODY).replace("dataset_name", "dataset\\u005fname"))
    assert short == usual
    assert short[0] == 200


def test_what_is_not_utf_8_is_refused_as_ever(furnished: TestClient) -> None:
    short, usual = both(furnished, json.dumps(BODY).encode().replace(b"iris", b"ir\xffs"))
    assert short == usual
    assert short[0] == 422


JSON = json.dumps(BODY | {"return": ["label", "probability"]})


@effort(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=slips(JSON))
def test_both_ways_answer_alike_to_a_body_with_a_slip(furnished: TestClient, content: bytes) -> None:
    short, usual = both(furnished, content)
    assert short == usual


@effort(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.lists(
            st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70), min_size=1, max_size=1
        ),
        min_size=1,
        max_size=5,
    )
)
def test_both_ways_read_and_write_numbers_alike(furnished: TestClient, rows: list[tuple[Any]]) -> None:
    short, usual = both(furnished, json.dumps(BODY | {"dataset_name": "doubling", "input_data": {"features": rows}}))
    assert short == usual


HEADERS: dict[str, dict[str, str]] = {
    "a page of another site": {"origin": "https://elsewhere.example", "sec-fetch-site": "cross-site"},
    "another host": {"host": "elsewhere.example"},
    "an encoding": {"content-encoding": "gzip"},
    "another media type": {"content-type": "text/plain"},
}


@pytest.mark.parametrize("sent", HEADERS)
def test_what_the_usual_way_refuses_for_its_headers_is_refused(furnished: TestClient, sent: str) -> None:
    answer = furnished.post("/predict", content=json.dumps(BODY), headers=PLAIN | HEADERS[sent])
    assert answer.status_code in {403, 415, 421}


TWICE: dict[str, list[tuple[str, str]]] = {
    "two hosts": [("host", "testserver"), ("host", "testserver")],
    "another host first": [("host", "elsewhere.example"), ("host", "testserver")],
    "two media types": [("content-type", "text/plain")],
    "two ids": [("x-request-id", "another")],
}


@pytest.mark.parametrize("sent", TWICE)
def test_what_is_given_twice_in_the_headers_is_for_the_usual_way(furnished: TestClient, sent: str) -> None:
    answers = []
    for headers in (PLAIN, USUAL):
        given = [*TWICE[sent], *headers.items(), ("x-request-id", "the-same")]
        answer = furnished.post("/predict", content=json.dumps(BODY), headers=given)
        answers.append((answer.status_code, answer.text, dict(answer.headers)))
    assert answers[0] == answers[1]


def test_the_limit_of_a_body_holds_on_both_ways(
    furnished: TestClient, one_parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = furnished.app
    assert isinstance(app, FastAPI)
    padded = json.dumps(BODY) + " " * 100
    read: list[int] = []
    monkeypatch.setattr(answering, "read_plain", lambda _content: read.append(1))
    app.state.parts = replace(
        one_parts, settings=one_parts.settings.model_copy(update={"json_max_bytes": len(padded) - 1})
    )
    try:
        # The layers of the usual way have a limit of their own, which is larger here.
        assert furnished.post("/predict", content=padded, headers=PLAIN).status_code == 200
        assert read == []
        assert furnished.post("/predict", content=padded[:-1], headers=PLAIN).status_code == 200
        assert read == [1]
    finally:
        app.state.parts = one_parts


def test_an_id_is_taken_or_made(furnished: TestClient) -> None:
    given_id = furnished.post("/predict", json=BODY, headers={"x-request-id": "mine-7"}).headers["x-request-id"]
    assert given_id == "mine-7"
    made = {furnished.post("/predict", json=BODY, headers={"x-request-id": "not one"}).headers["x-request-id"]}
    made.add(furnished.post("/predict", json=BODY).headers["x-request-id"])
    assert len(made) == 2
    assert "not one" not in made


def test_more_cells_than_allowed_go_the_usual_way(
    furnished: TestClient, one_parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counted(monkeypatch) as found:
        too_many = [[1, 2, 3, 4]] * (one_parts.settings.predict_max_cells // 4 + 1)
        assert furnished.post("/predict", json=BODY | {"input_data": {"features": too_many}}).status_code == 413
    assert found == []


@pytest.mark.parametrize("rows", [1, 100, 3_000, 40_000])
def test_what_takes_longer_is_computed_in_a_thread_with_the_same_answer(
    furnished: TestClient, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_SECONDS", 0.0)
    asked: list[Any] = []
    run = Predicting.run

    async def note(self: Predicting, place: Any, predictor: Any, act: Any) -> Any:
        asked.append(act.func.__name__)
        return await run(self, place, predictor, act)

    monkeypatch.setattr(Predicting, "run", note)
    input_data = {"features": [[(row % 70) / 7 + 1e-9 * column for column in range(4)] for row in range(rows)]}
    short, usual = both(furnished, json.dumps(BODY | {"input_data": input_data, "return": ["probability"]}))
    assert short == usual
    assert short[0] == 200
    assert asked[-1] == "answer_of"
    assert asked[0] == {1: "answer", 100: "answer", 3_000: "answer_to", 40_000: "answer_of"}[rows]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ModelBusy("Busy."), 503),
        (PredictionTooSlow("Slow.", limit=1), 503),
        # To ask again would start, and kill, another process.
        (PredictorEnded("Ended."), 503),
        (InvalidInput("Wrong.", errors=[{"loc": ["body", "input_data", "features", 0], "msg": "wrong"}]), 422),
    ],
)
def test_what_was_found_in_a_thread_is_told_and_the_model_is_not_asked_again(
    furnished: TestClient, error: PlatformError, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "MOST_SECONDS", 0.0)
    asked: list[int] = []

    async def refuse(*_given: Any) -> None:
        asked.append(1)
        raise error

    monkeypatch.setattr(Predicting, "run", refuse)
    answer = furnished.post("/predict", json=BODY, headers={"x-request-id": "mine"})
    assert answer.status_code == status
    assert answer.json()["code"] == error.code
    assert answer.headers["x-request-id"] == "mine"
    assert asked == [1]


def test_a_long_table_of_empty_records_goes_the_usual_way(
    furnished: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(*_given: object, **_named: object) -> None:
        asked.append("here")
        raise ValueError

    monkeypatch.setattr(answering, "answer_of", answer)
    for rows in (1, answering.MOST_CELLS_OF_ANY // 4 + 1):
        body = BODY | {"input_data": {"records": [{}] * rows}}
        assert furnished.post("/predict", json=body).status_code == 422
    assert asked == ["here"]


def test_a_warm_prediction_asks_neither_database_nor_store(
    furnished: TestClient, one_parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_parts.serving.close()
    calls: list[str] = []
    for owner, name in [(Database, "read"), (Database, "write"), (type(one_parts.store), "open")]:
        monkeypatch.setattr(owner, name, lambda *_given, _name=name, **_named: calls.append(_name))
    monkeypatch.setattr(type(one_parts.queue), "wake", lambda *_given, **_named: calls.append("wake"))
    with counted(monkeypatch) as found:
        for _ in range(5):
            assert furnished.post("/predict", json=BODY).status_code == 200
    assert found == [2] * 5
    assert calls == []


def test_requests_are_counted_as_those_of_the_usual_way(app: FastAPI, client: TestClient, tmp_path: Path) -> None:
    furnish(app.state.parts, tmp_path)
    for headers in (PLAIN, PLAIN, USUAL):
        assert client.post("/predict", content=json.dumps(BODY), headers=headers).status_code == 200
    metrics = client.get("/metrics").text
    labels = 'method="POST",route="/predict"'
    assert f'mlmini_http_requests_total{{{labels},status="200"}} 3.0' in metrics
    assert f"mlmini_http_request_seconds_count{{{labels}}} 3.0" in metrics


def test_a_new_version_answers_once_it_serves(app: FastAPI, client: TestClient, tmp_path: Path) -> None:
    platform = furnish(app.state.parts, tmp_path)
    assert client.post("/predict", json=BODY).json()["version"] == 1
    data = platform.dataset("more")
    platform.train(data, iris_forest(seed=3).in_form(), name="more")
    body = BODY | {"dataset_name": "more"}
    first = client.post("/predict", json=body).json()["version"]
    platform.train(data, iris_forest(seed=4).in_form(), name="more")
    eventually(lambda: client.post("/predict", json=body).json()["version"] == first + 1)
    # A second target makes the choice worth a warning, which the usual way has.
    platform.train(data, with_target(iris_forest(), "another").in_form(), name="more")
    eventually(lambda: client.post("/predict", json=body).json()["warnings"] != [])


def test_a_version_that_was_replaced_leaves_the_memory_though_nobody_asks_again(
    app: FastAPI, client: TestClient, tmp_path: Path
) -> None:
    parts: Parts = app.state.parts
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    data = platform.dataset()
    platform.train(data, iris_forest().in_form())
    assert client.post("/predict", json=BODY).status_code == 200
    replaced = weakref.ref(parts.cache.get("iris", "dev"))
    assert client.post("/predict", json=BODY).status_code == 200
    platform.train(data, iris_forest(seed=3).in_form())
    eventually(lambda: parts.cache.get("iris", "dev").version == 2)
    gc.collect()
    assert replaced() is None


def test_a_model_without_a_form_is_asked_in_a_thread(
    app: FastAPI, client: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: Parts = app.state.parts
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    platform.train(platform.dataset(), iris_forest())
    # Not by a request, which has its time: a busy machine takes long to start the first process.
    parts.cache.get("iris", "dev")
    asked: list[int] = []

    def count(*given: Any, **named: Any) -> Any:
        asked.append(1)
        return answer_of(*given, **named)

    monkeypatch.setattr(answering, "answer_of", count)
    short, usual = both(client, json.dumps(BODY))
    assert short == usual
    assert json.loads(short[1])["predictions"] == ["setosa", "virginica"]
    assert asked == [1]
    # What it refuses is said once it was asked.
    short, usual = both(client, json.dumps(BODY | {"input_data": {"features": [[1e300, 1, 1, 1]]}}))
    assert short == usual
    assert short[0] == 422


def test_a_longer_computation_is_foreseen_from_what_was_measured() -> None:
    fitted: Fitted = iris_forest(trees=100).in_form()
    assert fitted.compiled is not None
    computes = ModelInForm(fitted.compiled, fitted.signature, "RandomForestClassifier")
    assert 0 < computes.seconds(1) <= computes.seconds(100) < computes.seconds(100_000)


def test_a_model_that_refuses_the_rows_by_which_it_is_measured_is_served_all_the_same() -> None:
    result = trained_once("naive_bayes.CategoricalNB", numeric_classes())
    assert result.compiled is not None
    score = result.compiled.score
    assert isinstance(score, TableOfCategories)
    # As if training had met nothing in any but the first bin of each column.
    few = replace(score, table=score.table[:, :3].copy(), starts=np.arange(4))
    computes = ModelInForm(replace(result.compiled, score=few), result.facts.signature, "CategoricalNB")
    with pytest.raises(ValueError, match="not seen in training"):
        computes.compute(np.full((1, 3), 1e9), probabilities=False)
    computes.warm_up()
    assert computes.seconds(1) > 0


@pytest.mark.any_stack
def test_the_log_has_the_same_line_for_both_ways(
    server: ApiServer, server_database: Database, api_settings: Settings, tmp_path: Path
) -> None:
    platform = open_platform(server_database, open_store(api_settings), api_settings, tmp_path)
    platform.train(platform.dataset(), iris_forest().in_form())

    def lines() -> list[dict[str, Any]]:
        found = [json.loads(line) for line in (server.folder / "log").read_text().splitlines() if '"request"' in line]
        return [line for line in found if line["path"] == "/predict"]

    for headers in (USUAL, PLAIN):
        answer = httpx2.post(f"{server.url}/predict", content=json.dumps(BODY), headers=headers, timeout=60)
        assert answer.status_code == 200
    eventually(lambda: len(lines()) == 2)
    usual, short = lines()
    assert list(short) == list(usual)
    same = {"client", "method", "path", "status", "event", "level", "logger"}
    assert {name: short[name] for name in same} == {name: usual[name] for name in same}
    assert len(short["timestamp"]) == len(usual["timestamp"])


def test_many_lines_are_written_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    async def add_many() -> None:
        lines = AccessLines("tests.access")
        for number in range(1_001):
            lines.add(request_id=str(number), client='a"b', method="POST", path="/predict", status=200, seconds=0.1)
        assert len(capsys.readouterr().err.splitlines()) == 1_000
        await asyncio.sleep(0.3)

    logging.getLogger("tests.access").setLevel(logging.INFO)
    asyncio.run(add_many())
    (last,) = capsys.readouterr().err.splitlines()
    assert json.loads(last)["request_id"] == "1000"
    assert json.loads(last)["client"] == 'a"b'


def test_a_body_is_plain_only_if_nothing_is_left_out_of_it() -> None:
    assert read_plain(JSON.encode()) is not None
    assert read_plain(JSON.replace("iris", "ir\\u0069s").encode()) is not None
    for escape in ('\\"', "\\u0000", "\\ud83d"):
        assert read_plain(JSON.replace("iris", f"iris{escape}").encode()) is None
    assert read_plain(JSON.replace('"dev"', '"dev","environment":"dev"').encode()) is None
