"""Splits by groups and by time in requests: what is accepted, and what is refused before there is a job."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.training_requests import body, refused, upload_customers


@pytest.fixture
def customers(one_client: TestClient, tmp_path: Path) -> str:
    return upload_customers(one_client, tmp_path)


def request(customers: str, **split: Any) -> dict[str, Any]:
    return body(dataset_name=customers, use_example=False, target_column="target", split=split)


BY, FOLDS = ["split", "by"], ["split", "folds"]
BAD: dict[str, tuple[dict[str, Any], str, str, list[str]]] = {
    "an unknown method": ({"method": "randon"}, "invalid_request", "split.method", ["split", "method"]),
    "an unknown field": ({"group": "city"}, "invalid_request", "split.group", ["split", "group"]),
    "groups without a column": ({"method": "grouped"}, "invalid_split", "name the column of the groups", BY),
    "time without a column": ({"method": "time"}, "invalid_split", "name the column of the time", BY),
    "a column by chance": ({"by": "city"}, "invalid_split", "or leave out 'by'", BY),
    "a misspelled column": ({"method": "grouped", "by": "citty"}, "unknown_column", "Did you mean 'city'?", BY),
    "the target": ({"method": "grouped", "by": "target"}, "invalid_split", "is the target", BY),
    "groups with gaps": (
        {"method": "grouped", "by": "city"},
        "invalid_split",
        "'city' decides the split, but it has no value in 16 rows",
        BY,
    ),
    "a time with gaps": ({"method": "time", "by": "since"}, "invalid_split", "Fill these in", BY),
    "a time of words": ({"method": "time", "by": "remark"}, "invalid_split", "has no order of time", BY),
    "one group": ({"method": "grouped", "by": "currency"}, "invalid_split", "has 1 group", BY),
    "a fold": ({"folds": 1}, "invalid_split", "0 for none, or from 2 to 20", FOLDS),
    "too many folds": ({"folds": 21}, "invalid_split", "0 for none, or from 2 to 20", FOLDS),
    "fewer than no folds": ({"folds": -1}, "invalid_split", "not -1", FOLDS),
    "folds of nothing": (
        {"folds": 20, "test_size": 0.9},
        "invalid_split",
        "19 rows are left to fit, too few for 20 folds of two rows each. Choose at most 9",
        FOLDS,
    ),
    "a share of two": ({"test_size": 2}, "invalid_split", "above 0 and below 1", ["test_size"]),
}


@pytest.mark.parametrize(("split", "code", "said", "place"), BAD.values(), ids=BAD.keys())
def test_a_split_that_cannot_be_made_is_refused(
    *, one_client: TestClient, customers: str, split: dict[str, Any], code: str, said: str, place: list[str]
) -> None:
    problem = refused(one_client.post("/train", json=request(customers, **split)), 422, code)
    assert said in problem["detail"]
    assert ["body", *place] in [error["loc"] for error in problem["errors"]]
    assert one_client.get("/jobs").json()["items"] == []


def test_the_share_is_named_once(one_client: TestClient, customers: str) -> None:
    twice = request(customers, test_size=0.3) | {"test_size": 0.2}
    problem = refused(one_client.post("/train", json=twice), 422, "invalid_request")
    assert "name the share once" in problem["detail"]
    same = request(customers, test_size=0.3) | {"test_size": 0.3}
    answer = one_client.post("/train?dry_run=true", json=same).json()
    assert (answer["valid"], answer["request"]["test_size"]) == (True, 0.3)


def test_the_share_of_the_split_is_taken(one_client: TestClient, customers: str) -> None:
    answer = one_client.post("/train?dry_run=true", json=request(customers, test_size=0.3, folds=4)).json()
    assert answer["request"]["test_size"] == 0.3
    assert answer["request"]["split"] == {"method": "random", "by": None, "folds": 4}


def test_a_column_of_groups_is_not_learnt_from_unless_it_is_named(one_client: TestClient) -> None:
    table = "patient,age,target\n" + "".join(f"{at // 4},{at % 7},{at % 2}\n" for at in range(80))
    one_client.post("/datasets/upload", files={"file": ("visits.csv", table)})
    wanted = request("visits", method="grouped", by="patient")
    recipe = one_client.post("/train?dry_run=true", json=wanted).json()["recipe"]
    told = {column["column"]: column["treatment"] for column in recipe}
    assert told["patient"] == "left out: its groups decide the split; name it in 'features' to use it"
    named = one_client.post("/train?dry_run=true", json=wanted | {"features": ["patient", "age"]}).json()
    assert [column["role"] for column in named["recipe"]] == ["number", "number"]
