"""Excel workbooks over the API: uploaded, looked at beforehand, shown, read anew."""

import datetime as dt
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.parts import Parts
from shared.datasets import preview
from tests.support.workbooks import workbook

ROWS = [["Sales"], ["size", "day", "word"], [1, dt.date(2026, 1, 31), "a"], ["NA", None, "b"], [3, None, "a"]]
BOOK = workbook(ROWS, Notes=[["a note"]])


def upload(client: TestClient, **query: Any) -> dict[str, Any]:
    answer = client.post("/datasets/upload", files={"file": ("My Book.xlsx", BOOK)}, params=query)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_workbook_becomes_a_dataset_with_what_was_found_in_it(client: TestClient, parts: Parts) -> None:
    taken = upload(client)
    assert (taken["name"], taken["format"], taken["rows"]) == ("my_book", "xlsx", 3)
    assert (taken["reading"]["sheet"], taken["reading"]["header_line"]) == ("Data", 2)
    assert [(each["code"], each.get("column"), each.get("line")) for each in taken["findings"]] == [
        ("other_sheets", None, None),
        ("header_doubtful", None, 1),
        ("gap_word", "size", 4),
    ]
    (stored,) = parts.store.list(parts.settings.datasets_bucket)
    assert stored.key.endswith(".xlsx")


def test_the_preview_has_the_values_of_the_cells_however_large_the_file_is(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(client)
    # The beginning of a workbook says nothing, so all of it is fetched.
    monkeypatch.setattr(preview, "HEAD_BYTES", 100)
    shown = client.get("/datasets/my_book/preview", params={"rows": 2}).json()
    assert shown == {"columns": ["size", "day", "word"], "rows": [[1, "2026-01-31T00:00:00", "a"], [None, None, "b"]]}


@pytest.mark.any_stack
def test_a_dry_run_shows_the_reading_and_stores_nothing(client: TestClient) -> None:
    seen = upload(client, dry_run=True)
    assert (seen["reading"]["sheet"], seen["preview"]["rows"][0][0]) == ("Data", 1)
    assert client.get("/datasets").json()["items"] == []


@pytest.mark.any_stack
def test_a_workbook_is_read_anew_as_it_is_said(client: TestClient) -> None:
    upload(client)
    body = {"header": 2, "kinds": {"size": "category"}}
    again = client.post("/datasets/my_book/reread", json=body).json()
    assert (again["version"], again["format"], again["reading"]["sheet"]) == (2, "xlsx", "Data")
    assert again["columns"][0]["kind"] == "category"
    assert "header_doubtful" not in {each["code"] for each in again["findings"]}
