"""Requests that schemathesis makes up from the OpenAPI document, valid and not: never an error of the server.

A few, and always the same ones. `make requests` searches on, with `MLMINI_HYPOTHESIS_PROFILE=long` and a seed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Response
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
    "default": settings(COMMON, max_examples=8, derandomize=True),
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


class Sent(NamedTuple):
    """A request as it was made up, and the answer of the first stack."""

    case: schemathesis.Case[Any]
    answer: Response


# What is sent again: to make requests up takes longer than to answer them. Of each operation, as it was made up and
# with names of known things.
SENT: dict[tuple[str, str], list[Sent]] = {}
MADE_UP, KNOWN_THINGS = "made-up-things", "known-things"

# So many requests of an operation that the first stack did as it was asked are sent to the second one.
DONE_AGAIN = 10


def _built_when_run(**how: Any) -> Callable[..., None]:
    """The test of an operation, whose requests are made up when it runs: each of the processes that share the work
    would make up all of them."""

    def test(about: str, url: str) -> None:
        label = how["operation"].label
        made_up = SENT.get((label, MADE_UP), [])
        if (label, about) in SENT:
            for case in _worth_sending_again(SENT[label, about]):
                _send(case, url)
            return
        sent: list[Sent] = []
        if about == KNOWN_THINGS and made_up:
            # The same would be made up again, for the same seed.
            cases = [_grounded(each.case) for each in made_up]
            sent += [Sent(case, _send(case, url)) for case in cases if case is not None]
        else:
            _BUILD(**how)(about=about, url=url, sent=sent)
        if EXAMPLES.derandomize:
            SENT[label, about] = sent

    test.pytestmark = how["test_func"].pytestmark  # type: ignore[attr-defined] # where pytest looks for them
    return test


def _worth_sending_again(sent: list[Sent]) -> list[schemathesis.Case[Any]]:
    """What the second stack may answer in another way: not what is refused for its form before anything is asked."""
    done = [case for case, answer in sent if answer.status_code < 300]
    others = [case for case, answer in sent if answer.status_code >= 300 and not _is_refused_for_its_form(answer)]
    return done[:DONE_AGAIN] + others


def _is_refused_for_its_form(answer: Response) -> bool:
    is_problem = answer.headers.get("content-type") == ["application/problem+json"]
    return is_problem and bool(answer.content) and answer.json()["code"] in {"invalid_request", "invalid_json"}


_BUILD = _test_builder.build_operation_test
_test_builder.build_operation_test = _built_when_run

schema = schemathesis.openapi.from_dict(create_app(Settings(home=Path("never-opened"))).openapi())


@schema.parametrize()
# Without a parameter of its own pytest would give the tests of all operations one name.
@pytest.mark.parametrize("about", [MADE_UP, KNOWN_THINGS])
@pytest.mark.timeout(3600)
@EXAMPLES
def test_no_request_is_an_error_of_the_server(
    case: schemathesis.Case[Any], about: str, url: str, sent: list[Sent]
) -> None:
    asked = (_grounded(case) or case) if about == KNOWN_THINGS else case
    sent.append(Sent(asked, _send(asked, url)))


def _send(case: schemathesis.Case[Any], url: str) -> Response:
    if case.query and "wait" in case.query:
        case.query["wait"] = "0"
    # The first use of an example starts the process that reads tables, for which a busy machine takes its time.
    # OpenAPI 3.1 describes the text of a stream; schemathesis would look for that in each event of it.
    checks = [check for check in CHECKS if not (_is_stream(case) and check is response_schema_conformance)]
    return case.call_and_validate(url, checks=checks, timeout=60)


def _is_stream(case: schemathesis.Case[Any]) -> bool:
    return case.path.endswith("/events")


def _grounded(case: schemathesis.Case[Any]) -> schemathesis.Case[Any] | None:
    """The same about things that there are, or None where it is about nothing else."""
    there_is = KNOWN | ENDED if _is_stream(case) else KNOWN
    path_parameters, body = _with_names(case.path_parameters, there_is), _with_names(case.body, there_is)
    if (path_parameters, body) == (case.path_parameters, case.body):
        return None
    return schemathesis.Case(
        case.operation,
        case.method,
        case.path,
        path_parameters=path_parameters,
        headers=case.headers.copy(),
        cookies=case.cookies,
        query=dict(case.query),
        body=body,
        media_type=case.media_type,
        multipart_content_types=case.multipart_content_types,
        meta=case.meta,
    )


def _with_names(names: Any, there_is: dict[str, Any]) -> Any:
    return {name: there_is.get(name, value) for name, value in names.items()} if isinstance(names, dict) else names


def _register_a_model(parts: Parts, folder: Path) -> None:
    with parts.database.read() as session:
        row = session.scalars(select(DatasetVersionRow)).one()
        data = Data(row.dataset_id, row.id)
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    version = platform.train(data)
    for stage in parts.settings.stages[1:]:
        platform.promote(version, stage)
