"""The outputs of a model as tensors, in JSON or as the bytes behind it."""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

from api.protocols.probabilities import need_probabilities
from api.protocols.problems import MessageProblems
from api.protocols.v2.datatypes import Datatype, integer_type, pack
from api.protocols.v2.message import BINARY_SIZE
from api.schemas.v2 import InferRequest
from shared.errors import closest, meant
from shared.estimators.signature import Signature
from shared.prediction.predictor import Prediction, Predictor

PREDICT = "predict"
PROBABILITIES = "predict_proba"


class WantedOutput(NamedTuple):
    """An output that is asked for, and whether it goes behind the JSON."""

    name: str
    binary: bool


def wanted_outputs(request: InferRequest, predictor: Predictor) -> list[WantedOutput]:
    """The outputs of an answer, by default the predictions alone.

    Raises:
        InvalidRequest: when there is no such output, or a parameter is not what it should be.
        NoProbabilities: when the model has none.
    """
    binary = (request.parameters or {}).get("binary_data_output", False)
    problems = MessageProblems()
    if not isinstance(binary, bool):
        problems.add(("parameters", "binary_data_output"), "'binary_data_output' must be true or false.")
    known = [PREDICT, PROBABILITIES]
    outputs: list[WantedOutput] = []
    for index, asked in enumerate(request.outputs or []):
        parameters = asked.parameters or {}
        each: Any = parameters.get("binary_data", binary)
        if asked.name not in known:
            hint = meant(closest(asked.name, known)) or f" The outputs are: {', '.join(known)}."
            problems.add(("outputs", index, "name"), f"There is no output '{asked.name}'.{hint}")
        if any(asked.name == other.name for other in outputs):
            problems.add(("outputs", index, "name"), f"The output '{asked.name}' is asked for twice.")
        if not isinstance(each, bool):
            problems.add(("outputs", index, "parameters", "binary_data"), "'binary_data' must be true or false.")
        if "classification" in parameters:
            problems.add(
                ("outputs", index, "parameters", "classification"),
                f"There is no extension for classification here. Ask for '{PROBABILITIES}'.",
            )
        outputs.append(WantedOutput(asked.name, each))
    problems.raise_if_any()
    if any(output.name == PROBABILITIES for output in outputs):
        need_probabilities(predictor, f"Leave '{PROBABILITIES}' out of 'outputs'.")
    return outputs or [WantedOutput(PREDICT, binary)]


def label_type(signature: Signature) -> Datatype:
    """The type of the predictions of a model."""
    if signature.task == "regression":
        return "FP64"
    classes = signature.classes or []
    kinds = set(map(type, classes))
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return integer_type(classes) or "BYTES"
    return "FP64" if kinds and kinds <= {int, float} else "BYTES"


def written_outputs(
    signature: Signature, prediction: Prediction, wanted: Sequence[WantedOutput]
) -> tuple[list[dict[str, Any]], bytes]:
    """The outputs of an answer as the JSON has them, and the bytes that go behind it."""
    described, parts = [], []
    for output in wanted:
        datatype: Datatype
        if output.name == PREDICT:
            datatype, shape = label_type(signature), [len(prediction.predictions)]
            values = _labels(prediction.predictions, datatype)
        else:
            probabilities = prediction.probabilities or []
            datatype, shape = "FP64", [len(probabilities), len(prediction.classes or [])]
            values = list(chain.from_iterable(probabilities))
        tensor: dict[str, Any] = {"name": output.name, "shape": shape, "datatype": datatype}
        if output.binary:
            parts.append(pack(datatype, values))
            tensor["parameters"] = {BINARY_SIZE: len(parts[-1])}
        else:
            tensor["data"] = values
        described.append(tensor)
    return described, b"".join(parts)


def _labels(predictions: list[Any], datatype: Datatype) -> list[Any]:
    if datatype == "BYTES":
        return [label if isinstance(label, str) else json.dumps(label) for label in predictions]
    return [float(number) for number in predictions] if datatype == "FP64" else predictions
