"""The scoring protocol of MLflow: the very requests that its client and its guides send, and its errors."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from structlog.testing import capture_logs

from api.parts import Parts
from tests.support.models import IRIS_COLUMNS, Fitted, Platform, doubling, iris_forest, with_target
from tests.support.training_tables import dirty, trained_once

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
RECORDS = [dict(zip(IRIS_COLUMNS, row, strict=True)) for row in ROWS]
FRAME = pd.DataFrame(ROWS, columns=list(IRIS_COLUMNS))
LABELS = ["setosa", "virginica"]
SERVED = "/serve/iris@dev/invocations"
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


def furnish(parts: Parts, folder: Path) -> Platform:
    """Iris in all stages, and in dev doubling and a table of all kinds of columns."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    for stage in ("staging", "production"):
        platform.promote(1, stage)
    platform.train(platform.dataset("doubling"), doubling(), name="doubling")
    result = trained_once("ensemble.HistGradientBoostingClassifier", dirty())
    fitted = Fitted(result.model, result.facts.signature, result.facts.environment)
    platform.train(platform.dataset("customers"), fitted, name="customers")
    return platform


@pytest.fixture
def served(one_client: TestClient, one_platform: Platform) -> TestClient:
    """A client of the furnished application."""
    return one_client


def as_mlflow_writes(data: Any, **more: Any) -> str:
    """The body that MLflow's `ScoringServerClient.invoke` makes of a data frame, an array or anything else."""
    if isinstance(data, pd.DataFrame):
        body: Any = {"dataframe_split": data.to_dict(orient="split")}
    elif isinstance(data, np.ndarray):
        body = {"inputs": data.tolist()}
    else:
        body = {"inputs": data} if isinstance(data, list) else data
    return json.dumps(body | more)


def invoked(client: TestClient, body: Any, path: str = SERVED) -> Response:
    content = body if isinstance(body, str) else as_mlflow_writes(body)
    return client.post(path, content=content, headers=JSON)


