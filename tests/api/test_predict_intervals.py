"""Intervals in predictions over HTTP: every way of asking for them gives the same, and says when there are none."""

import csv
import io
import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sklearn.linear_model import LogisticRegression

from api.fast.answers import AnswerWriter
from api.parts import Parts
from shared.prediction.extras import Extras
from tests.support.models import (
    IRIS_COLUMNS,
    LIBRARIES,
    Fitted,
    Platform,
    doubling,
    iris_forest,
    numeric_signature,
    with_promise,
)
from tests.support.two_ways import both

pytestmark = pytest.mark.any_stack

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3], [5.9, 3.0, 4.8, 1.7]]
TABLE = "\n".join([",".join(IRIS_COLUMNS), *(",".join(map(str, row)) for row in ROWS), ""])
WORDS = ["label", "probability", "interval"]
ALL_RETURNS = [list(some) for size in range(4) for some in permutations(WORDS, size)]
SEVERAL = [each for each in ALL_RETURNS if "interval" in each]
LEAST, MARGIN = 0.2, 0.25


def odd_labels() -> Fitted:
    """A classifier whose labels hold what parts cells and labels from each other."""
    labels = ["a, b", 'c"d', "e|f"]
    model = LogisticRegression().fit([[0.0], [1.0], [2.0]] * 9, labels * 9)
    return Fitted(model, numeric_signature("x", classes=model.classes_.tolist()), dict(LIBRARIES))


