"""POST /predict with CSV: what comes back, and what is said about everything that is wrong."""

import gzip
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from api.http.model_headers import fitting_warnings
from api.parts import Parts
from tests.support.api_server import serving
from tests.support.models import IRIS_COLUMNS, Platform, doubling, with_target
from tests.support.stack import Stack
from tests.support.tables import parquet
from tests.support.workbooks import workbook

QUERY = {"dataset_name": "iris", "environment": "dev"}
HEADER = ",".join(["id", *IRIS_COLUMNS])
ROWS = ["a,5.1,3.5,1.4,0.2", '"b, c",6.2,3.4,5.4,2.3']
TABLE = "\n".join([HEADER, *ROWS, ""])


def furnish(parts: Parts, folder: Path) -> Platform:
    """A classifier of iris in dev, and a regression named doubling."""
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    platform.train(platform.dataset())
    platform.train(platform.dataset("doubling"), doubling(), name="doubling")
    return platform


def send(client: TestClient, content: str | bytes, *, accept: str = "text/csv", **query: Any) -> httpx2.Response:
    headers = {"content-type": "text/csv", "accept": accept}
    body = content if isinstance(content, bytes) else content.encode()
    return client.post("/predict", params=QUERY | query, content=body, headers=headers)


def test_the_rows_come_back_with_their_predictions(one_client: TestClient, one_platform: Platform) -> None:
    answer = send(one_client, TABLE)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == f"{HEADER},prediction\n{ROWS[0]},setosa\n{ROWS[1]},virginica\n"
    assert (answer.headers["x-model-version"], answer.headers["x-model-target"]) == ("1", '"target"')
    assert answer.headers["x-row-count"] == "2"
    assert "x-warnings" not in answer.headers


@pytest.mark.any_stack
@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/json, text/csv;q=0"])
def test_who_does_not_accept_csv_gets_one_answer_in_json(
    one_client: TestClient, one_platform: Platform, accept: str
) -> None:
    answer = send(one_client, TABLE, accept=accept, proba=True).json()
    features = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
    body = QUERY | {"input_data": {"features": features}, "return": ["label", "probability"]}
    assert answer == one_client.post("/predict", json=body).json()
    assert "probabilities" not in send(one_client, TABLE, accept=accept).json()


def test_probabilities_are_columns_and_the_new_column_has_the_name_that_is_asked_for(
    one_client: TestClient, one_platform: Platform
) -> None:
    header, row, _ = send(one_client, TABLE, proba=True, column="label").text.splitlines()
    assert header == f"{HEADER},label,probability_setosa,probability_versicolor,probability_virginica"
    label, *shares = row.split(",")[5:]
    assert label == "setosa"
    assert sum(map(float, shares)) == pytest.approx(1)


FORMS: dict[str, bytes] = {
    "a BOM": TABLE.encode("utf-8-sig"),
    "gzip": gzip.compress(TABLE.encode()),
    "carriage returns": TABLE.replace("\n", "\r\n").encode(),
    "no end of the last line": TABLE.rstrip().encode(),
    "semicolons and decimal commas": (
        HEADER.replace(",", ";") + '\na;5,1;3,5;1,4;0,2\n"b; c";6,2;3,4;5,4;2,3\n'
    ).encode(),
    "blanks around numbers": TABLE.replace("5.1", " 5.1 ").encode(),
    "Latin-1 behind what is looked at first": (HEADER + "\n" + f"{ROWS[0]}\n" * 20_000 + "é,6.2,3.4,5.4,2.3\n").encode(
        "latin-1"
    ),
}


@pytest.mark.any_stack
@pytest.mark.parametrize("form", FORMS)
def test_a_table_may_come_in_any_form(one_client: TestClient, one_platform: Platform, form: str) -> None:
    lines = send(one_client, FORMS[form]).text.splitlines()
    assert [line.replace(";", ",").rpartition(",")[2] for line in (lines[1], lines[-1])] == ["setosa", "virginica"]
    assert len(lines) == (20_002 if form.startswith("Latin") else 3)
    assert lines[-1].startswith("é") is form.startswith("Latin")


