"""Errors as MLflow has them."""

from typing import Any

from api.protocols.error_forms import ErrorForm, explained
from api.schemas.mlflow import MlflowError

# MLflow's own table, the other way round; whatever else cannot be right is a bad request.
_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_CONFLICT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL_ERROR",
    503: "TEMPORARILY_UNAVAILABLE",
}


def _status_of(problem: dict[str, Any]) -> int:
    status: int = problem["status"]
    return 400 if status == 422 else status


def _body_of(problem: dict[str, Any]) -> dict[str, str]:
    code = "ENDPOINT_NOT_FOUND" if problem["code"] == "not_found" else _CODES.get(problem["status"], "BAD_REQUEST")
    return {"error_code": code, "message": explained(problem)}


MLFLOW_ERRORS = ErrorForm("/serve", MlflowError, _status_of, _body_of)