def furnish(parts: Parts, folder: Path) -> Platform:
    """Promising models with a compiled form and in predicting processes, and one of an older release."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset(), with_promise(iris_forest(), LEAST).in_form())
    platform.train(platform.dataset("apart"), with_promise(iris_forest(), LEAST), name="apart")
    platform.train(platform.dataset("doubling"), with_promise(doubling(), MARGIN).in_form(), name="doubling")
    platform.train(platform.dataset("doubling_apart"), with_promise(doubling(), MARGIN), name="doubling_apart")
    platform.train(platform.dataset("odd"), with_promise(odd_labels(), 0.0).in_form(), name="odd")
    platform.train(platform.dataset("older"), iris_forest().in_form(), name="older")
    return platform


@pytest.fixture(scope="module")
def furnished(one_client: TestClient, one_platform: Platform) -> TestClient:
    for name, rows in (("iris", ROWS), ("doubling", [[1.0]]), ("odd", [[1.0]]), ("older", ROWS)):
        assert ask(one_client, name, rows, ["label"]).status_code == 200
    return one_client


def ask(client: TestClient, name: str, rows: Any, returned: Sequence[str], **more: Any) -> Response:
    body = {"dataset_name": name, "environment": "dev", "input_data": {"features": rows}, "return": returned, **more}
    return client.post("/predict", json=body)


def send(client: TestClient, name: str, table: str, *, accept: str = "text/csv", **query: Any) -> Response:
    asked = {"dataset_name": name, "environment": "dev", "interval": True, **query}
    return client.post("/predict", params=asked, content=table, headers={"content-type": "text/csv", "accept": accept})


def cells(answer: Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def arithmetic(answer: dict[str, Any]) -> list[list[Any]]:
    """The sets that the probabilities of an answer make."""
    return [
        [label for label, share in zip(answer["classes"], row, strict=True) if share >= LEAST or share == max(row)]
        for row in answer["probabilities"]
    ]


@pytest.mark.parametrize("name", ["iris", "apart"])
@pytest.mark.parametrize("returned", SEVERAL, ids="-".join)
def test_a_set_of_labels_comes_in_every_combination(furnished: TestClient, name: str, returned: list[str]) -> None:
    known = ask(furnished, name, ROWS, ["probability"]).json()
    answer = ask(furnished, name, ROWS, returned).json()
    assert answer["intervals"] == arithmetic(known)
    assert {len(each) for each in answer["intervals"]} == {1, 2}
    assert answer["predictions"] == known["predictions"]
    assert ("probabilities" in answer, "classes" in answer) == ("probability" in returned, "probability" in returned)


@pytest.mark.parametrize("name", ["doubling", "doubling_apart"])
def test_an_interval_is_around_the_number(furnished: TestClient, name: str) -> None:
    for returned in (["interval"], ["label", "interval"], ["interval", "label"]):
        answer = ask(furnished, name, [[4.0], [0.5]], returned).json()
        assert answer["intervals"] == [[number - MARGIN, number + MARGIN] for number in answer["predictions"]]


def test_nobody_gets_intervals_who_did_not_ask(furnished: TestClient) -> None:
    for returned in (each for each in ALL_RETURNS if "interval" not in each):
        assert "intervals" not in ask(furnished, "iris", ROWS, returned).json()


@pytest.mark.parametrize("returned", [*ALL_RETURNS, ["interval"] * 3, ["interval"] * 4, ["intervals"]])
@pytest.mark.parametrize(
    ("name", "rows"),
    [("iris", ROWS), ("iris", ROWS * 2000), ("odd", [[1.0], [2.5]]), ("doubling", [[1.5]]), ("older", ROWS)],
)
def test_both_ways_give_the_same_bytes(
    furnished: TestClient, name: str, rows: list[list[float]], returned: list[str]
) -> None:
    body = {"dataset_name": name, "environment": "dev", "input_data": {"features": rows}, "return": returned}
    short, usual = both(furnished, json.dumps(body))
    assert short == usual
    place = {"dataset_name": None, "environment": None}
    typed = {key: value for key, value in body.items() if key not in place}
    short, usual = both(furnished, json.dumps(typed), f"/models/{name}/dev/predict")
    assert short == usual


@pytest.mark.parametrize("returned", SEVERAL, ids="-".join)
@pytest.mark.parametrize("times", [1, 2000])
def test_the_short_way_answers_without_the_usual_one(
    furnished: TestClient, monkeypatch: pytest.MonkeyPatch, returned: list[str], times: int
) -> None:
    written: list[bytes | None] = []
    answer = AnswerWriter._answer

    def noting(self: AnswerWriter, rows: Any, extras: Extras) -> bytes | None:
        written.append(None)
        written[-1] = answer(self, rows, extras)
        return written[-1]

    monkeypatch.setattr(AnswerWriter, "_answer", noting)
    records = [dict(zip(IRIS_COLUMNS, row, strict=True)) for row in ROWS]
    for data in ({"features": ROWS * times}, {"records": records * times}):
        body = {"dataset_name": "iris", "environment": "dev", "input_data": data, "return": returned}
        assert furnished.post("/predict", json=body).content == written.pop()
        # What is refused is not computed before.
        assert furnished.post("/predict", json=body | {"dataset_name": "older"}).status_code == 422
        assert not written


def test_the_address_of_a_model_has_the_answer_of_predict(furnished: TestClient) -> None:
    for name, rows in (("iris", ROWS), ("apart", ROWS), ("doubling", [[1.0]])):
        body = {"input_data": {"features": rows}, "return": ["interval"]}
        answer = furnished.post(f"/models/{name}/dev/predict", json=body)
        assert answer.json() == ask(furnished, name, rows, ["interval"]).json()


def test_the_document_tells_what_the_interval_of_a_model_is(furnished: TestClient) -> None:
    paths = furnished.get("/openapi.json").json()["paths"]
    found = {name: paths[f"/models/{name}/dev/predict"]["post"] for name in ("iris", "doubling", "older")}
    said = {
        name: each["responses"]["200"]["content"]["application/json"]["schema"]["allOf"][1]["properties"].get(
            "intervals"
        )
        for name, each in found.items()
    }
    assert said["iris"]["items"] == {"type": "array", "items": {"enum": iris_forest().signature.classes}, "minItems": 1}
    assert said["doubling"]["items"] == {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    assert said["older"] is None
    assert ["90%" in each["description"] for each in found.values()] == [True, True, False]
    for name in ("iris", "doubling"):
        examples = found[name]["requestBody"]["content"]["application/json"]["examples"]
        answer = furnished.post(f"/models/{name}/dev/predict", json=examples["interval"]["value"])
        assert len(answer.json()["intervals"]) == 1


@pytest.mark.parametrize("name", ["iris", "apart"])
@pytest.mark.parametrize("proba", [False, True])
def test_a_table_gets_the_labels_as_a_list_in_json(furnished: TestClient, name: str, *, proba: bool) -> None:
    known = ask(furnished, name, ROWS, ["probability", "interval"]).json()
    rows = cells(send(furnished, name, TABLE, proba=proba))
    shares = [f"probability_{label}" for label in known["classes"]] if proba else []
    assert list(rows[0]) == [*IRIS_COLUMNS, "prediction", *shares, "interval"]
    assert [json.loads(row["interval"]) for row in rows] == known["intervals"]
    in_json = send(furnished, name, TABLE, accept="application/json", proba=proba).json()
    assert in_json == ask(furnished, name, ROWS, WORDS if proba else ["interval"]).json()


@pytest.mark.parametrize("name", ["doubling", "doubling_apart"])
def test_a_table_of_numbers_gets_both_ends(furnished: TestClient, name: str) -> None:
    rows = cells(send(furnished, name, "x\n4\n0.5\n"))
    assert list(rows[0]) == ["x", "prediction", "interval_low", "interval_high"]
    known = ask(furnished, name, [[4.0], [0.5]], ["interval"]).json()["intervals"]
    assert [[float(row["interval_low"]), float(row["interval_high"])] for row in rows] == known
    assert send(furnished, name, "x\n4\n0.5\n", accept="application/json").json()["intervals"] == known


def test_labels_with_separators_can_be_told_apart(furnished: TestClient) -> None:
    (row,) = cells(send(furnished, "odd", "x\n1\n"))
    assert json.loads(row["interval"]) == ["a, b", 'c"d', "e|f"]


@pytest.mark.parametrize("column", ["interval_low", "interval_high"])
def test_two_columns_of_one_name_are_refused(furnished: TestClient, column: str) -> None:
    assert send(furnished, "doubling", f"x,{column}\n1,2\n").json()["code"] == "invalid_input"
    answer = send(furnished, "doubling", "x\n1\n", column=column)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert column in answer.json()["detail"]


def test_a_model_that_promises_nothing_refuses_in_every_way(furnished: TestClient) -> None:
    furnished.post("/datasets/upload", files={"file": ("rows.csv", TABLE)})
    body = {"input_data": {"features": ROWS}, "return": ["interval"]}
    batch = {"dataset_name": "older", "environment": "dev", "input": {"dataset_name": "rows"}, "return": ["interval"]}
    answers = [
        ask(furnished, "older", ROWS, ["interval"]),
        ask(furnished, "older", ROWS * 1000, ["interval"]),
        furnished.post("/models/older/dev/predict", json=body),
        send(furnished, "older", TABLE),
        send(furnished, "older", TABLE, accept="application/json"),
        furnished.post("/predict/batch", json=batch),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "no_intervals")
        assert "train it again" in answer.json()["detail"]
    assert furnished.get("/errors/no_intervals").status_code == 200
    assert ask(furnished, "older", ROWS, ["probability"]).status_code == 200


def test_an_interval_that_is_not_finite_is_refused_with_its_row(furnished: TestClient, one_platform: Platform) -> None:
    one_platform.train(one_platform.dataset("wide"), with_promise(doubling(), 1.7e308).in_form(), name="wide")
    assert ask(furnished, "wide", [[1.0]], ["interval"]).status_code == 200
    answer = ask(furnished, "wide", [[1.0], [5e307]], ["interval"])
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert answer.json()["errors"][0]["loc"][-1] == 1
    assert send(furnished, "wide", "x\n1\n5e307\n").json()["errors"][0]["loc"] == ["body", 3]
