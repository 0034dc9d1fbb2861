"""Requests of other protocols that are refused, for the docs: an operation, a method, an address and what is sent."""

from collections.abc import Iterator
from typing import Any

Asked = tuple[str, str, str, dict[str, Any]]

_ROW = [5.1, 3.5, 1.4, 0.2]
_TABLE = {"name": "rows", "shape": [1, 4], "datatype": "FP64", "data": _ROW}
_TEXTS = {"name": "rows", "shape": [1, 4], "datatype": "BYTES", "data": ["5.1", "3.5", "long", "wide"]}
_MORE_THAN_A_BODY = b'{"id": "' + b"x" * 2**22 + b'"}'
# What is asked of a model that is there in dev, and broken in staging; by operation and what follows the model.
_OF_MODELS = {
    "v2_model": "",
    "v2_model_ready": "/ready",
    "v2_model_version": "/versions/1",
    "v2_model_version_ready": "/versions/1/ready",
}


def turns_of_protocols() -> Iterator[Asked]:
    """One for each status."""
    for operation, rest in _OF_MODELS.items():
        for model in ("iriss", "iris", "iris@stagging", "iris@staging"):
            yield operation, "GET", f"/v2/models/{model}{rest}", {}
    for operation, rest in {"v2_infer": "", "v2_infer_with_version": "/versions/2"}.items():
        for model in ("iriss", "iris", "iris@stagging"):
            yield operation, "POST", f"/v2/models/{model}{rest}/infer", {"json": {"inputs": [_TABLE]}}
        path = f"/v2/models/iris@dev{rest}/infer"
        yield operation, "POST", path, {"json": {"inputs": [_TABLE | {"shape": [4, 2], "datatype": "INT64"}]}}
        yield from _refused_bodies(operation, path)
    yield "v2_infer_with_version", "POST", "/v2/models/iris@dev/versions/2/infer", {"json": {"inputs": [_TEXTS]}}
    yield "v2_infer", "POST", "/v2/models/iris@staging/infer", {"json": {"inputs": [_TABLE]}}
    yield "v2_infer_with_version", "POST", "/v2/models/iris@staging/versions/1/infer", {"json": {"inputs": [_TABLE]}}
    yield "v2_index", "POST", "/v2/repository/index", {"json": {"ready": "yes"}}
    yield from _refused_bodies("v2_index", "/v2/repository/index")
    yield from _of_mlflow()


def _of_mlflow() -> Iterator[Asked]:
    for model in ("iriss", "iris", "iris@staging"):
        yield "mlflow_ping", "GET", f"/serve/{model}/ping", {}
        path = f"/serve/{model}/invocations"
        yield "mlflow_invoke", "POST", path, {"json": {"instances": [_ROW]}}
    path = "/serve/iris/invocations?environment=dev&target=target"
    yield "mlflow_invoke", "POST", path, {"json": {"instances": [[5.1, 3.5, "long", 0.2], [6.2, 3.4, 5.4, "wide"]]}}
    yield from _refused_bodies("mlflow_invoke", path)


def _refused_bodies(operation: str, path: str) -> Iterator[Asked]:
    """What is too much, or in a form that is not taken."""
    headers = {"Content-Type": "application/json"}
    yield operation, "POST", path, {"content": _MORE_THAN_A_BODY, "headers": headers}
    yield operation, "POST", path, {"content": b"{}", "headers": headers | {"Content-Encoding": "gzip"}}
