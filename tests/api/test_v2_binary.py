"""The extension for binary tensors, byte by byte: what comes and goes behind the JSON."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from api.parts import Parts
from tests.support.models import IRIS_COLUMNS, Platform, doubling

pytestmark = pytest.mark.any_stack

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.2, 3.4, 5.4, 2.3]]
FLAT = [cell for row in ROWS for cell in row]
DOUBLES = struct.pack("<8d", *FLAT)
INFER = "/v2/models/iris@dev/infer"
LENGTH = "Inference-Header-Content-Length"


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


def whole(size: Any = 64, **other: Any) -> dict[str, Any]:
    tensor = {"name": "rows", "shape": [2, 4], "datatype": "FP64", "parameters": {"binary_data_size": size}}
    return tensor | other


def sent(
    client: TestClient, tail: bytes, *inputs: dict[str, Any], length: object = None, path: str = INFER, **more: Any
) -> Response:
    message = json.dumps({"inputs": list(inputs), **more}).encode()
    headers = {LENGTH: str(len(message) if length is None else length)}
    return client.post(path, content=message + tail, headers=headers)


def parts_of(answer: Response) -> tuple[dict[str, Any], bytes]:
    """The JSON of an answer, and the bytes behind it."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers[LENGTH])
    return json.loads(answer.content[:length]), answer.content[length:]


def in_json(client: TestClient, **more: Any) -> dict[str, Any]:
    tensor = {"name": "rows", "shape": [2, 4], "datatype": "FP64", "data": FLAT}
    found: dict[str, Any] = client.post(INFER, json={"inputs": [tensor], **more}).json()
    return found


def test_binary_rows_are_the_rows_that_json_would_have(v2: TestClient) -> None:
    assert sent(v2, DOUBLES, whole()).json() == in_json(v2)


def test_columns_take_their_bytes_in_their_order_and_may_be_mixed_with_json(v2: TestClient) -> None:
    columns = list(zip(*ROWS, strict=True))
    inputs: list[dict[str, Any]] = [
        {"name": name, "shape": [2, 1], "datatype": "FP64", "parameters": {"binary_data_size": 16}}
        for name in IRIS_COLUMNS
    ]
    inputs[1] = {"name": IRIS_COLUMNS[1], "shape": [2], "datatype": "FP64", "data": columns[1]}
    tail = b"".join(struct.pack("<2d", *columns[at]) for at in (0, 2, 3))
    assert sent(v2, tail, *inputs).json() == in_json(v2)


def test_outputs_come_as_bytes_where_that_is_asked_for(v2: TestClient) -> None:
    outputs = [{"name": "predict", "parameters": {"binary_data": True}}, {"name": "predict_proba"}]
    message, tail = parts_of(sent(v2, DOUBLES, whole(), outputs=outputs))
    labels, proba = message["outputs"]
    assert labels["parameters"] == {"binary_data_size": len(tail)}
    assert "data" not in labels
    assert tail == b"\x06\0\0\0setosa" + b"\x09\0\0\0virginica"
    assert proba == in_json(v2, outputs=[{"name": "predict_proba"}])["outputs"][0]


def test_all_outputs_come_as_bytes_but_those_that_say_otherwise(v2: TestClient) -> None:
    outputs = [{"name": "predict", "parameters": {"binary_data": False}}, {"name": "predict_proba"}]
    message, tail = parts_of(sent(v2, DOUBLES, whole(), outputs=outputs, parameters={"binary_data_output": True}))
    assert message["outputs"][0]["data"] == ["setosa", "virginica"]
    assert message["outputs"][1]["parameters"] == {"binary_data_size": 48}
    shares = in_json(v2, outputs=[{"name": "predict_proba"}])["outputs"][0]["data"]
    assert list(struct.unpack("<6d", tail)) == shares


def test_a_request_in_json_may_ask_for_bytes(v2: TestClient) -> None:
    tensor = {"name": "x", "shape": [1], "datatype": "FP64", "data": [4.0]}
    body = {"inputs": [tensor], "parameters": {"binary_data_output": True}}
    _, tail = parts_of(v2.post("/v2/models/doubling@dev/infer", json=body))
    assert struct.unpack("<d", tail) == pytest.approx((8.0,))


