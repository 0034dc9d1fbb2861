"""Requests as `/v2` has them, read from messages, and its answers as messages."""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from api.http.validation import invalid_request
from api.protocols.problems import MessageProblems
from api.protocols.v2.datatypes import is_float
from api.protocols.v2.message import BINARY_SIZE
from api.rpc.messages import MESSAGES
from api.schemas.v2 import InferRequest

# Where the values of a type stand, if they are not raw. Numbers of two bytes have no such place.
_CONTENTS = {
    "BOOL": "bool_contents",
    **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
    "INT64": "int64_contents",
    **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
# What says in HTTP how values come; here the message itself says it.
_OF_HTTP = {BINARY_SIZE, "binary_data", "binary_data_output"}


class Received(NamedTuple):
    """A request, and the bytes of its raw tensors one after the other; they are binary tensors for what reads it."""

    body: InferRequest
    tail: bytes
    raw: bool


def read_request(message: Any) -> Received:
    """The request that a message makes.

    Raises:
        InvalidRequest: naming everything that is wrong with its form.
    """
    raw = list(message.raw_input_contents)
    problems = MessageProblems()
    if raw and len(raw) != len(message.inputs):
        sentence = f"There are {len(message.inputs)} inputs, but {len(raw)} raw contents. Send one for each input."
        problems.add(("raw_input_contents",), sentence)
        problems.raise_if_any()
    inputs = []
    for index, given in enumerate(message.inputs):
        parameters = read_parameters(given.parameters)
        described = {"name": given.name, "shape": list(given.shape), "datatype": given.datatype}
        if raw:
            parameters[BINARY_SIZE] = len(raw[index])
            _check_only_raw(index, given, problems)
        else:
            described["data"] = _values(index, given, problems)
        inputs.append(described | {"parameters": parameters})
    body = {
        "inputs": inputs,
        "outputs": [
            {"name": output.name, "parameters": read_parameters(output.parameters)} for output in message.outputs
        ],
        # The answer comes as the request did.
        "parameters": read_parameters(message.parameters) | {"binary_data_output": bool(raw)},
        "id": message.id or None,
    }
    try:
        checked = InferRequest.model_validate(body)
    except ValidationError as error:
        wrong = [each | {"loc": ("body", *each["loc"])} for each in error.errors(include_url=False)]
        raise invalid_request(wrong, body=InferRequest) from None
    problems.raise_if_any()
    return Received(checked, b"".join(raw), bool(raw))


def write_answer(content: Mapping[str, Any], behind: bytes, *, raw: bool) -> bytes:
    """The message of an answer as JSON would have it, `behind` which are the bytes of its raw tensors."""
    message = MESSAGES["ModelInferResponse"](
        model_name=content["model_name"],
        model_version=content["model_version"],
        id=content.get("id", ""),
        parameters=written_parameters(content["parameters"]),
    )
    place = 0
    for output in content["outputs"]:
        tensor = message.outputs.add(name=output["name"], datatype=output["datatype"], shape=output["shape"])
        if raw:
            end = place + output["parameters"][BINARY_SIZE]
            message.raw_output_contents.append(behind[place:end])
            place = end
        else:
            values = output["data"]
            texts = output["datatype"] == "BYTES"
            getattr(tensor.contents, _CONTENTS[output["datatype"]]).extend(map(str.encode, values) if texts else values)
    written: bytes = message.SerializeToString()
    return written


def read_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a message, without those that mean something in HTTP only."""
    found = {name: (each, each.WhichOneof("parameter_choice")) for name, each in parameters.items()}
    return {
        name: None if choice is None else getattr(each, choice)
        for name, (each, choice) in found.items()
        if name not in _OF_HTTP
    }


def written_parameters(values: Mapping[str, Any]) -> dict[str, Any]:
    """Truths and texts as parameters of a message."""
    make = MESSAGES["InferParameter"]
    return {
        name: make(bool_param=value) if isinstance(value, bool) else make(string_param=str(value))
        for name, value in values.items()
    }


def _check_only_raw(index: int, given: Any, problems: MessageProblems) -> None:
    if given.contents.ListFields():
        sentence = f"The input '{given.name}' has both 'contents' and raw contents. Leave out one of the two."
        problems.add(("inputs", index, "contents"), sentence)


def _values(index: int, given: Any, problems: MessageProblems) -> list[Any]:
    """The values of a tensor, None where one is missing; an unknown type is told by who reads the types."""
    if given.datatype not in _CONTENTS:
        if given.datatype in {"FP16", "BF16"}:
            sentence = f"The input '{given.name}' is {given.datatype}, whose values are raw. Send 'raw_input_contents'."
            problems.add(("inputs", index, "datatype"), sentence)
        return []
    wanted = _CONTENTS[given.datatype]
    for field, _ in given.contents.ListFields():
        if field.name != wanted:
            sentence = (
                f"The input '{given.name}' has values in '{field.name}'. Those of {given.datatype} go into '{wanted}'."
            )
            problems.add(("inputs", index, "contents", field.name), sentence)
    values = getattr(given.contents, wanted)
    if is_float(given.datatype):
        return [None if math.isnan(value) else value for value in values]
    return _texts(index, given, values, problems) if given.datatype == "BYTES" else list(values)


def _texts(index: int, given: Any, values: Iterable[bytes], problems: MessageProblems) -> list[str]:
    texts = []
    for at, value in enumerate(values):
        try:
            texts.append(value.decode())
        except UnicodeDecodeError:
            texts.append("")
            sentence = f"The input '{given.name}' is BYTES, but element {at} is not a text in UTF-8."
            problems.add(("inputs", index, "contents", "bytes_contents", at), sentence)
    return texts
