"""The tensors of a request: their values in row-major order, from JSON or from the bytes behind it."""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

from api.protocols.columns import check_cells
from api.protocols.problems import MessageProblems, Place
from api.protocols.v2.datatypes import size_of, unpack, wrong_value
from api.protocols.v2.message import BINARY_SIZE, JSON_LENGTH
from api.schemas.v2 import InputTensor

# Values of the types themselves need no second look.
_PLAIN: dict[str, set[type]] = {"FP64": {float, int}, "BYTES": {str}, "BOOL": {bool}}
# Dimensions are 64-bit integers in the protocol; none that fits a body comes near.
_LARGEST_DIMENSION = 2**63 - 1
_SHOWN = 60


class Tensor(NamedTuple):
    """One input: `values` has as many as `shape` says, None where a value is missing."""

    name: str
    shape: tuple[int, ...]
    values: list[Any]


def read_tensors(inputs: Sequence[InputTensor], tail: bytes, *, max_cells: int) -> list[Tensor]:
    """The values of all inputs; `tail` are the bytes behind the JSON.

    Raises:
        InvalidRequest: for everything that is wrong with their names, shapes, types and sizes, all at once.
        BodyTooLarge: when there are more values than one request may have cells: each is looked at.
    """
    problems = MessageProblems()
    seen: set[str] = set()
    for index, given in enumerate(inputs):
        if given.name in seen:
            problems.add(("inputs", index, "name"), f"The input '{given.name}' is given twice. Give each once.")
        seen.add(given.name)
        _check_form(index, given, problems)
    problems.raise_if_any()
    tensors = [
        Tensor(given.name, tuple(given.shape), _values(given, ("inputs", index), part, problems))
        for index, (given, part) in enumerate(zip(inputs, _cut(inputs, tail), strict=True))
    ]
    problems.raise_if_any()
    rows, width = max(tensor.shape[0] for tensor in tensors), sum(prod(tensor.shape[1:]) for tensor in tensors)
    check_cells(rows, width, max_cells)
    for index, (given, tensor) in enumerate(zip(inputs, tensors, strict=True)):
        if given.data is not None:
            _check_elements(given, tensor.values, ("inputs", index, "data"), problems)
    problems.raise_if_any()
    return tensors


def _check_form(index: int, given: InputTensor, problems: MessageProblems) -> None:
    place: Place = ("inputs", index)
    if len(given.shape) not in {1, 2} or not all(0 <= size <= _LARGEST_DIMENSION for size in given.shape):
        problems.add(
            (*place, "shape"),
            f"The input '{given.name}' has the shape {str(given.shape)[:_SHOWN]}. Send [rows] or [rows, columns], with "
            "sizes from 0.",
        )
    parameters = given.parameters or {}
    if "shared_memory_region" in parameters:
        problems.add((*place, "parameters", "shared_memory_region"), "There is no shared memory here. Send the values.")
    if parameters.get("content_type") == "base64":
        problems.add((*place, "parameters", "content_type"), "Texts are taken as they are. Send them without base64.")
    size = parameters.get(BINARY_SIZE)
    if size is None:
        if not isinstance(given.data, list):
            problems.add((*place, "data"), f"The input '{given.name}' has no list of values in 'data'.")
    elif type(size) is not int or size < 0:
        problems.add((*place, "parameters", BINARY_SIZE), f"'{BINARY_SIZE}' must be a number of bytes from 0.")
    elif given.data is not None:
        problems.add((*place, "data"), f"The input '{given.name}' has both 'data' and '{BINARY_SIZE}'. Leave out one.")


def _cut(inputs: Sequence[InputTensor], tail: bytes) -> list[bytes | None]:
    """The bytes of each input in their order; None for those whose values are in the JSON."""
    sizes = [(given.parameters or {}).get(BINARY_SIZE) for given in inputs]
    expected = sum(size or 0 for size in sizes)
    if expected != len(tail):
        problems = MessageProblems()
        problems.add(
            ("inputs",),
            f"The inputs announce {expected} bytes of binary data, but {len(tail):,} follow the JSON. "
            f"Make the sizes and the header {JSON_LENGTH} agree with the body.",
        )
        problems.raise_if_any()
    parts: list[bytes | None] = []
    place = 0
    for size in sizes:
        parts.append(None if size is None else tail[place : place + size])
        place += size or 0
    return parts


def _values(given: InputTensor, place: Place, part: bytes | None, problems: MessageProblems) -> list[Any]:
    values = _flat(given, place, problems) if part is None else _unpacked(part, given, place, problems)
    if values is not None and len(values) != prod(given.shape):
        problems.add(
            place,
            f"The input '{given.name}' of the shape {given.shape} has {prod(given.shape)} values, but {len(values):,} "
            "are given.",
        )
    return values or []


def _unpacked(data: bytes, given: InputTensor, place: Place, problems: MessageProblems) -> list[Any] | None:
    if given.datatype != "BYTES" and len(data) != prod(given.shape) * size_of(given.datatype):
        wanted = prod(given.shape) * size_of(given.datatype)
        problems.add(
            (*place, "parameters", BINARY_SIZE),
            f"The input '{given.name}' of {given.datatype} and the shape {given.shape} has {wanted} bytes, but "
            f"{len(data):,} are announced.",
        )
        return None
    try:
        return unpack(given.datatype, data)
    except ValueError as error:
        problems.add(place, f"The binary data of the input '{given.name}' is not {given.datatype}: {error}.")
        return None


def _check_elements(given: InputTensor, values: list[Any], place: Place, problems: MessageProblems) -> None:
    if _PLAIN.get(given.datatype, set()).issuperset(map(type, values)):
        return
    for at, value in enumerate(values):
        wrong = wrong_value(given.datatype, value)
        if wrong is not None:
            problems.add((*place, at), f"The input '{given.name}' is {given.datatype}, but element {at}: {wrong}.")


def _flat(given: InputTensor, place: Place, problems: MessageProblems) -> list[Any] | None:
    """The values in row-major order; they may be nested as the shape says."""
    data: list[Any] = given.data or []
    nested = [isinstance(item, list) for item in data]
    if not any(nested):
        return data
    right = len(given.shape) == 2 and all(nested) and all(len(row) == given.shape[1] for row in data)
    if not right or len(data) != given.shape[0]:
        problems.add(
            (*place, "data"),
            f"The lists in 'data' of the input '{given.name}' are not of the shape {given.shape}. Nest them as it "
            "says, or send one flat list.",
        )
        return None
    return [value for row in data for value in row]
