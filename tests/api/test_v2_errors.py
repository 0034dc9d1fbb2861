"""Every error of the Open Inference Protocol is one object with one text, which says how to mend it."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from api.parts import Parts
from shared.errors import ModelBusy
from tests.support.models import Platform, doubling

ROW = [5.1, 3.5, 1.4, 0.2]
WHOLE = {"name": "rows", "shape": [1, 4], "datatype": "FP64", "data": ROW}
INFER = "/v2/models/iris@dev/infer"


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier of iris and a regression named doubling, in dev."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    platform.train(platform.dataset("doubling"), doubling(), name="doubling")
    return platform


@pytest.fixture
def v2(one_client: TestClient, one_platform: Platform) -> TestClient:
    """A client of the furnished application."""
    return one_client


def refused(client: TestClient, status: int, path: str = INFER, method: str = "POST", **sent: Any) -> str:
    """The text of an error, whose form is looked at."""
    answer = client.request(method, path, **sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["x-request-id"]
    found = answer.json()
    assert list(found) == ["error"]
    text: str = found["error"]
    return text


def wrong(client: TestClient, status: int, *inputs: dict[str, Any], path: str = INFER, **more: Any) -> str:
    return refused(client, status, path, json={"inputs": list(inputs), **more})


def column(name: str, value: Any = 1.0, **other: Any) -> dict[str, Any]:
    return {"name": name, "shape": [1], "datatype": "FP64", "data": [value], **other}


@pytest.mark.any_stack
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The body is empty"),
        (b'{"inputs": ', "not valid JSON"),
        (b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [NaN]}]}', "use null for a missing"),
        (b'{"id": "1", "id": "2"}', 'the name "id" is given twice'),
        (b'{"id": ' + b"[" * 100 + b"]" * 100 + b"}", "nested more than 64 levels"),
        (b'{"id": "\xff"}', "is not UTF-8"),
        (b'{"id": 1e999}', "is too large"),
        (b"[]", "body"),
        (b'{"inputs": []}', "1 item or more"),
        (b'{"inputs": [], "input": 3}', "Did you mean 'inputs'?"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_place(v2: TestClient, content: bytes, said: str) -> None:
    assert said in refused(v2, 400, content=content)


@pytest.mark.any_stack
def test_all_that_is_wrong_with_the_form_is_told_at_once(v2: TestClient) -> None:
    text = wrong(v2, 400, {"name": "a", "datatype": "FP65"}, {"shape": [1.0], "datatype": "FP64"})
    first, *lines = text.splitlines()
    assert first == "4 things are wrong."
    assert [line.partition(":")[0] for line in lines] == [
        "- inputs.0.shape",
        "- inputs.0.datatype",
        "- inputs.1.name",
        "- inputs.1.shape.0",
    ]
    assert "'FP64'" in lines[1]


@pytest.mark.any_stack
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"shape": []}, "has the shape []"),
        ({"shape": [1, 2, 2]}, "has the shape [1, 2, 2]"),
        ({"shape": [-1, 4]}, "has the shape [-1, 4]"),
        ({"shape": [2**80, 4]}, "has the shape"),
        ({"shape": [2**62, 4]}, "but 4 are given"),
        ({"shape": [2, 4]}, "has 8 values, but 4 are given"),
        ({"data": None}, "has no list of values"),
        ({"data": 3}, "has no list of values"),
        ({"data": [ROW, ROW]}, "are not of the shape [1, 4]"),
        ({"data": [[ROW]]}, "are not of the shape [1, 4]"),
        ({"data": [5.1, [3.5], 1.4, 0.2]}, "are not of the shape [1, 4]"),
        ({"datatype": "INT64"}, "element 0: 5.1 is not an integer"),
        ({"datatype": "UINT8", "data": [1, 256, -1, 0]}, "element 1: 256 is not between 0 and 255"),
        ({"datatype": "FP32", "data": [1e300, 0, 0, 0]}, "element 0: 1e+300 is too large"),
        ({"datatype": "FP16", "data": [70000, 0, 0, 0]}, "element 0: 70000 is too large"),
        ({"datatype": "BOOL", "data": [1, 0, 0, 0]}, "element 0: 1 is neither true nor false"),
        ({"datatype": "BYTES"}, "element 0: 5.1 is not a text"),
        ({"data": [True, "a", {}, 1]}, "element 1: the text 'a' is not a number"),
        ({"parameters": {"shared_memory_region": "a"}}, "no shared memory"),
        ({"parameters": {"content_type": "base64"}}, "without base64"),
        ({"parameters": {"binary_data_size": 32}}, "has both 'data' and 'binary_data_size'"),
    ],
)
def test_a_tensor_that_cannot_be_one_is_refused(v2: TestClient, changed: dict[str, Any], said: str) -> None:
    assert said in wrong(v2, 400, WHOLE | changed)


@pytest.mark.any_stack
def test_at_most_a_hundred_elements_are_listed_with_their_count(v2: TestClient) -> None:
    text = wrong(v2, 400, {"name": "x", "shape": [400], "datatype": "FP64", "data": ["a"] * 400})
    assert text.startswith("400 things are wrong. The first 100:\n")
    assert len(text.splitlines()) == 101


@pytest.mark.any_stack
@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([WHOLE | {"shape": [1, 3], "data": ROW[:3]}], "takes 4 columns: sepal_length, sepal_width"),
        ([WHOLE | {"shape": [0, 4], "data": []}], "have no rows"),
        ([WHOLE, column("sepal_width")], "has no input 'rows'"),
        ([column("sepal_width", shape=[1, 1])], "Column 'sepal_length' is missing in row 0"),
        ([column("x", shape=[1, 1])], "has the shape [1, 1], but the model"),
        ([column("sepal_lenght"), column("petal_length")], "Did you mean 'sepal_length'?"),
        ([column("sepal_length"), column("sepal_width", shape=[2], data=[1, 2])], "as many as the first input has"),
        ([column("sepal_length", shape=[1, 2], data=[1, 2]), column("sepal_width")], "Send [1] or [1, 1]"),
        (
            [WHOLE | {"data": [5.1, None, 1.4, 0.2]}],
            "Column 'sepal_width' is missing in row 0; the model needs a value",
        ),
        ([WHOLE | {"datatype": "BYTES", "data": ["a", "b", "c", "d"]}], "the text 'a' is not a number"),
        ([WHOLE | {"data": [1e39, 1, 1, 1]}], "too large for this model"),
    ],
)
def test_what_does_not_fit_the_model_is_explained_as_predict_does(
    v2: TestClient, inputs: list[dict[str, Any]], said: str
) -> None:
    assert said in wrong(v2, 422, *inputs)


@pytest.mark.any_stack
def test_every_wrong_cell_is_told_at_once_with_its_column_and_row(v2: TestClient) -> None:
    cells = WHOLE | {"datatype": "BYTES", "shape": [2, 4], "data": ["a", "1", "b", "1", "1", "1", "1", "c"]}
    lines = wrong(v2, 422, cells).splitlines()
    known = v2.post(
        "/predict",
        json={
            "dataset_name": "iris",
            "environment": "dev",
            "input_data": {"features": [["a", "1", "b", "1"], ["1", "1", "1", "c"]]},
        },
    ).json()
    assert lines[1:] == [f"- {problem['msg']}" for problem in known["errors"]]
    assert len(lines) == known["problem_count"] + 1


@pytest.mark.any_stack
@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (["predicts"], "Did you mean 'predict'?"),
        (["logits"], "The outputs are: predict, predict_proba."),
        (["predict", "predict"], "is asked for twice"),
    ],
)
def test_unknown_outputs_are_refused(v2: TestClient, outputs: list[str], said: str) -> None:
    assert said in wrong(v2, 400, WHOLE, outputs=[{"name": name} for name in outputs])


@pytest.mark.any_stack
@pytest.mark.parametrize(
    ("parameters", "outputs"),
    [
        ({"binary_data_output": 1}, []),
        ({}, [{"name": "predict", "parameters": {"binary_data": "yes"}}]),
        ({}, [{"name": "predict", "parameters": {"classification": 2}}]),
    ],
)
def test_parameters_of_outputs_are_looked_at(
    v2: TestClient, parameters: dict[str, Any], outputs: list[dict[str, Any]]
) -> None:
    assert wrong(v2, 400, WHOLE, parameters=parameters, outputs=outputs)


@pytest.mark.any_stack
def test_probabilities_of_a_regression_are_refused(v2: TestClient) -> None:
    path = "/v2/models/doubling@dev/infer"
    text = wrong(v2, 422, column("x"), path=path, outputs=[{"name": "predict_proba"}])
    assert text == "Version 2 has no probabilities. Leave 'predict_proba' out of 'outputs'."


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/v2/models/iriss/infer", 404, "There is no dataset 'iriss'"),
        ("/v2/models/iris/infer", 409, "No model of 'iris' is active in 'production'"),
        ("/v2/models/iris@dev/versions/9/infer", 409, "Version 9 of 'iris' is not active in 'dev'"),
        ("/v2/models/iris@dev/versions/one/infer", 404, "There is no version 'one'"),
        ("/v2/models/iris@stagging/infer", 422, "Did you mean 'staging'?"),
        ("/v2/models/iris@/infer", 422, "There is no stage ''"),
        ("/v2/models/iris/infers", 404, "There is nothing at"),
        ("/v2/models/iris@dev/infer?targte=a", 400, "Did you mean 'target'?"),
        ("/v2/models/iris@dev/infer?target=a", 409, "predicts 'a'"),
    ],
)
def test_what_an_address_lacks_is_said(v2: TestClient, path: str, status: int, said: str) -> None:
    assert said in wrong(v2, status, WHOLE, path=path)


@pytest.mark.any_stack
def test_limits_hold_as_everywhere(v2: TestClient, one_parts: Parts) -> None:
    assert "MLMINI_JSON_MAX_BYTES" in refused(v2, 413, content=b" " * (one_parts.settings.json_max_bytes + 1))
    lists = b'{"inputs": [' + b"[]," * (one_parts.settings.predict_max_cells + 100) + b"[]]}"
    assert "MLMINI_PREDICT_MAX_CELLS" in refused(v2, 413, content=lists)
    assert "Content-Encoding" in refused(v2, 415, content=b"{}", headers={"Content-Encoding": "gzip"})
    assert "NUL" in refused(v2, 400, "/v2?a=%00", "GET")


@pytest.mark.any_stack
def test_cells_of_columns_that_are_left_out_count(v2: TestClient, one_parts: Parts) -> None:
    rows = one_parts.settings.predict_max_cells // 4 + 1
    tensor = {"name": "sepal_length", "shape": [rows], "datatype": "INT8", "data": [1] * rows}
    assert f"({rows} rows of 4)" in wrong(v2, 413, tensor)


@pytest.mark.any_stack
def test_pages_of_other_origins_and_other_hosts_are_refused_in_this_form(v2: TestClient) -> None:
    assert "MLMINI_CORS_ORIGINS" in refused(v2, 403, json={}, headers={"Origin": "https://example.org"})
    assert "MLMINI_ALLOWED_HOSTS" in refused(v2, 421, json={}, headers={"Host": "example.org"})


@pytest.mark.any_stack
def test_a_wrong_method_is_refused_in_this_form_even_for_a_browser(v2: TestClient) -> None:
    for path in (INFER, "/v2/nothing"):
        answer = v2.get(path, headers={"Accept": "text/html"})
        assert list(answer.json()) == ["error"]
    assert v2.get(INFER).headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/v2", "/v2/models/iriss", "/v2?nam=1", "/v2/models/iris@stagging", "/v2/nothing"])
def test_head_is_answered_as_get_but_without_a_body(v2: TestClient, path: str) -> None:
    answer, known = v2.head(path), v2.get(path)
    assert (answer.status_code, answer.content) == (known.status_code, b"")
    for header in ("content-type", "content-length"):
        assert answer.headers[header] == known.headers[header]


@pytest.mark.any_stack
def test_an_unforeseen_error_is_told_in_this_form(app: FastAPI, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(parts.predicting, "find", broken)
    with capture_logs() as logs:
        text = refused(TestClient(app, raise_server_exceptions=False), 500, json={"inputs": [WHOLE]})
    assert "request id" in text
    assert "secret" not in text
    assert any(line["event"] == "request_failed" for line in logs)


@pytest.mark.any_stack
def test_requests_are_logged_and_counted_with_the_status_that_was_sent(v2: TestClient) -> None:
    with capture_logs() as logs:
        refused(v2, 400, content=b"{", headers={"X-Request-ID": "v2-one"})
    (line,) = [line for line in logs if line["event"] == "request"]
    assert (line["path"], line["status"]) == (INFER, 400)
    counted = v2.get("/metrics").text
    assert 'route="/v2/models/{model}/infer",status="400"' in counted


@pytest.mark.any_stack
def test_a_busy_model_says_when_to_come_back(v2: TestClient, one_parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_given: object) -> None:
        raise ModelBusy

    monkeypatch.setattr(one_parts.predicting, "run", busy)
    answer = v2.post(INFER, json={"inputs": [WHOLE]})
    assert (answer.status_code, list(answer.json())) == (503, ["error"])
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.any_stack
def test_texts_of_clients_are_printable_and_short_in_errors(v2: TestClient) -> None:
    text = wrong(v2, 422, column("a\u0007b" + "c" * 5000), column("sepal_width"))
    assert text.isprintable()
    assert len(json.dumps(text)) < 2000
