"""Tensors of the Open Inference Protocol: what is packed is what is unpacked, and whatever comes is read or refused."""

import math
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.protocols.v2.datatypes import integer_type, is_float, pack, size_of, unpack, wrong_value
from api.protocols.v2.message import BINARY_SIZE, split
from api.protocols.v2.rows import rows_of
from api.protocols.v2.tensors import read_tensors
from api.schemas.v2 import InferRequest, InputTensor
from shared.errors import InvalidRequest, PlatformError
from shared.estimators.signature import InputColumn, Signature

INTEGERS = ["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"]
FLOATS = {"FP16": 16, "FP32": 32, "FP64": 64}
NAMES = ["BOOL", *INTEGERS, *FLOATS, "BF16", "BYTES"]


def values_of(datatype: str) -> st.SearchStrategy[Any]:
    if datatype == "BOOL":
        return st.booleans()
    if datatype == "BYTES":
        return st.text(st.characters(codec="utf-8"), max_size=5)
    if datatype in FLOATS:
        return st.floats(width=FLOATS[datatype], allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]  # it is one of the widths
    bits = 8 * size_of(datatype)
    low = 0 if datatype.startswith("U") else -(2 ** (bits - 1))
    return st.integers(low, low + 2**bits - 1)


@given(st.data())
@pytest.mark.parametrize("datatype", [name for name in NAMES if name != "BF16"])
def test_packed_values_are_unpacked_and_right_in_json(datatype: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(values_of(datatype), max_size=6))
    assert unpack(datatype, pack(datatype, values)) == values
    assert [wrong_value(datatype, value) for value in values] == [None] * len(values)
    if datatype != "BYTES":
        assert len(pack(datatype, values)) == len(values) * size_of(datatype)


@given(st.sampled_from(INTEGERS), st.integers())
def test_integers_are_right_in_json_where_they_can_be_packed(datatype: str, number: int) -> None:
    try:
        pack(datatype, [number])
    except struct.error:
        assert "is not between" in str(wrong_value(datatype, number))
    else:
        assert wrong_value(datatype, number) is None


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_half_of_a_number_in_single_precision_is_that_number_but_less_exact(number: float) -> None:
    (found,) = unpack("BF16", struct.pack("<f", number)[2:])
    assert math.isclose(found, number, rel_tol=2**-7, abs_tol=1e-38)


@pytest.mark.parametrize("datatype", ["BF16", *FLOATS])
def test_nan_is_a_missing_value(datatype: str) -> None:
    letters = {"FP16": "<e", "FP32": "<f", "FP64": "<d"}
    written = struct.pack(letters[datatype], math.nan) if datatype in letters else b"\xc0\x7f"
    assert unpack(datatype, written) == [None]
    assert is_float(datatype)


@given(st.lists(st.integers(-(2**70), 2**70), max_size=4))
def test_an_integer_type_holds_the_integers(values: list[int]) -> None:
    datatype = integer_type(values)
    if datatype is None:
        assert min(values) < -(2**63) or max(values) >= 2**63
    else:
        assert unpack(datatype, pack(datatype, values)) == values


def outcome(act: Callable[[], Any]) -> Any:
    """What it gives, or the error with which it refuses."""
    try:
        return act()
    except (PlatformError, ValueError) as refused:
        return refused


@given(st.binary(max_size=30))
def test_whatever_bytes_are_texts_or_refused_with_the_element(data: bytes) -> None:
    found = outcome(lambda: unpack("BYTES", data))
    if isinstance(found, ValueError):
        assert "element" in str(found)
    else:
        assert pack("BYTES", found) == data


@given(st.binary(max_size=20), st.none() | st.text(max_size=4) | st.integers(-5, 40).map(str))
def test_a_message_is_split_without_loss_or_refused(body: bytes, length: str | None) -> None:
    found = outcome(lambda: split(body, length))
    if isinstance(found, InvalidRequest):
        assert "Give the length" in found.detail
    else:
        assert b"".join(found) == body
        assert length is None or len(found[0]) == int(length)


SCALARS = st.none() | st.booleans() | st.integers(-300, 300) | st.floats() | st.text(max_size=3)
DATA = st.none() | st.lists(SCALARS | st.lists(SCALARS, max_size=3), max_size=6)
SIZES = st.integers(-1, 30) | st.booleans() | st.text(max_size=2) | st.just(2**70)
INPUTS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", "c", "target", "A"]),
        "shape": st.lists(st.integers(-1, 4) | st.just(2**70), max_size=3),
        "datatype": st.sampled_from(NAMES),
    },
    optional={
        "data": DATA,
        "parameters": st.none() | st.fixed_dictionaries({}, optional={BINARY_SIZE: SIZES, "content_type": st.text()}),
    },
)
SIGNATURE = Signature(
    inputs=[
        InputColumn(name="a", kind="number", missing_allowed=True),
        InputColumn(name="b", kind="category", missing_allowed=False, used=False),
    ],
    target="target",
    task="regression",
    classes=None,
    numeric=False,
)


@given(st.lists(INPUTS, min_size=1, max_size=3), st.binary(max_size=30))
def test_whatever_tensors_come_they_become_rows_or_are_refused(inputs: list[dict[str, Any]], tail: bytes) -> None:
    request = InferRequest.model_validate({"inputs": inputs})
    found = outcome(
        lambda: rows_of(
            SIGNATURE, read_tensors(request.inputs, tail, max_cells=20), version=1, max_cells=20, warnings=[]
        )
    )
    if isinstance(found, PlatformError):
        assert found.detail
        assert all(part["msg"] for part in found.errors)
        return
    assert len(found) == request.inputs[0].shape[0]
    assert all(len(row) == 2 for row in found)


@given(st.data(), st.integers(1, 4), st.integers(1, 3), st.sampled_from(NAMES[:-2]))
def test_flat_nested_and_binary_values_are_the_same_tensor(
    data: st.DataObject, rows: int, width: int, datatype: str
) -> None:
    row = st.lists(values_of(datatype), min_size=width, max_size=width)
    nested = data.draw(st.lists(row, min_size=rows, max_size=rows))
    flat = [value for row in nested for value in row]
    tail = pack(datatype, flat)
    form: dict[str, Any] = {"name": "a", "shape": [rows, width], "datatype": datatype}
    ways: list[dict[str, Any]] = [{"data": nested}, {"data": flat}, {"parameters": {BINARY_SIZE: len(tail)}}]
    (by_list, by_rows, by_bytes) = [
        read_tensors([InputTensor.model_validate(form | way)], tail if "parameters" in way else b"", max_cells=20)
        for way in ways
    ]
    assert by_list == by_rows == by_bytes
    assert by_list[0].values == flat


def test_a_type_that_is_none_is_not_taken() -> None:
    with pytest.raises(ValidationError):
        InputTensor.model_validate({"name": "a", "shape": [1], "datatype": "fp64"})
