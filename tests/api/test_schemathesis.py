"""Requests that schemathesis makes up from the OpenAPI document, valid and not: never an error of the server.

With accounts, callers of each role send them, and what they are answered is what the table of roles says. A few, and
always the same ones. `make requests` searches on, with `MLMINI_HYPOTHESIS_PROFILE=long` and a seed.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID
from zlib import crc32

import httpx2
import pytest
import schemathesis
from schemathesis import Response
from schemathesis.pytest import _test_builder
from sklearn.datasets import load_iris
from sqlalchemy import select

from api.app import create_app
from api.parts import Parts
from shared.datasets.rows import DatasetVersionRow
from shared.settings import Settings
from tests.api.test_access import LEAST_ROLE, PUBLIC, listed
from tests.support.api_server import serving
from tests.support.jobs import add_job, fail_job
from tests.support.made_up import EXAMPLES, Case, is_stream, send, with_things
from tests.support.models import Platform
from tests.support.registry import Data
from tests.support.role_judge import Judge, Table
from tests.support.role_site import role_site
from tests.support.stack import Stack

# What there is, so that requests get past the first look.
KNOWN: dict[str, Any] = {
    "name": "iris",
    "dataset_name": "iris",
    "dataset": "iris",
    "model": "iris",
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


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory, stack: Stack, request: pytest.FixtureRequest) -> Iterator[Judge]:
    """What looks at the answers of an API with accounts; it tells how many there were."""
    folder = tmp_path_factory.mktemp("roles")
    with stack.settings(folder / "home") as settings, role_site(settings, folder) as site:
        judge = Judge(site, Table(LEAST_ROLE, listed(PUBLIC)))
        yield judge
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    if terminal is not None and capture is not None:
        with capture.global_and_fixture_disabled():
            terminal.write_line(f"\n{judge.summary()}")


class Sent(NamedTuple):
    """A request as it was made up, and the answer of the first stack."""

    case: Case
    answer: Response


# What is sent again: to make requests up takes longer than to answer them. Of each operation, as it was made up and
# with names of known things.
SENT: dict[tuple[str, str], list[Sent]] = {}
MADE_UP, KNOWN_THINGS = "made-up-things", "known-things"

# So many requests of an operation that the first stack did as it was asked are sent to the second one.
DONE_AGAIN = 10


# So many requests of an operation are sent by callers, in turns: one by each of the eight at least, some of them about
# a dataset of the team, some about one for everybody.
BY_CALLERS = 12


def _built_when_run(**how: Any) -> Callable[..., None]:
    """The test of an operation, whose requests are made up when it runs: each of the processes that share the work
    would make up all of them."""
    test = _judged(how) if how["test_func"].__name__ == "test_every_caller_is_answered_as_the_roles_say" else _sent(how)
    test.pytestmark = how["test_func"].pytestmark  # type: ignore[attr-defined] # where pytest looks for them
    return test


def _judged(how: dict[str, Any]) -> Callable[..., None]:
    def test(judge: Judge, each: None) -> None:
        label = how["operation"].label
        made_up = SENT.get((label, MADE_UP))
        if made_up is None:
            _BUILD(**how)(judge=judge, each=each)
            return
        first = crc32(label.encode())
        for number, (case, _) in enumerate(_spread(made_up, BY_CALLERS), first):
            judge.judge(case, judge.turn(case, number))

    return test


def _spread(sent: list[Sent], most: int) -> list[Sent]:
    """Some of all, those first that were done as they asked."""
    ordered = sorted(sent, key=lambda each: each.answer.status_code >= 300)
    done = sum(each.answer.status_code < 300 for each in sent)
    first, others = ordered[: min(done, most // 2)], ordered[done:]
    return [*first, *others[:: max(1, len(others) // (most - len(first)))][: most - len(first)]]


def _sent(how: dict[str, Any]) -> Callable[..., None]:
    def test(about: str, url: str) -> None:
        label = how["operation"].label
        made_up = SENT.get((label, MADE_UP), [])
        if (label, about) in SENT:
            for case in _worth_sending_again(SENT[label, about]):
                send(case, url)
            return
        sent: list[Sent] = []
        if about == KNOWN_THINGS and made_up:
            # The same would be made up again, for the same seed.
            cases = [_grounded(each.case) for each in made_up]
            sent += [Sent(case, send(case, url)) for case in cases if case is not None]
        else:
            _BUILD(**how)(about=about, url=url, sent=sent)
        if EXAMPLES.derandomize:
            SENT[label, about] = sent

    return test


def _worth_sending_again(sent: list[Sent]) -> list[Case]:
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


# The first user would shut all others out; with accounts it is asked for, too.
@schema.exclude(path="/users", method="POST").parametrize()
# Without a parameter of its own pytest would give the tests of all operations one name.
@pytest.mark.parametrize("about", [MADE_UP, KNOWN_THINGS])
@pytest.mark.timeout(3600)
@EXAMPLES
def test_no_request_is_an_error_of_the_server(case: Case, about: str, url: str, sent: list[Sent]) -> None:
    asked = (_grounded(case) or case) if about == KNOWN_THINGS else case
    sent.append(Sent(asked, send(asked, url)))


@schema.parametrize()
@pytest.mark.parametrize("each", [None], ids=["by-callers"])
@pytest.mark.timeout(3600 * 3)
@EXAMPLES
def test_every_caller_is_answered_as_the_roles_say(case: Case, judge: Judge, each: None) -> None:
    judge.judge(case, judge.turn(case))


def _grounded(case: Case) -> Case | None:
    """The same about things that there are, or None where it is about nothing else."""
    return with_things(case, KNOWN | ENDED if is_stream(case) else KNOWN)


def _register_a_model(parts: Parts, folder: Path) -> None:
    with parts.database.read() as session:
        row = session.scalars(select(DatasetVersionRow)).one()
        data = Data(row.dataset_id, row.id)
    platform = Platform(parts.database, parts.store, parts.settings, parts.key, folder)
    version = platform.train(data)
    for stage in parts.settings.stages[1:]:
        platform.promote(version, stage)