def test_all_rows_are_predicted_by_the_version_that_was_found_first(
    client: TestClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.predicting_csv._CELLS", 4)
    content = "\n".join(["x", *map(str, range(50)), ""])
    expected = [2.0 * n for n in range(50)]
    answer = send(client, content, dataset_name="doubling")
    assert [float(line.split(",")[1]) for line in answer.text.splitlines()[1:]] == pytest.approx(expected)
    shown = send(client, content, dataset_name="doubling", accept="application/json").json()
    assert shown["predictions"] == pytest.approx(expected)


@pytest.mark.any_stack
def test_a_table_without_rows_gives_its_header(one_client: TestClient, one_platform: Platform) -> None:
    assert send(one_client, HEADER).text == f"{HEADER},prediction\n"
    assert send(one_client, HEADER, accept="application/json").json()["predictions"] == []


def test_what_is_worth_knowing_stands_in_a_header_of_plain_characters(client: TestClient, platform: Platform) -> None:
    data = platform.dataset("word")
    platform.train(data, with_target(doubling(), "größe"), name="word")
    answer = send(client, "größe,x\n1,2\n", dataset_name="word")
    assert answer.headers["x-model-target"].isascii()
    assert json.loads(answer.headers["x-model-target"]) == "größe"
    assert json.loads(answer.headers["x-warnings"]) == [
        "Column 'größe' is what the model predicts: its values were ignored."
    ]
    shown = send(client, "größe,x\n1,2\n", dataset_name="word", accept="*/*").json()
    assert shown["warnings"] == json.loads(answer.headers["x-warnings"])


def test_warnings_that_do_not_fit_into_a_header_are_counted_in_it() -> None:
    warnings = [f"Column 'c{number}' holds texts, and so on." for number in range(200)]
    shown = json.loads(fitting_warnings(warnings))
    assert shown[:-1] == warnings[: len(shown) - 1]
    assert shown[-1] == f"{200 - len(shown) + 1} more do not fit here; an answer in JSON has all of them."
    assert json.loads(fitting_warnings(warnings[:3])) == warnings[:3]
    assert json.loads(fitting_warnings(["a" * 5_000])) == ["1 more do not fit here; an answer in JSON has all of them."]


NOT_CSV = "not CSV. Save the table as CSV with a line of column names, or send its rows as JSON in 'input_data'."
NEEDED = "sepal_length,sepal_width,petal_length,petal_width"
WRONG: dict[str, tuple[str | bytes, dict[str, Any], int, str, str]] = {
    "no dataset": (TABLE, {"dataset_name": "irsi"}, 404, "unknown_dataset", "Did you mean 'iris'?"),
    "no model": (TABLE, {"environment": "staging"}, 409, "no_active_model", "POST /promote"),
    "no such target": (TABLE, {"target": "targt"}, 409, "no_active_model", "Did you mean 'target'?"),
    "a version of another dataset": (TABLE, {"version": 2}, 409, "not_active", "version 1 serves there"),
    "a version that is none": (TABLE, {"version": "one"}, 422, "invalid_request", "a whole number"),
    "an unknown parameter": (TABLE, {"enviroment": "dev"}, 422, "invalid_request", "Did you mean 'environment'?"),
    "nothing": ("", {}, 422, "empty_table", "is empty"),
    "a quote that never ends": (f'{NEEDED},"x\n1,2,3,4,5\n', {}, 422, "invalid_table", "never closed"),
    "two columns of one name": ("x,x\n1,2\n", {}, 422, "duplicate_columns", "'x'"),
    "something else": (
        "a,b\n1,2\n",
        {},
        422,
        "invalid_input",
        "none of the columns that the model (version 1, which predicts 'target') takes",
    ),
    "a wrong name": (
        "sepal_lenght,sepal_width,petal_length,petal_width\n1,2,3,4\n",
        {},
        422,
        "invalid_input",
        "has no input column 'sepal_lenght', and the table lacks one. Did you mean 'sepal_length'?",
    ),
    "a name in capitals": (
        "SEPAL_LENGTH,sepal_width,petal_length,petal_width\n1,2,3,4\n",
        {},
        422,
        "invalid_input",
        "Did you mean 'sepal_length'?",
    ),
    "a column that lacks": ("sepal_length\n1\n", {}, 422, "missing_not_allowed", "lacks sepal_width, petal_length"),
    "a column that is added": (f"{NEEDED},prediction\n1,2,3,4,5\n", {}, 422, "invalid_input", "'prediction' already"),
    "a row that is too short": (
        f"{NEEDED}\n1\n",
        {},
        422,
        "invalid_table",
        "line 2: there is 1 cell, but 4 columns. Add what the row lacks: a cell without a value is empty,",
    ),
    "a row that is too long": (
        f"{NEEDED}\n1,2,3,4,5\n",
        {},
        422,
        "invalid_table",
        "line 2: there are 5 cells, but 4 columns. Quote a cell that has the delimiter in it",
    ),
    "a row whose quote is never closed": (
        f'{NEEDED},note\n1,2,3,4,x\n1,2,3,4,"y\n1,2,3,4,z\n',
        {},
        422,
        "invalid_table",
        'line 3: a quote (") that opens in this row is never closed. Close it',
    ),
    "a row whose quote is closed too late": (
        f'{NEEDED},note\n1,"2,3,4,x\n1,2",3,4,5,6,z\n',
        {},
        422,
        "invalid_table",
        'line 3: there are 7 cells, but 5 columns. The row begins in line 2: look there for a quote (")',
    ),
    "an infinite number": (
        f"{NEEDED}\n1,2,3,4\n1,2,-1e999,4\n",
        {},
        422,
        "invalid_input",
        "line 3, column 'petal_length': '-1e999' is infinite or too large; the model needs a number.",
    ),
    "a damaged gzip": (gzip.compress(TABLE.encode() * 9)[:-9], {}, 422, "invalid_table", "gzip"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(100), {}, 422, "invalid_table", f"The body is a PNG image, {NOT_CSV}"),
    "an archive": (gzip.compress(b"PK\x03\x04" + bytes(9)), {}, 422, "invalid_table", "The body is a ZIP archive, not"),
    "noise": (bytes(range(256)), {}, 422, "invalid_table", f"The body is binary, {NOT_CSV}"),
    "half of a letter": (
        f"{NEEDED}\n1,2,3,4\n".encode("utf-16") + b"\x00\xd8",
        {},
        422,
        "invalid_table",
        "Line 3 holds bytes that are not UTF-8, and nothing tells what they are. Save the table as UTF-8.",
    ),
    "JSON lines": ('{"a": 1}\n', {}, 422, "invalid_table", f"The body is JSON, {NOT_CSV}"),
    "a JSON array": ('[{"a": 1}]\n', {}, 422, "invalid_table", f"The body is JSON, {NOT_CSV}"),
    "a JSON object over several lines": ('{\n"a": 1\n}\n', {}, 422, "invalid_table", f"The body is JSON, {NOT_CSV}"),
    "a workbook": (workbook([["x"], [1]]), {}, 422, "invalid_table", f"The body is an Excel workbook, {NOT_CSV}"),
    "Parquet": (parquet({"x": [1]}), {}, 422, "invalid_table", f"The body is a Parquet file, {NOT_CSV}"),
    "a number that is too large": (f"{NEEDED}\n1,2,3,4\n1e300,2,3,4\n", {}, 422, "invalid_input", "line 3: Column"),
    "probabilities of a regression": (
        "x\n1\n",
        {"dataset_name": "doubling", "proba": True},
        422,
        "no_probabilities",
        "predicts numbers",
    ),
}


@pytest.mark.any_stack
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_a_wrong_table_is_refused(
    one_client: TestClient, one_platform: Platform, wrong: tuple[str | bytes, dict[str, Any], int, str, str]
) -> None:
    content, query, status, code, said = wrong
    answer = send(one_client, content, **query)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in problem["detail"]


@pytest.mark.any_stack
def test_every_wrong_cell_is_named_by_its_line_before_anything_is_predicted(
    one_client: TestClient, one_platform: Platform
) -> None:
    content = f'{NEEDED},note\n1,2,3,4,"two\nlines"\nlong,2,3,4,\n1,NA,3,wide,\n'
    problem = send(one_client, content).json()
    assert [(problem["loc"], problem["msg"]) for problem in problem["errors"]] == [
        (["body", 4, "sepal_length"], "line 4, column 'sepal_length': 'long' is not a number."),
        (["body", 5, "sepal_width"], "line 5: Column 'sepal_width' is missing; the model needs a value."),
        (["body", 5, "petal_width"], "line 5, column 'petal_width': 'wide' is not a number."),
    ]
    missing = send(one_client, f"{NEEDED}\n1,2,3,4\n" + "1,2,3,\n" * 150).json()
    assert missing["code"] == "missing_not_allowed"
    assert len(missing["errors"]) == 100
    assert "150 problems" in missing["detail"]
    assert missing["problem_count"] == 150


@pytest.mark.any_stack
def test_a_table_may_be_larger_than_a_body_of_json_and_no_larger_than_an_upload(
    client: TestClient, platform: Platform
) -> None:
    row = ROWS[0] + "," + "x" * 100_000 + "\n"
    content = f"{HEADER},note\n" + row * 60
    assert len(content) > platform.settings.json_max_bytes
    assert len(send(client, content).text.splitlines()) == 61
    too_long = {"content-type": "text/csv", "content-length": str(platform.settings.upload_max_bytes + 1)}
    answer = client.post("/predict", params=QUERY, content=b"", headers=too_long)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.any_stack
def test_an_answer_that_breaks_off_is_told_by_its_connection(
    client: TestClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.predicting_csv._CELLS", 4)
    # The second batch is one that this model cannot compute with, which only it can tell.
    content = f"{NEEDED}\n1,2,3,4\n1e300,2,3,4\n"
    with pytest.raises(RuntimeError, match="already started"):
        send(client, content)


@pytest.mark.any_stack
def test_a_client_sees_that_an_answer_that_breaks_off_has_no_end(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.predicting_csv._CELLS", 4)
    with stack.settings(tmp_path / "home") as settings, serving(settings) as (url, parts):
        furnish(parts, tmp_path)
        headers = {"content-type": "text/csv", "accept": "text/csv"}
        content = f"{NEEDED}\n1,2,3,4\n1e300,2,3,4\n"
        asked = httpx2.stream("POST", f"{url}/predict", params=QUERY, content=content, headers=headers)
        with asked as answer:
            assert answer.status_code == 200
            with pytest.raises(httpx2.RemoteProtocolError):
                answer.read()


def test_nothing_is_left_of_a_table(client: TestClient, platform: Platform, parts: Parts) -> None:
    send(client, TABLE)
    send(client, "a\n1\n")
    assert [path.name for path in parts.reader.folder.iterdir() if path.name.startswith("spool")] == []
