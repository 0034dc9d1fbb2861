"""Samples of problems, made from the errors themselves: code, title and status are those that clients get."""

import json
from typing import Any

from api.docs.refusals import datasets, jobs, models
from api.docs.refusals.common import PARAMETER
from api.http.problems import NotFound, NotReady, problem, status_of, unexpected
from shared.errors import DatabaseUnavailable, PlatformError, StoreUnavailable

REQUEST_ID = "1b981bb4-8461-4521-906d-8c679ec14e75"

_NO_STORE = "It gave no answer within 2 s. Look at its log and its load."
_READINESS = problem(
    NotReady(
        f"Not ready: object_store: {_NO_STORE}",
        errors=[{"loc": ["object_store"], "msg": _NO_STORE}],
    ),
    REQUEST_ID,
    dependencies={
        "database": {"state": "ok", "hint": None},
        "object_store": {"state": "down", "hint": _NO_STORE},
        "home": {"state": "ok", "hint": None},
        "redis": {"state": "ok", "hint": None},
        "workers": {"state": "ok", "hint": None},
    },
)
_NO_CODE = NotFound(
    "There is no error code 'unknown_colum'. Did you mean 'unknown_column'? GET /errors lists them all."
)
_REFUSALS: dict[str, list[PlatformError]] = {
    **datasets.REFUSALS,
    **jobs.REFUSALS,
    **models.REFUSALS,
    "explain_error_code": [_NO_CODE],
}
# What any operation can meet, where its own problems have no sample for the status.
_ANYWHERE = [PARAMETER, DatabaseUnavailable()]
_STORES = {"upload_dataset", "preview_dataset", "train_model", "download_artifact"}


def refusals_of(operation: str, status: int) -> dict[str, Any]:
    """The samples of an operation's problems with a status, by their codes; the likeliest first."""
    if status == 500:
        return {"internal_error": _sample(unexpected(Exception(), REQUEST_ID).body)}
    if (operation, status) == ("get_readiness", 503):
        return {"not_ready": _sample(_READINESS.body)}
    errors = [error for error in _REFUSALS.get(operation, []) if status_of(type(error)) == status]
    if not errors or status == 503:
        errors += [error for error in _ANYWHERE if status_of(type(error)) == status]
    if status == 503 and operation in _STORES:
        errors.append(StoreUnavailable())
    samples: dict[str, Any] = {}
    for error in errors:
        samples.setdefault(error.code, _sample(problem(error, REQUEST_ID).body))
    return samples


def _sample(body: bytes | memoryview) -> dict[str, Any]:
    value = json.loads(bytes(body))
    return {"summary": value["title"], "value": value}
