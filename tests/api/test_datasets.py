"""The calls under /datasets."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from api.parts import Parts
from shared.datasets.rows import DatasetVersionRow
from shared.tables.columns import CellReading, ColumnKind
from shared.tables.findings import Finding, FindingCode
from shared.tables.reading import Reading
from tests.support.objects import put
from tests.support.tables import IRIS, parquet, zipped
from tests.support.workbooks import workbook


def upload(
    client: TestClient, content: bytes = b"a,b\n1,x\n2,y\n", file_name: str = "data.csv", **fields: str
) -> Response:
    return client.post("/datasets/upload", files={"file": (file_name, content)}, data=fields)


def problem(answer: Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["type"] == f"/errors/{code}"
    assert "Traceback" not in answer.text
    return body


def test_an_upload_is_catalogued_and_described(client: TestClient) -> None:
    answer = upload(client, IRIS.read_bytes(), "My Iris.CSV", description="flowers")
    assert answer.status_code == 201
    assert answer.headers["location"] == "/datasets/my_iris"
    dataset = answer.json()
    assert re.fullmatch(r"datasets/my_iris/[0-9a-f]{32}\.csv", dataset.pop("location"))
    columns = dataset.pop("columns")
    assert columns[0] == {
        "name": "sepal_length", "kind": "number", "format": None, "role": None,
        "missing": 0, "not_finite": 0, "rounded": 0, "unique": 35,
        "examples": [5.1, 4.9, 4.7, 4.6, 5.0], "min": 4.3, "max": 7.9, "mean": pytest.approx(5.8433, abs=1e-4),
    }  # fmt: skip
    assert columns[-1]["examples"] == ["setosa", "versicolor", "virginica"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", dataset.pop("created_at"))
    assert dataset.pop("updated_at")
    assert len(dataset.pop("sha256")) == 64
    reading = dataset.pop("reading")
    assert reading.keys() == Reading.model_fields.keys()
    assert (reading["rules"], reading["format"], reading["delimiter"], reading["kinds"]) == (3, "csv", ",", {})
    assert [(finding["code"], finding["count"], finding["detail"]) for finding in dataset.pop("findings")] == [
        ("duplicate_rows", 1, "1 row is the same as another. Remove it unless it is meant.")
    ]
    assert dataset.pop("links") == {
        "profile": "/datasets/my_iris/profile?version=1", "preview": "/datasets/my_iris/preview?version=1",
        "versions": "/datasets/my_iris/versions",
    }  # fmt: skip
    assert dataset == {
        "name": "my_iris", "description": "flowers", "format": "csv", "version": 1, "rows": 150,
        "size_bytes": IRIS.stat().st_size, "owner": None, "team": None,
    }  # fmt: skip
    assert client.get("/datasets/my_iris").json() == answer.json()


@pytest.mark.any_stack
def test_the_field_name_goes_before_the_name_of_the_file(client: TestClient) -> None:
    assert upload(client, file_name="../../etc/passwd", name="Other Name").json()["name"] == "other_name"
    assert upload(client, file_name="../../etc/passwd").json()["name"] == "etc_passwd"
    assert upload(client, file_name="..\\evil.csv").json()["name"] == "evil"


def test_the_same_bytes_again_are_the_same_version_and_others_a_new_one(client: TestClient) -> None:
    assert upload(client).status_code == 201
    again = upload(client, file_name="DATA.csv.gz")
    assert (again.status_code, again.json()["version"]) == (200, 1)
    assert upload(client, b"a,b\n3,z\n").json()["version"] == 2
    listed = client.get("/datasets/data/versions").json()
    assert [version["version"] for version in listed["items"]] == [2, 1]
    first = client.get("/datasets/data/versions", params={"limit": 1}).json()
    second = client.get("/datasets/data/versions", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [page["items"][0]["version"] for page in (first, second)] == [2, 1]
    assert second["next_cursor"] is None


FORMATS = {
    "tsv": b"a\tb\n1\t2\n",
    "csv": gzip.compress(b"a,b\n1,2\n", mtime=0),
    "jsonl": b'{"a": 1, "b": 2}\n',
    "parquet": parquet({"a": [1], "b": [2]}),
    "xlsx": workbook([["a", "b"], [1, 2]]),
}


def test_every_format_is_taken_whatever_the_file_is_called(client: TestClient) -> None:
    for format_, content in FORMATS.items():
        assert upload(client, content, f"{format_}.png").json()["format"] == format_
        preview = client.get(f"/datasets/{format_}_png/preview").json()
        assert preview == {"columns": ["a", "b"], "rows": [[1, 2]]}, format_


@pytest.mark.any_stack
def test_how_a_file_was_read_is_told_with_it(client: TestClient) -> None:
    taken = upload(client, gzip.compress("straße;zahl\nä;1\n".encode("latin-1"), mtime=0)).json()
    reading = taken["reading"]
    assert (reading["format"], reading["delimiter"], reading["compression"]) == ("csv", ";", "gzip")
    assert "straße".encode(reading["encoding"]) == "straße".encode("latin-1")
    for path in ("/datasets/data", "/datasets/data/versions", "/datasets"):
        answer = client.get(path).json()
        assert answer.get("items", [answer])[0]["reading"] == reading, path
    typed = upload(client, parquet({"a": [1]}), "p").json()["reading"]
    assert (typed["format"], typed["delimiter"], typed["encoding"]) == ("parquet", None, None)


def test_what_the_reading_found_is_told_with_it_and_how_cells_are_read_is_not(client: TestClient, parts: Parts) -> None:
    upload(client, b"size,word\n1,x\n2,NA\n3,y\n")
    finding = Finding(code=FindingCode.GAP_WORD, column="word", line=3, count=1, detail="'NA' counts as missing.")
    with parts.database.write() as session:
        version = session.scalars(select(DatasetVersionRow)).one()
        version.findings = [finding.model_dump(mode="json")]
        cells = CellReading(kind=ColumnKind.TEXT, gap_words=("NA",)).model_dump(mode="json")
        version.columns = [version.columns[0], version.columns[1] | {"cells": cells}]
    for path in ("/datasets/data", "/datasets/data/versions", "/datasets"):
        answer = client.get(path).json()
        shown = answer.get("items", [answer])[0]
        assert shown["findings"] == [
            {"code": "gap_word", "column": "word", "line": 3, "count": 1, "detail": "'NA' counts as missing."}
        ]
        assert all("cells" not in column for column in shown["columns"]), path
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert "cells" not in schemas["DatasetColumn"]["properties"]
    assert "CellReading" not in schemas


def test_datasets_come_in_pages_by_name(client: TestClient) -> None:
    for name in ("c", "a", "b"):
        upload(client, file_name=name)
    first = client.get("/datasets", params={"limit": 2}).json()
    second = client.get("/datasets", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next_cursor"] is None
    # A cursor of another list has another form.
    problem(client.get("/datasets/a/versions", params={"cursor": first["next_cursor"]}), 422, "invalid_cursor")


def test_a_preview_shows_typed_rows_of_the_version_asked_for(client: TestClient) -> None:
    upload(client, b"n,x,t,f\n1,2.5,2024-01-31,true\n2,,2024-02-01,false\n")
    upload(client, b"a\n1\n")
    answer = client.get("/datasets/data/preview", params={"version": 1, "rows": 2})
    assert answer.json() == {
        "columns": ["n", "x", "t", "f"],
        "rows": [[1, 2.5, "2024-01-31T00:00:00", True], [2, None, "2024-02-01T00:00:00", False]],
    }
    assert client.get("/datasets/data/preview", params={"rows": 1}).json()["rows"] == [[1]]
    problem(client.get("/datasets/data/preview", params={"version": 3}), 404, "unknown_dataset_version")
    for rows in ("0", "1001", "x"):
        problem(client.get("/datasets/data/preview", params={"rows": rows}), 422, "invalid_request")


def test_a_preview_of_an_altered_file_is_refused_as_a_training_is(
    client: TestClient, parts: Parts, tmp_path: Path
) -> None:
    key = upload(client).json()["location"].removeprefix("datasets/")
    bucket = parts.settings.datasets_bucket
    parts.store.delete(bucket, key)
    put(parts.store, bucket, key, b"a,b\n1,x\n2,z\n", folder=tmp_path)
    refused = problem(client.get("/datasets/data/preview"), 503, "dataset_corrupt")
    assert "not what was uploaded" in refused["detail"]


def test_a_deleted_dataset_is_gone_with_its_object(client: TestClient, parts: Parts) -> None:
    upload(client)
    assert client.delete("/datasets/data").status_code == 204
    problem(client.get("/datasets/data"), 404, "unknown_dataset")
    assert list(parts.store.list(parts.settings.datasets_bucket)) == []
    problem(client.delete("/datasets/data"), 404, "unknown_dataset")


def test_an_archived_dataset_is_hidden_and_comes_back_with_its_file(client: TestClient) -> None:
    upload(client)
    assert client.delete("/datasets/data", params={"archive": "true"}).status_code == 204
    assert client.get("/datasets").json()["items"] == []
    assert "Upload its file again" in problem(client.get("/datasets/data"), 404, "unknown_dataset")["detail"]
    assert upload(client).status_code == 200
    assert client.get("/datasets/data").status_code == 200


@pytest.mark.asvs("5.3.2")
@pytest.mark.parametrize(
    "name",
    [
        "My%20Data", "..%2F..%2Fetc%2Fpasswd", "%252e%252e%252f", "x;%2F..%2F..", "C:%5C", "%5C%5Chost%5Cshare",
        "file:%2F%2F%2Fetc", "%EF%BC%8E%EF%BC%8E%EF%BC%8F", "a%20", "a.", "CON", "-rf", "~root", "x" * 300,
        "%F0%9F%99%82",
        "%E2%80%AE", "%3Cimg%20onerror%3E", "%7B%7B7*7%7D%7D", "';--", "$%7Bjndi:x%7D", "%0D%0Ax", "%ff",
    ],
)  # fmt: skip
def test_a_name_that_is_none_is_an_unknown_dataset(one_client: TestClient, name: str) -> None:
    for path in ("", "/versions", "/preview"):
        answer = one_client.get(f"/datasets/{name}{path}")
        assert answer.status_code in {404, 422}
        assert "/home/" not in answer.text
    assert one_client.delete(f"/datasets/{name}").status_code in {404, 422}


def test_a_miss_suggests_the_normalised_name(client: TestClient) -> None:
    upload(client, file_name="my_dataset.csv")
    assert "Did you mean 'my_dataset'?" in problem(client.get("/datasets/My DataSet"), 404, "unknown_dataset")["detail"]


BAD_FILES: dict[str, tuple[bytes, int, str, str]] = {
    "empty": (b"", 422, "empty_table", "names of the columns"),
    "header only": (b"a,b\n", 422, "empty_table", "no rows"),
    "image": (b"\x89PNG\r\n\x1a\n\0\0", 422, "invalid_table", "PNG image"),
    "workbook": (zipped("xl/workbook.xml"), 422, "invalid_table", "save the sheet as CSV"),
    "page": (b"<html><body>login</body></html>", 422, "invalid_table", "HTML"),
    "ragged": (b"a,b\n1,2\n3\n", 422, "invalid_table", "Line 3 has 1 field"),
    "open quote": (b'a,b\n1,"2\n3,4\n', 422, "invalid_table", "line 2, column 'b'"),
    "binary": (bytes(range(256)) * 8, 422, "invalid_table", "binary"),
    "twice": (b"a,a\n1,2\n", 422, "duplicate_columns", "columns 1, 2"),
    "broken JSON": (b'{"a": 1}\n{', 422, "invalid_table", "Line 2"),
    "cut gzip": (gzip.compress(b"a,b\n1,2\n")[:-4], 422, "invalid_table", "cut off"),
    "cut Parquet": (parquet({"a": [1]})[:-9], 422, "invalid_table", "damaged"),
    "wide": (b",".join(b"c%d" % n for n in range(5001)) + b"\n", 413, "table_too_large", "the limit is 5,000"),
    "long field": (b"a\n" + b"x" * 2**21, 413, "table_too_large", "1,048,576"),
}


@pytest.mark.any_stack
@pytest.mark.parametrize(("content", "status", "code", "hint"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_is_no_table_is_refused_with_a_hint_and_leaves_nothing(
    one_client: TestClient, one_parts: Parts, *, content: bytes, status: int, code: str, hint: str
) -> None:
    body = problem(upload(one_client, content), status, code)
    assert hint in body["detail"]
    assert str(one_parts.settings.home) not in str(body)
    assert one_client.get("/datasets").json()["items"] == []
    assert list(one_parts.store.list(one_parts.settings.datasets_bucket)) == []
    assert _spooled(one_parts) == []


def test_of_a_file_that_is_no_table_nothing_is_stored(one_client: TestClient, one_parts: Parts) -> None:
    problem(upload(one_client, b"a,a\n1,2\n"), 422, "duplicate_columns")
    assert one_client.get("/datasets").json()["items"] == []
    assert list(one_parts.store.list(one_parts.settings.datasets_bucket)) == []


@pytest.mark.any_stack
@pytest.mark.parametrize("name", ["", "🙂", "...", "x" * 65])
def test_a_name_with_nothing_or_too_much_left_is_refused(one_client: TestClient, name: str) -> None:
    answer = one_client.post("/datasets/upload", files={"file": ("###.csv", b"a\n1\n")}, data={"name": name})
    assert "field 'name'" in problem(answer, 422, "invalid_name")["detail"]


def _spooled(parts: Parts) -> list[Path]:
    return [path for path in parts.reader.folder.iterdir() if path.name.startswith(("spool-", "reading-", "preview-"))]


def test_a_preview_of_a_version_that_there_is_not_is_a_404(client: TestClient) -> None:
    client.post("/datasets/upload", files={"file": ("one.csv", b"a,b\n1,2\n")}).raise_for_status()
    for version in ("0", "-1", "abc", "", "1.0", "9", str(10**30)):
        answer = client.get("/datasets/one/preview", params={"version": version})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_dataset_version"), version
        assert "GET /datasets/one/versions lists them" in answer.json()["detail"]