def predictions(answer: Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["predictions"]
    found: list[Any] = answer.json()["predictions"]
    return found


def refused(answer: Response, status: int, code: str) -> str:
    """The message of an error, whose form is looked at."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == ["error_code", "message"]
    assert answer.json()["error_code"] == code
    message: str = answer.json()["message"]
    return message


def bad(client: TestClient, body: Any, path: str = SERVED) -> str:
    return refused(invoked(client, body, path), 400, "BAD_REQUEST")


@pytest.mark.parametrize("model", ["iris", "iris@staging", "iris@dev"])
def test_a_model_that_answers_is_pinged_with_an_empty_line(served: TestClient, model: str) -> None:
    for path in ("ping", "health"):
        answer = served.get(f"/serve/{model}/{path}")
        assert (answer.status_code, answer.text) == (200, "\n")


@pytest.mark.any_stack
def test_the_version_is_the_release_as_text(served: TestClient) -> None:
    assert served.get("/serve/iris/version").text == served.get("/version").json()["platform"]


@pytest.mark.any_stack
@pytest.mark.parametrize(
    "body",
    [
        FRAME,
        FRAME[list(reversed(IRIS_COLUMNS))],
        FRAME.set_axis(["a", "b"]),
        pd.DataFrame(ROWS),
        FRAME.to_numpy(),
        ROWS,
        {"dataframe_split": {"data": ROWS}},
        {"dataframe_split": {"columns": list(IRIS_COLUMNS), "data": ROWS}},
        {"dataframe_records": RECORDS},
        {"instances": ROWS},
        {"instances": RECORDS},
        {"inputs": ROWS},
        {"inputs": RECORDS},
        {"inputs": {name: list(FRAME[name]) for name in IRIS_COLUMNS}},
    ],
)
def test_all_forms_of_the_rows_mean_the_same(served: TestClient, body: Any) -> None:
    assert predictions(invoked(served, body)) == LABELS


@pytest.mark.any_stack
@pytest.mark.parametrize(
    "table",
    [
        FRAME.to_csv(index=False),
        FRAME.to_csv(),
        FRAME[list(reversed(IRIS_COLUMNS))].to_csv(index=False),
        FRAME.to_csv(index=False, sep=";"),
    ],
)
def test_a_table_in_csv_means_the_same(served: TestClient, table: str) -> None:
    answer = served.post(SERVED, content=table, headers=CSV | {"Accept": "*/*"})
    assert predictions(answer) == LABELS
    assert answer.headers["x-model-version"] == "1"


@pytest.mark.any_stack
def test_a_long_table_in_csv_is_answered_in_one_list(served: TestClient) -> None:
    table = pd.concat([FRAME] * 100)
    for query, known in (("", LABELS * 100), ("?predict_fn=predict_proba", None)):
        answer = served.post(f"{SERVED}{query}", content=table.to_csv(index=False), headers=CSV)
        assert predictions(answer) == (known or predictions(invoked(served, table, f"{SERVED}{query}")))


@pytest.mark.any_stack
def test_probabilities_are_the_predictions_where_that_is_asked_for(served: TestClient) -> None:
    asked = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": ROWS}}
    known = served.post("/predict", json=asked | {"return": ["probability"]}).json()["probabilities"]
    path = f"{SERVED}?predict_fn=predict_proba"
    assert predictions(invoked(served, FRAME, path)) == known
    assert predictions(served.post(path, content=FRAME.to_csv(index=False), headers=CSV)) == known


@pytest.mark.any_stack
def test_a_model_of_one_column_takes_a_list_of_values(served: TestClient) -> None:
    path = "/serve/doubling@dev/invocations"
    for body in ({"instances": [4, 0.25]}, {"inputs": [[4], [0.25]]}, {"inputs": {"x": [4, 0.25]}}):
        assert predictions(invoked(served, body, path)) == pytest.approx([8.0, 0.5])
    assert predictions(invoked(served, {"inputs": {"x": 4}}, path)) == pytest.approx([8.0])


@pytest.mark.any_stack
def test_a_frame_with_gaps_is_taken_as_pandas_and_mlflow_write_it(served: TestClient) -> None:
    table = dirty().drop(columns="target")
    body = json.dumps({"dataframe_split": json.loads(table.to_json(orient="split", date_format="iso"))})
    # MLflow's client writes missing dates as a text, and other gaps as a word that JSON does not have.
    since = list(table.columns).index("since")
    rows = [
        ["NaT" if cell is None and at == since else cell for at, cell in enumerate(row)]
        for row in json.loads(body)["dataframe_split"]["data"]
    ]
    columns = list(table.columns)
    with_nan = json.dumps({"dataframe_split": {"columns": columns, "data": rows}}).replace("null", "NaN")
    assert '"NaT"' in with_nan
    assert " NaN" in with_nan
    with_nat = json.dumps({"instances": [dict(zip(columns, row, strict=True)) for row in rows]})
    records = json.loads(table.to_json(orient="records", date_format="iso"))
    asked = {"dataset_name": "customers", "environment": "dev", "input_data": {"records": records}}
    known = served.post("/predict", json=asked).json()["predictions"]
    for text in (body, with_nan, with_nat):
        assert predictions(invoked(served, text, "/serve/customers@dev/invocations")) == known


@pytest.mark.any_stack
def test_nan_in_a_column_that_needs_a_value_is_a_missing_value(served: TestClient) -> None:
    assert "is missing in row 0; the model needs a value" in bad(served, FRAME.assign(sepal_width=math.nan).head(1))


@pytest.mark.any_stack
def test_what_is_worth_knowing_stands_in_headers(served: TestClient) -> None:
    body = as_mlflow_writes(pd.DataFrame({"age": [50.0], "city": ["Ulm"]}), params={"temperature": 1})
    answer = invoked(served, body, "/serve/customers@dev/invocations")
    assert predictions(answer)
    assert answer.headers["x-model-version"] == "3"
    told = json.loads(answer.headers["x-warnings"])
    assert told[0] == "'params' have no effect here."
    assert told[1].startswith("The columns lack ")
    assert "'Ulm'" in told[2]


def test_the_environment_and_the_target_are_chosen_as_everywhere(
    client: TestClient, parts: Parts, tmp_path: Path
) -> None:
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, tmp_path)
    data = platform.dataset()
    for target in ("species", "weight"):
        platform.train(data, with_target(iris_forest(), target))
    answer = invoked(client, FRAME, "/serve/iris/invocations?environment=dev&target=species")
    assert (answer.headers["x-model-version"], answer.headers["x-model-target"]) == ("1", '"species"')
    assert "several targets" in invoked(client, FRAME).headers["x-warnings"]
    for body, headers in ((FRAME.to_csv(index=False), CSV), (as_mlflow_writes(FRAME), JSON)):
        answer = client.post(f"{SERVED}?target=wieght", content=body, headers=headers)
        assert "Did you mean 'weight'?" in refused(answer, 409, "RESOURCE_CONFLICT")


@pytest.mark.any_stack
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "The body is empty"),
        ("{", "not valid JSON"),
        ('{"inputs": [[Infinity, 1, 1, 1]]}', "Infinity is not a JSON number"),
        ("[[1, 2]]", "body"),
        ({}, "Give exactly one of dataframe_split, dataframe_records, instances, inputs. None of them is given."),
        ({"inputs": ROWS, "instances": ROWS}, "Given are: instances, inputs."),
        ({"dataframe_slpit": {"data": ROWS}}, "Did you mean 'dataframe_split'?"),
        ({"dataframe_split": {"columns": list(IRIS_COLUMNS)}}, "dataframe_split.data"),
        ({"dataframe_split": {"data": []}}, "'dataframe_split' must have a list of at least one row"),
        ({"dataframe_split": {"data": 3}}, "'dataframe_split' must have a list of at least one row"),
        ({"dataframe_split": {"columns": "abcd", "data": ROWS}}, "'columns' must be a list of names"),
        ({"dataframe_split": {"columns": [1, 2, 3, 4], "data": ROWS}}, "'columns' must be a list of names"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "The column 'a' is given 2 times"),
        ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "Row 0 has 2 values, but 'columns' has 1 names"),
        ({"dataframe_split": {"columns": ["a"], "data": [1]}}, "Row 0 is not a list"),
        ({"dataframe_split": {"columns": ["sepal_lenght"], "data": [[1]]}}, "Did you mean 'sepal_length'?"),
        ({"dataframe_records": {}}, "'dataframe_records' must have a list"),
        ({"dataframe_records": [3]}, "Row 0 must be an object"),
        ({"dataframe_records": [RECORDS[0] | {"colour": 1}]}, "has no input column 'colour'"),
        ({"instances": {"a": 1}}, "'instances' must have a list"),
        ({"instances": [5.1, 3.5, 1.4, 0.2]}, "One row is written [[...]]"),
        ({"instances": [[1, 2]]}, "Row 0 has 2 values, but the model"),
        ({"inputs": {}}, "'inputs' has no rows"),
        ({"inputs": {"sepal_length": [1, 2], "sepal_width": [1]}}, "Column 'sepal_width' has 1 values"),
        ({"inputs": [["a", 1, 1, 1]]}, "the text 'a' is not a number"),
    ],
)
def test_what_cannot_be_right_is_explained(served: TestClient, body: Any, said: str) -> None:
    assert said in bad(served, body)


@pytest.mark.any_stack
def test_every_wrong_cell_is_told_at_once(served: TestClient) -> None:
    message = bad(served, {"instances": [["a", 1, 1, 1], [1, 1, "b", 1]]})
    assert message.splitlines() == [
        "2 things are wrong.",
        "- Column 'sepal_length' (number), row 0: the text 'a' is not a number.",
        "- Column 'petal_length' (number), row 1: the text 'b' is not a number.",
    ]


@pytest.mark.any_stack
def test_lists_of_columns_that_are_not_of_one_length_are_all_named(served: TestClient) -> None:
    lists = {"sepal_length": [1, 2], "sepal_width": [1], "petal_width": []}
    assert bad(served, {"inputs": lists}).splitlines()[1:] == [
        "- inputs.sepal_width: Column 'sepal_width' has 1 values, but the first one has 2.",
        "- inputs.petal_width: Column 'petal_width' has 0 values, but the first one has 2.",
    ]


@pytest.mark.any_stack
def test_a_wrong_table_in_csv_is_explained(served: TestClient) -> None:
    answer = served.post(SERVED, content="sepal_length,sepal_width\n1,2\n", headers=CSV)
    assert "lacks petal_length, petal_width" in refused(answer, 400, "BAD_REQUEST")


@pytest.mark.any_stack
def test_probabilities_of_a_regression_are_refused(served: TestClient) -> None:
    path = "/serve/doubling@dev/invocations?predict_fn=predict_proba"
    said = "Version 2 has no probabilities. Leave out 'predict_fn'."
    assert bad(served, {"instances": [4]}, path) == said
    assert refused(served.post(path, content="x\n4\n", headers=CSV), 400, "BAD_REQUEST") == said


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/serve/iriss/invocations", 404, "RESOURCE_DOES_NOT_EXIST"),
        ("/serve/iris@dev/invocation", 404, "ENDPOINT_NOT_FOUND"),
        ("/serve/doubling/invocations", 409, "RESOURCE_CONFLICT"),
        ("/serve/iris@stagging/invocations", 400, "BAD_REQUEST"),
        (f"{SERVED}?predict_fn=predict_log_proba", 400, "BAD_REQUEST"),
        (f"{SERVED}?environment=staging", 400, "BAD_REQUEST"),
    ],
)
def test_errors_have_the_codes_and_statuses_of_mlflow(served: TestClient, path: str, status: int, code: str) -> None:
    refused(invoked(served, FRAME, path), status, code)
    if "predict_fn" not in path and "invocations" in path:
        refused(served.get(path.replace("invocations", "ping")), status, code)


@pytest.mark.any_stack
def test_limits_hold_as_everywhere(served: TestClient, one_parts: Parts) -> None:
    settings = one_parts.settings
    long = " " * (settings.json_max_bytes + 1)
    assert "MLMINI_JSON_MAX_BYTES" in refused(invoked(served, long), 413, "BAD_REQUEST")
    assert "MLMINI_UPLOAD_MAX_BYTES" in refused(
        served.post(SERVED, content=b"", headers=CSV | {"Content-Length": str(settings.upload_max_bytes + 1)}),
        413,
        "BAD_REQUEST",
    )
    # A table may be longer than JSON may be.
    table = f"sepal_length,sepal_width,petal_length,petal_width,note\n1,1,1,1,{'x' * settings.json_max_bytes}\n"
    assert served.post(SERVED, content=table, headers=CSV).status_code != 413
    rows = settings.predict_max_cells // 4 + 1
    assert "MLMINI_PREDICT_MAX_CELLS" in refused(
        invoked(served, {"inputs": {"sepal_length": [1] * rows}}), 413, "BAD_REQUEST"
    )
    refused(served.post(SERVED, content=b"x", headers={"Content-Type": "text/plain"}), 415, "BAD_REQUEST")
    refused(served.post(SERVED, json={}, headers={"Origin": "https://example.org"}), 403, "PERMISSION_DENIED")


@pytest.mark.any_stack
def test_an_unforeseen_error_is_told_in_this_form(app: FastAPI, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(parts.predicting, "find", broken)
    with capture_logs():
        answer = invoked(TestClient(app, raise_server_exceptions=False), FRAME)
    assert "secret" not in refused(answer, 500, "INTERNAL_ERROR")


@pytest.mark.any_stack
def test_nan_is_no_json_elsewhere(served: TestClient) -> None:
    body = '{"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[NaN, 1, 1, 1]]}}'
    assert served.post("/predict", content=body, headers=JSON).json()["code"] == "invalid_json"
