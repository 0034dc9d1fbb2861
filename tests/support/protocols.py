"""The same rows asked of one model by each protocol; what comes is the predictions and, if it has them, the shares."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi.testclient import TestClient

from api.protocols.v2.datatypes import is_float, pack, unpack
from api.protocols.v2.message import BINARY_SIZE, JSON_LENGTH

Rows = Sequence[Sequence[Any]]


class Said(NamedTuple):
    """What a model says of rows."""

    predictions: list[Any]
    probabilities: list[list[float]] | None


@dataclass(frozen=True)
class Model:
    """A model in dev, its columns with the types of their tensors, and whether it has probabilities."""

    client: TestClient
    name: str
    columns: list[tuple[str, str]]
    probable: bool

    @classmethod
    def described_by(cls, client: TestClient, name: str) -> "Model":
        """What the metadata of the model says."""
        found = client.get(f"/v2/models/{name}@dev").raise_for_status().json()
        columns = [(tensor["name"], tensor["datatype"]) for tensor in found["inputs"]]
        return cls(client, name, columns, len(found["outputs"]) == 2)


def by_predict(model: Model, rows: Rows) -> Said:
    """`POST /predict` with rows by position."""
    body = {"dataset_name": model.name, "environment": "dev", "input_data": {"features": [list(row) for row in rows]}}
    wanted = {"return": ["label", "probability"]} if model.probable else {}
    found = model.client.post("/predict", json=body | wanted).raise_for_status().json()
    return Said(found["predictions"], found.get("probabilities"))


def by_v2_columns(model: Model, rows: Rows) -> Said:
    """A tensor in JSON for each column."""
    return _infer(model, [_in_json(tensor, [row[at] for row in rows]) for at, tensor in enumerate(_types(model, rows))])


def by_v2_table(model: Model, rows: Rows) -> Said:
    """One tensor in JSON, of numbers."""
    shape = [len(rows), len(model.columns)]
    return _infer(model, [{"name": "table", "shape": shape, "datatype": "FP64", "data": [list(row) for row in rows]}])


def by_binary_columns(model: Model, rows: Rows) -> Said:
    """A tensor in binary for each column, but where only JSON can say that a value is missing."""
    inputs, tail = [], b""
    for at, (name, datatype) in enumerate(_types(model, rows)):
        values = [row[at] for row in rows]
        if None in values and not is_float(datatype):
            inputs.append(_in_json((name, datatype), values))
            continue
        data = pack(datatype, [float("nan") if value is None else value for value in values])
        inputs.append(_in_binary(name, [len(rows), 1], datatype, data))
        tail += data
    return _infer(model, inputs, tail)


def by_binary_table(model: Model, rows: Rows) -> Said:
    """One tensor in binary, of numbers."""
    cells = [float("nan") if cell is None else cell for row in rows for cell in row]
    data = pack("FP64", cells)
    return _infer(model, [_in_binary("table", [len(rows), len(model.columns)], "FP64", data)], data)


def by_invocations(model: Model, rows: Rows) -> Said:
    """A data frame as MLflow's client writes it, with NaN where a value is missing."""
    data = [[float("nan") if cell is None else cell for cell in row] for row in rows]
    frame = {"index": list(range(len(rows))), "columns": [name for name, _ in model.columns], "data": data}
    return _invoke(model, {"dataframe_split": frame})


def by_invoked_lists(model: Model, rows: Rows) -> Said:
    """A list of values for each column."""
    return _invoke(model, {"inputs": {name: [row[at] for row in rows] for at, (name, _) in enumerate(model.columns)}})


OF_ANY_TABLE: list[Callable[[Model, Rows], Said]] = [by_v2_columns, by_binary_columns, by_invocations, by_invoked_lists]
OF_NUMBERS: list[Callable[[Model, Rows], Said]] = [by_v2_table, by_binary_table]


def _types(model: Model, rows: Rows) -> list[tuple[str, str]]:
    """Fractions may stand in columns of integers, too."""
    return [
        (name, "FP64" if any(isinstance(row[at], float) for row in rows) else datatype)
        for at, (name, datatype) in enumerate(model.columns)
    ]


def _in_json(tensor: tuple[str, str], values: list[Any]) -> dict[str, Any]:
    name, datatype = tensor
    return {"name": name, "shape": [len(values)], "datatype": datatype, "data": values}


def _in_binary(name: str, shape: list[int], datatype: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "parameters": {BINARY_SIZE: len(data)}}


def _invoke(model: Model, body: dict[str, Any]) -> Said:
    path, sent = f"/serve/{model.name}@dev/invocations", json.dumps(body).encode()
    told = []
    for query in ["", "?predict_fn=predict_proba"] if model.probable else [""]:
        answer = model.client.post(f"{path}{query}", content=sent, headers={"Content-Type": "application/json"})
        told.append(answer.raise_for_status().json()["predictions"])
    return Said(told[0], told[1] if model.probable else None)


def _infer(model: Model, inputs: list[dict[str, Any]], tail: bytes = b"") -> Said:
    """Ask for outputs as the inputs came: in binary, if there are bytes."""
    outputs = [{"name": "predict"}, *([{"name": "predict_proba"}] if model.probable else [])]
    body = {"inputs": inputs, "outputs": outputs, "parameters": {"binary_data_output": bool(tail)}}
    message = json.dumps(body).encode()
    headers = {JSON_LENGTH: str(len(message))} if tail else {}
    answer = model.client.post(f"/v2/models/{model.name}@dev/infer", content=message + tail, headers=headers)
    length = int(answer.raise_for_status().headers.get(JSON_LENGTH, len(answer.content)))
    found, behind = json.loads(answer.content[:length]), answer.content[length:]
    told = []
    for output in found["outputs"]:
        size = output.get("parameters", {}).get(BINARY_SIZE)
        told.append(output["data"] if size is None else unpack(output["datatype"], behind[:size]))
        behind = behind[size or 0 :]
    shares = told[1] if model.probable else []
    width = found["outputs"][1]["shape"][1] if model.probable else 1
    rows = [shares[start : start + width] for start in range(0, len(shares), width)]
    return Said(told[0], rows if model.probable else None)
