"""Errors as this protocol has them."""

from typing import Any

from api.protocols.error_forms import ErrorForm, explained
from api.schemas.v2 import V2Error

# What is wrong with the message itself; Triton and MLServer answer that with 400, too.
_MALFORMED = {"invalid_json", "invalid_request"}


def _status_of(problem: dict[str, Any]) -> int:
    status: int = problem["status"]
    return 400 if problem["code"] in _MALFORMED else status


def _body_of(problem: dict[str, Any]) -> dict[str, str]:
    return {"error": explained(problem)}


V2_ERRORS = ErrorForm("/v2", V2Error, _status_of, _body_of)
