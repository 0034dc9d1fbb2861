"""What the docs propose succeeds, and what they show is what comes."""

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from api.docs.requests import BODIES
from tests.support.launcher import launched
from tests.support.walk import Step, Walk, body_of


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A walk on a platform just started for the first time."""
    with launched(tmp_path_factory.mktemp("walk") / "home") as platform, platform.client() as client:
        walk = Walk(client)
        walk.wait_for_examples()
        yield walk


@pytest.fixture(scope="module")
def steps(walk: Walk) -> list[Step]:
    """Every operation and every named example, in the order of the walk."""
    return [*walk.steps(), *walk.steps_of_accounts()]


def test_every_example_succeeds_as_it_stands(steps: list[Step]) -> None:
    assert [(step, step.answer.text) for step in steps if not step.answer.is_success] == []
    jobs = [step.answer.json() for step in steps if step.operation == "get_job"]
    assert [(job["status"], job["error"]) for job in jobs if job["status"] not in {"succeeded", "cancelled"}] == []


def test_every_operation_and_every_example_is_in_the_walk(walk: Walk, steps: list[Step]) -> None:
    assert {step.operation for step in steps} == set(walk.operations)
    named = {(operation, name) for operation, bodies in BODIES.items() for name in bodies}
    assert named <= {(step.operation, step.name) for step in steps}


def test_answers_have_the_members_that_the_recorded_samples_have(steps: list[Step]) -> None:
    recorded = json.loads((files("api.docs") / "answers.json").read_text(encoding="utf-8"))
    seen: dict[str, list[Any]] = {}
    for step in steps:
        seen.setdefault(f"{step.operation} {step.answer.status_code}", []).append(body_of(step.answer))
    for key, samples in recorded.items():
        for name, sample in samples.items():
            assert any(_fits(sample["value"], answer) for answer in seen[key]), f"{key}, {name}: record them anew"


# Its members come and go with the state of a job, which a cancelled one may still be in or not.
_BY_STATE = "links"


def _fits(shown: Any, come: Any) -> bool:
    """Whether an answer has all members that a sample has, at every place where neither is null or empty."""
    if shown is None or come is None:
        return True
    if isinstance(shown, dict):
        return isinstance(come, dict) and all(
            name in come and (name == _BY_STATE or _fits(shown[name], come[name])) for name in shown
        )
    if isinstance(shown, list):
        return isinstance(come, list) and all(not come or any(_fits(one, other) for other in come) for one in shown)
    return not isinstance(come, dict | list)
