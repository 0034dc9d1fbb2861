"""A call as a curl command, read the way a shell reads it."""

import json
import shlex
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from cli.client import requests as calls
from cli.client.request import Call

URL = "http://127.0.0.1:8000"


def words(call: Call) -> list[str]:
    return shlex.split(call.as_curl(URL).replace("\\\n", ""))


def body(call: Call) -> Any:
    read = words(call)
    return json.loads(read[read.index("-d") + 1])


def test_a_get_is_its_address_alone() -> None:
    assert words(calls.job("7c2f", wait=20)) == ["curl", "-s", f"{URL}/jobs/7c2f?wait=20"]


def test_a_post_without_a_body_names_its_method() -> None:
    assert words(calls.cancel("7c2f")) == ["curl", "-s", "-X", "POST", f"{URL}/jobs/7c2f/cancel"]


def test_a_key_is_a_header() -> None:
    read = words(calls.promote(dataset_name="iris", version=1, target_stage="staging", key="mine"))
    assert "Idempotency-Key: mine" in read
    assert "Content-Type: application/json" in read


REQUESTS: dict[str, dict[str, Any]] = {
    "a small one": {"a": 1},
    "quotes of the shell": {"a": 'it\'s $HOME `x` \\ "y" !'},
    "other scripts": {"größe": ["日本", None, True, 1.5]},
    "a long one": {f"column_{index}": [{"x": "y" * 30, "z": [1, 2, 3] * 20}] * 3 for index in range(9)},
    "long words": {"a" * 200: "b" * 200},
    "line breaks": {"a": "b\nc" * 40},
    "empty things": {"a": {}, "b": [], "c": ["d" * 90, {}, []]},
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_body_survives_the_shell(name: str) -> None:
    assert body(calls.train(REQUESTS[name])) == REQUESTS[name]


def test_a_long_body_is_shown_in_short_lines() -> None:
    rows = [{"island": "Dream", "bill_length_mm": 50.1, "sex": None}] * 20
    text = calls.predict(dataset_name="penguins", environment="dev", input_data={"records": rows}).as_curl(URL)
    assert max(map(len, text.splitlines())) <= 80


def test_what_is_wanted_of_a_table_is_said_in_its_address() -> None:
    asked: dict[str, Any] = {
        "dataset_name": "a",
        "environment": "dev",
        "version": None,
        "target": None,
        "column": "prediction",
    }
    for probabilities, intervals in product([False, True], repeat=2):
        query = calls.predict_table(**asked, probabilities=probabilities, intervals=intervals).query
        assert (query.get("proba"), query.get("interval")) == (
            "true" if probabilities else None,
            "true" if intervals else None,
        )


def test_an_upload_sends_a_file_and_texts_as_they_are() -> None:
    call = calls.upload(Path("/a folder/it's.csv"), name="@passwords", description="<of people>")
    read = words(call)
    assert read[read.index("-F") + 1] == "file=@/a folder/it's.csv"
    assert [read[index + 1] for index, word in enumerate(read) if word == "--form-string"] == [
        "name=@passwords",
        "description=<of people>",
    ]


def test_names_are_quoted_in_addresses() -> None:
    assert calls.dataset("../jobs?x=1#y").path == "/datasets/..%2Fjobs%3Fx%3D1%23y"
