"""Requests that schemathesis makes up from the OpenAPI document, valid and not: never an error of the server.

A few, and always the same ones. `make requests` searches on, with `MLMINI_HYPOTHESIS_PROFILE=long` and a seed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.pytest import _test_builder
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sklearn.datasets import load_iris
from sqlalchemy import select

from api.app import create_app
from api.lifespan import Parts
from shared.datasets.rows import DatasetVersionRow
from shared.settings import Settings
from tests.support.api_server import serving
from tests.support.jobs import add_job, fail_job
from tests.support.models import Platform
from tests.support.registry import Data
from tests.support.stack import Stack

COMMON = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
PROFILES = {
    "default": settings(COMMON, max_examples=12, derandomize=True),
    "long": settings(COMMON, max_examples=300),
}
EXAMPLES = PROFILES[os.environ.get("MLMINI_HYPOTHESIS_PROFILE", "default")]

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

# What there is, so that requests get past the first look.
KNOWN: dict[str, Any] = {
    "name": "iris",
    "dataset_name": "iris",
    "dataset": "iris",
    "version": 1,
    "code": "not_found",
    "stage": "dev",
    "environment": "dev",
}

# The events of a job end with it, so those of one that nobody runs would never end.
ENDED: dict[str, Any] = {}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[str]:
    """Where an API is served that has a dataset, a model in all stages and a job."""
    home = tmp_path_factory.mktemp("schemathesis")
    with stack.settings(home) as settings, serving(settings) as (url, parts):
        table = load_iris(as_frame=True).frame.to_csv(index=False)
        httpx2.post(f"{url}/datasets/upload", files={"file": ("iris.csv", table)}, timeout=60).raise_for_status()
        _register_a_model(parts, home)
        KNOWN["job_id"] = str(add_job(parts.database, dataset_name="iris"))
        ENDED["job_id"] = str(add_job(parts.database, dataset_name="iris"))
        fail_job(parts.database, UUID(ENDED["job_id"]))
        yield url


# What was sent to the first stack is sent to the other one, too: to make it up takes longer than to answer it.
Sent = list[schemathesis.Case[Any]]
SENT: dict[tuple[str, str], Sent] = {}


def _built_when_run(**how: Any) -> Callable[..., None]:
    """The test of an operation, whose requests are made up when it runs: each of the processes that share the work
    would make up all of them."""

    def test(about: str, url: str) -> None:
        key = (how["operation"].label, about)
        if key in SENT:
            for case in SENT[key]:
                _send(case, about, url)
            return
        sent: Sent = []
        _BUILD(**how)(about=about, url=url, sent=sent)
        if EXAMPLES.derandomize:
            SENT[key] = sent

    test.pytestmark = how["test_func"].pytestmark  # type: ignore[attr-defined] # where pytest looks for them
    return test


_BUILD = _test_builder.build_operation_test
_test_builder.build_operation_test = _built_when_run

schema = schemathesis.openapi.from_dict(create_app(Settings(home=Path("never-opened"))).openapi())


@schema.parametrize()
# Without a parameter of its own pytest would give the tests of all operations one name.
@pytest.mark.parametrize("about", ["made-up-things", "known-things"])
@pytest.mark.timeout(3600)
@EXAMPLES
def test_no_request_is_an_error_of_the_server(case: schemathesis.Case[Any], about: str, url: str, sent: Sent) -> None:
    sent.append(case)
    _send(case, about, url)


def _send(case: schemathesis.Case[Any], about: str, url: str) -> None:
    if case.query and "wait" in case.query:
        case.query["wait"] = "0"
    if about == "known-things":
        _ground(case)
    # The first use of an example starts the process that reads tables, for which a busy machine takes its time.
    # OpenAPI 3.1 describes the text of a stream; schemathesis would look for that in each event of it.
    checks = [check for check in CHECKS if not (_is_stream(case) and check is response_schema_conformance)]
    case.call_and_validate(url, checks=checks, timeout=60)


def _is_stream(case: schemathesis.Case[Any]) -> bool:
    return case.path.endswith("/events")


def _ground(case: schemathesis.Case[Any]) -> None:
    """Name things that there are."""
    there_is = KNOWN | ENDED if _is_stream(case) else KNOWN
    for names in (case.path_parameters, case.body):
        if isinstance(names, dict):
            names.update({name: known for name, known in there_is.items() if name in names})


def _register_a_model(parts: Parts, folder: Path) -> None:
    with parts.database.read() as session:
        row = session.scalars(select(DatasetVersionRow)).one()
        data = Data(row.dataset_id, row.id)
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    version = platform.train(data)
    for stage in parts.settings.stages[1:]:
        platform.promote(version, stage)
