"""Requests that schemathesis makes up, and the same requests about things that there are."""

import os
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

Case = schemathesis.Case[Any]

_COMMON = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
_PROFILES = {
    "default": settings(_COMMON, max_examples=8, derandomize=True),
    # So many of an operation, beside those that its schema leads to.
    "long": settings(_COMMON, max_examples=int(os.environ.get("MLMINI_CASES", "300"))),
}
EXAMPLES = _PROFILES[os.environ.get("MLMINI_HYPOTHESIS_PROFILE", "default")]

_CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def send(case: Case, url: str, **how: Any) -> Response:
    """The answer to a request, which has to be one that the document has.

    Raises:
        FailureGroup: when it is not.
    """
    if case.query and "wait" in case.query:
        case.query["wait"] = "0"
    # OpenAPI 3.1 describes the text of a stream; schemathesis would look for that in each event of it.
    checks = [check for check in _CHECKS if not (is_stream(case) and check is response_schema_conformance)]
    # The first use of an example starts the process that reads tables, for which a busy machine takes its time.
    return case.call_and_validate(url, checks=checks, timeout=60, **how)


def is_stream(case: Case) -> bool:
    """Whether it asks for events, which go on until their job ends."""
    return case.path.endswith("/events")


def with_things(case: Case, there_is: dict[str, Any]) -> Case | None:
    """The same about things that there are, or None where it is about nothing else."""
    parts = (case.path_parameters, case.query, case.body)
    path_parameters, query, body = (_with_names(part, there_is) for part in parts)
    if (path_parameters, query, body) == parts:
        return None
    return schemathesis.Case(
        case.operation,
        case.method,
        case.path,
        path_parameters=path_parameters,
        headers=case.headers.copy(),
        cookies=case.cookies,
        query=dict(query),
        body=body,
        media_type=case.media_type,
        multipart_content_types=case.multipart_content_types,
        meta=case.meta,
    )


def _with_names(names: Any, there_is: dict[str, Any]) -> Any:
    return {name: there_is.get(name, value) for name, value in names.items()} if isinstance(names, dict) else names
