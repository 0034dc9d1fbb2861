"""The profile of a dataset: how the values of each column are spread, as JSON and as a page."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from api.parts import Parts
from shared.datasets.rows import DatasetVersionRow
from tests.support.tables import IRIS

ROWS = [
    (
        row,
        "" if row == 3 else row / 4,
        "red" if row % 3 else "<b>blue",
        row % 2 == 0,
        f"2024-01-{row % 28 + 1:02}",
        f"n{row}",
    )
    for row in range(60)
]
TABLE = "id,size,colour,member,since,note\n" + "".join(",".join(map(str, row)) + "\n" for row in ROWS)
KINDS = {
    "id": "integer",
    "size": "number",
    "colour": "category",
    "member": "boolean",
    "since": "datetime",
    "note": "text",
}


def upload(client: TestClient, content: bytes, *, name: str) -> Response:
    return client.post("/datasets/upload", files={"file": ("data.csv", content)}, data={"name": name})


def columns_of(profile: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in profile["columns"]}


@pytest.mark.any_stack
def test_a_profile_tells_how_the_values_of_each_column_are_spread(client: TestClient) -> None:
    dataset = upload(client, TABLE.encode(), name="visits").json()
    profile = client.get(dataset["links"]["profile"]).json()
    assert (profile["name"], profile["version"], profile["rows"], profile["rows_looked_at"]) == ("visits", 1, 60, 60)
    assert profile["findings"] == dataset["findings"]
    assert profile["first_rows"] == client.get("/datasets/visits/preview").json()
    found = columns_of(profile)
    assert {name: column["kind"] for name, column in found.items()} == KINDS
    size = found["size"]
    assert size["quantiles"]["0.5"] == pytest.approx(7.5)
    assert (sum(size["histogram"]["counts"]), size["missing"]) == (59, 1)
    assert (size["histogram"]["edges"][0], size["histogram"]["edges"][-1]) == (size["min"], size["max"])
    assert found["colour"]["top"] == [{"value": "red", "count": 40}, {"value": "<b>blue", "count": 20}]
    assert found["member"]["top"] == [{"value": True, "count": 30}, {"value": False, "count": 30}]
    assert found["since"]["histogram"]["edges"][0] == 1704067200
    assert found["colour"]["histogram"] is None
    assert "cells" not in found["size"]


@pytest.mark.any_stack
def test_a_browser_gets_the_profile_as_a_page_without_scripts(client: TestClient) -> None:
    upload(client, TABLE.encode(), name="visits")
    answer = client.get("/datasets/visits/profile", headers={"Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>visits, version 1</h1>" in answer.text
    assert answer.text.count('<svg viewBox="0 0 320 80" role="img"') == 3
    assert 'href="/findings/index_column"' in answer.text
    assert "&lt;b&gt;blue" in answer.text
    assert "<b>" not in answer.text
    assert "<script" not in answer.text
    assert "style-src 'sha256-" in answer.headers["content-security-policy"]


@pytest.mark.any_stack
def test_the_page_says_what_was_said_of_gap_words_and_kinds(client: TestClient) -> None:
    said = {"gap_words": '["gone", "<b>"]', "kinds": '{"size": "category"}'}
    files = {"file": ("said.csv", b"size,word\n1,gone\n2,x\n")}
    assert client.post("/datasets/upload", files=files, data=said).status_code == 201
    page = client.get("/datasets/said/profile", headers={"Accept": "text/html"}).text
    assert "gap words (gone, &lt;b&gt;), kinds (size: category)" in page


@pytest.mark.any_stack
def test_a_long_table_is_profiled_from_rows_that_are_evenly_taken(client: TestClient) -> None:
    rows = "".join(f"{row % 5},{'ab'[row % 2]}\n" for row in range(50_000))
    upload(client, f"x,y\n{rows}".encode(), name="long")
    profile = client.get("/datasets/long/profile").json()
    assert (profile["rows"], profile["rows_looked_at"]) == (50_000, 12_500)
    assert sum(columns_of(profile)["x"]["histogram"]["counts"]) == 12_500
    page = client.get("/datasets/long/profile", headers={"Accept": "text/html"}).text
    assert "of 12,500 rows, evenly taken from the whole table" in page


def test_a_version_of_an_older_release_is_profiled_when_it_is_asked_for(client: TestClient, parts: Parts) -> None:
    upload(client, IRIS.read_bytes(), name="iris_2")
    kept = client.get("/datasets/iris_2/profile").json()
    with parts.database.write() as session:
        session.execute(update(DatasetVersionRow).values(profile=None))
    assert client.get("/datasets/iris_2/profile").json() == kept


def test_a_profile_of_what_is_not_there_is_not_found(client: TestClient) -> None:
    assert client.get("/datasets/nothing/profile").status_code == 404
    upload(client, IRIS.read_bytes(), name="iris_2")
    assert client.get("/datasets/iris_2/profile?version=7").json()["code"] == "unknown_dataset_version"
    assert client.get("/datasets/iris_2/profile?version=x").json()["code"] == "unknown_dataset_version"