@pytest.mark.parametrize(
    ("datatype", "letter"),
    [
        *[("UINT8", "B"), ("UINT16", "H"), ("UINT32", "I"), ("UINT64", "Q"), ("INT8", "b"), ("INT16", "h")],
        *[("INT32", "i"), ("INT64", "q"), ("FP16", "e"), ("FP32", "f"), ("FP64", "d")],
    ],
)
def test_bytes_may_be_of_any_type_of_numbers(v2: TestClient, datatype: str, letter: str) -> None:
    tail = struct.pack(f"<2{letter}", 4, 7)
    tensor = {"name": "x", "shape": [2], "datatype": datatype, "parameters": {"binary_data_size": len(tail)}}
    answer = sent(v2, tail, tensor, path="/v2/models/doubling@dev/infer")
    assert answer.json()["outputs"][0]["data"] == pytest.approx([8.0, 14.0])


@pytest.mark.parametrize(
    ("tail", "tensor", "said"),
    [
        (DOUBLES, whole(63), "announce 63 bytes of binary data, but 64 follow"),
        (DOUBLES[:-1], whole(), "announce 64 bytes of binary data, but 63 follow"),
        (DOUBLES + b"\0", whole(), "announce 64 bytes of binary data, but 65 follow"),
        (b"", whole(), "but 0 follow"),
        (DOUBLES, whole(2**63), "announce 9223372036854775808 bytes"),
        (DOUBLES, whole(10**300), "announce"),
        (DOUBLES, whole(-64), "must be a number of bytes from 0"),
        (DOUBLES, whole("64"), "must be a number of bytes from 0"),
        (DOUBLES, whole(64.0), "must be a number of bytes from 0"),
        (DOUBLES, whole(True), "must be a number of bytes from 0"),
        (DOUBLES, whole(datatype="FP32"), "has 32 bytes, but 64 are announced"),
        (DOUBLES, whole(shape=[3, 4]), "has 96 bytes, but 64 are announced"),
        (DOUBLES, whole(shape=[2**62, 4]), "but 64 are announced"),
        (DOUBLES, whole(data=FLAT), "has both 'data' and 'binary_data_size'"),
        (DOUBLES, whole(datatype="BYTES"), "ends behind the data"),
        (b"\x01\0\0", whole(3, datatype="BYTES", shape=[1]), "element 0 ends behind the data"),
        (b"\xff\xff\xff\xffa", whole(5, datatype="BYTES", shape=[1]), "element 0 ends behind the data"),
        (b"\x01\0\0\0\xff", whole(5, datatype="BYTES", shape=[1]), "element 0 is not a text in UTF-8"),
        (b"\x01\0\0\0a", whole(5, datatype="BYTES", shape=[2]), "has 2 values, but 1 are given"),
        (b"\0\x01\x02\0", whole(4, datatype="BOOL", shape=[1, 4]), "element 2 is the byte 2"),
    ],
)
def test_bytes_that_are_not_the_announced_tensor_are_refused(
    v2: TestClient, tail: bytes, tensor: dict[str, Any], said: str
) -> None:
    answer = sent(v2, tail, tensor)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


@pytest.mark.parametrize("length", ["-1", "1.5", "", "x", "0x10", "9" * 400, "99999", "\u00b2"])
def test_a_length_of_the_json_that_is_none_is_refused(v2: TestClient, length: str) -> None:
    answer = v2.post(INFER, content=b"{}" + DOUBLES, headers=[(LENGTH.encode(), length.encode())])
    assert answer.status_code == 400
    assert LENGTH in answer.json()["error"]


def test_two_lengths_of_the_json_are_refused(v2: TestClient) -> None:
    answer = v2.post(INFER, content=b"{}" + DOUBLES, headers=[(LENGTH, "2"), (LENGTH, "66")])
    assert answer.status_code == 400
    assert "not '2, 66'" in answer.json()["error"]


def test_a_length_that_cuts_the_json_off_is_refused(v2: TestClient) -> None:
    for length in (0, 10):
        answer = sent(v2, DOUBLES, whole(), length=length)
        assert answer.status_code == 400
        assert list(answer.json()) == ["error"]


def test_sizes_without_the_length_of_the_json_are_refused(v2: TestClient) -> None:
    answer = v2.post(INFER, json={"inputs": [whole()]})
    assert answer.status_code == 400
    assert f"the header {LENGTH}" in answer.json()["error"]


def test_nan_is_a_missing_value_and_infinity_is_refused(v2: TestClient) -> None:
    for number, said in [(float("nan"), "is missing in row 1"), (float("-inf"), "-inf is not a finite number")]:
        answer = sent(v2, struct.pack("<8d", *FLAT[:7], number), whole())
        assert answer.status_code == 422
        assert said in answer.json()["error"]


def test_a_body_over_the_limit_is_refused(v2: TestClient, one_parts: Parts) -> None:
    size = one_parts.settings.json_max_bytes
    answer = sent(v2, bytes(size), whole(size))
    assert answer.status_code == 413
    assert "MLMINI_JSON_MAX_BYTES" in answer.json()["error"]
