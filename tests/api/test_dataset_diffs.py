"""What has changed between two versions of a dataset, as JSON and as a page."""

import random
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import select

from api.parts import Parts
from shared.datasets.rows import DatasetVersionRow

CHANCE = random.Random(7)  # noqa: S311 - no secret


def visits(rows: int, *, shift: float = 0.0, colours: str = "rrrgb") -> str:
    lines = [
        f"{number},{CHANCE.gauss(shift, 1):.3f},{CHANCE.choice(colours)},{CHANCE.randint(0, 5)},n{CHANCE.random()}"
        for number in range(rows)
    ]
    return "\n".join(["id,size,colour,visits,note", *lines, ""])


def upload(client: TestClient, text: str) -> Response:
    answer = client.post("/datasets/upload", files={"file": ("visits.csv", text)}, data={"name": "visits"})
    assert answer.status_code == 201, answer.text
    return answer


def columns_of(diff: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {column["name"]: column for column in diff["columns"]}


def words_of(diff: dict[str, Any]) -> dict[str, str | None]:
    return {column["name"]: column["drift"] for column in diff["columns"]}


@pytest.mark.any_stack
def test_a_shifted_column_drifts_and_comes_first_while_the_others_do_not(client: TestClient) -> None:
    upload(client, visits(800))
    upload(client, visits(900, shift=2.0, colours="rrrgy"))
    diff = client.get("/datasets/visits/diff").json()
    assert (diff["from"]["version"], diff["from"]["rows"], diff["to"]["version"], diff["to"]["rows"]) == (
        1,
        800,
        2,
        900,
    )
    assert words_of(diff) == {"colour": "strong", "size": "strong", "visits": "none", "note": "none", "id": None}
    assert diff["drifting"] == {"strong": 2, "some": 0, "none": 2}
    found = columns_of(diff)
    size, colour = found["size"], found["colour"]
    assert size["psi"] > 10 * size["chance"]
    assert size["ks"] > 0.5
    assert (sum(size["histogram"]["from"]), sum(size["histogram"]["to"])) == (800, 900)
    assert size["to"]["mean"] - size["from"]["mean"] > 1.5
    assert (colour["new_values"], colour["vanished_values"]) == (
        {"count": 1, "first": ["y"]},
        {"count": 1, "first": ["b"]},
    )
    assert {each["value"] for each in colour["shares"]} == set("rgby")
    assert found["note"]["measured"] == "lengths"
    assert found["id"]["not_measured"] == "It numbers the rows."


@pytest.mark.any_stack
def test_columns_that_came_went_or_are_read_in_another_way_are_told(client: TestClient) -> None:
    rows = range(40)
    upload(client, "a,b,c\n" + "".join(f"{row},1.5,{row}\n" for row in rows))
    upload(client, "a;b;d\n" + "".join(f"{'x' if row % 2 else 'y'};1,5;{row}\n" for row in rows))
    diff = client.get("/datasets/visits/diff?from=1&to=2").json()
    found = columns_of(diff)
    assert {name: column["state"] for name, column in found.items()} == {
        "a": "changed",
        "b": "changed",
        "c": "removed",
        "d": "added",
    }
    assert found["a"]["changes"][0] == {"what": "kind", "from": "integer", "to": "category"}
    assert found["a"]["not_measured"] == "Its kinds cannot be compared."
    assert {"what": "decimal", "from": ".", "to": ","} in found["b"]["changes"]
    assert found["b"]["drift"] == "none"
    assert (found["c"]["to"], found["d"]["from"]) == (None, None)
    assert {"what": "delimiter", "from": ",", "to": ";"} in diff["reading"]


@pytest.mark.any_stack
def test_a_browser_gets_the_diff_as_a_page_without_scripts(client: TestClient) -> None:
    upload(client, visits(100))
    upload(client, visits(100, shift=3.0, colours="<<<gb"))
    page = client.get("/datasets/visits/diff", headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "<h1>visits, from version 1 to 2</h1>" in page.text
    assert page.text.count('<svg viewBox="0 0 320 80" role="img"') == 3
    assert "strong drift" in page.text
    assert "&lt;" in page.text
    assert "<script" not in page.text


def test_gaps_that_become_many_are_drift(client: TestClient) -> None:
    upload(client, "a,b\n" + "".join(f"{row % 7},x\n" for row in range(300)))
    upload(client, "a,b\n" + "".join(f"{'' if row % 2 else row % 7},x\n" for row in range(300)))
    found = columns_of(client.get("/datasets/visits/diff").json())
    assert (found["a"]["drift"], found["a"]["ks"] < 0.1) == ("strong", True)
    assert found["b"]["drift"] == "none"


def test_a_handful_of_rows_tells_nothing(client: TestClient) -> None:
    upload(client, "a\n" + "1\n2\n" * 5)
    upload(client, "a\n" + "8\n9\n" * 5)
    (column,) = client.get("/datasets/visits/diff").json()["columns"]
    assert (column["drift"], column["not_measured"]) == (
        None,
        "One version has fewer than 30 rows, which tells nothing.",
    )


def test_versions_of_an_older_release_are_compared_too(client: TestClient, parts: Parts) -> None:
    upload(client, visits(100))
    upload(client, visits(100, shift=3.0))
    with parts.database.write() as session:
        for row in session.scalars(select(DatasetVersionRow)):
            row.columns, row.profile = [column | {"cells": None} for column in row.columns], None
    assert words_of(client.get("/datasets/visits/diff").json())["size"] == "strong"


def test_versions_that_are_not_there_or_the_same_are_refused(client: TestClient) -> None:
    assert client.get("/datasets/nothing/diff").json()["code"] == "unknown_dataset"
    upload(client, visits(30))
    only = client.get("/datasets/visits/diff")
    assert (only.status_code, only.json()["code"]) == (404, "unknown_dataset_version")
    assert "no version before 1" in only.json()["detail"]
    upload(client, visits(30))
    assert client.get("/datasets/visits/diff?from=7").json()["code"] == "unknown_dataset_version"
    assert client.get("/datasets/visits/diff?to=x").json()["code"] == "unknown_dataset_version"
    same = client.get("/datasets/visits/diff?from=2")
    assert (same.status_code, same.json()["code"]) == (422, "invalid_request")
    assert same.json()["errors"][0]["loc"] == ["query", "from"]
    assert client.get("/datasets/visits/diff?from=2&to=1").json()["from"]["version"] == 2
