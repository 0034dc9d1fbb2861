"""What a model takes and gives, as the protocol describes it."""

from typing import Any

from api.protocols.probabilities import has_probabilities
from api.protocols.v2.datatypes import Datatype, integer_type
from api.protocols.v2.outputs import PREDICT, PROBABILITIES, label_type
from api.schemas.v2 import TensorMetadata
from shared.estimators.signature import InputColumn
from shared.prediction.predictor import Predictor

_NUMBERS: dict[str, Datatype] = {"integer": "INT64", "number": "FP64", "boolean": "BOOL"}


def input_tensors(predictor: Predictor) -> list[TensorMetadata]:
    """One tensor for each column of the table, in the order of the signature."""
    return [
        TensorMetadata(
            name=column.name,
            datatype=_type_of(column),
            shape=[-1],
            parameters={"kind": column.kind, "missing_allowed": column.missing_allowed, "used": column.used},
        )
        for column in predictor.signature.inputs
    ]


def output_tensors(predictor: Predictor) -> list[TensorMetadata]:
    """The predictions, and the probabilities where the model has them."""
    signature = predictor.signature
    outputs = [TensorMetadata(name=PREDICT, datatype=label_type(signature), shape=[-1])]
    if has_probabilities(predictor):
        classes = signature.classes or []
        outputs.append(
            TensorMetadata(
                name=PROBABILITIES, datatype="FP64", shape=[-1, len(classes)], parameters={"classes": classes}
            )
        )
    return outputs


def how_to_send(predictor: Predictor) -> str:
    """That all columns may be sent in one tensor."""
    width = len(predictor.signature.inputs)
    return (
        f"Instead of one tensor for each column, one of any name and of the shape [-1, {width}] is taken, with the "
        "columns in this order."
    )


def _type_of(column: InputColumn) -> Datatype:
    if column.kind in _NUMBERS:
        return _NUMBERS[column.kind]
    categories: list[Any] = column.categories or []
    kinds = set(map(type, categories))
    if kinds == {int} and integer_type(categories) == "INT64":
        return "INT64"
    if kinds == {bool}:
        return "BOOL"
    return "FP64" if kinds and kinds <= {int, float} else "BYTES"
