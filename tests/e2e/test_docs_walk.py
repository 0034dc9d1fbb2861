"""What the docs propose succeeds and shows what comes, and the API does it without the libraries of trainings."""

import json
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from api.docs.requests import BODIES
from tests.support.database_accounts import two_accounts
from tests.support.forked_launcher import UNFORKED
from tests.support.launcher import Launcher, launched
from tests.support.servers import PostgreSQL
from tests.support.waiting import eventually
from tests.support.walk import FLOWERS, WALK_SECONDS, Step, Walk, body_of

CSV = {"content-type": "text/csv", "accept": "text/csv"}
ROW = [5.1, 3.5, 1.4, 0.2]
# Words, gaps and dates, so that nothing is numeric.
MIXED = "age,city,since,buys\n" + "".join(
    f"{20 + n % 40},{('Oslo', 'Lyon', '')[n % 3]},2024-01-{1 + n % 28:02},{('yes', 'no')[n % 2]}\n" for n in range(60)
)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, postgres: PostgreSQL) -> Iterator[Launcher]:
    """A platform just started for the first time, whose API is not forked from a process of the tests.

    All that it does once there are tables, it does with the account of the database that may do the least.
    """
    with two_accounts(postgres) as accounts:
        variables = {UNFORKED: "api.server", "MLMINI_DATABASE_URL": accounts.parts}
        variables["MLMINI_DATABASE_OWNER_URL"] = accounts.owner
        with launched(tmp_path_factory.mktemp("walk") / "home", variables) as platform:
            yield platform


@pytest.fixture(scope="module")
def walk(platform: Launcher) -> Iterator[Walk]:
    """A walk on that platform."""
    with platform.client() as client:
        walk = Walk(client)
        walk.wait_for_examples()
        yield walk


@pytest.fixture(scope="module")
def steps(walk: Walk) -> list[Step]:
    """Every operation and every named example, in the order of the walk; other requests come before the accounts."""
    steps = list(walk.steps())
    ask_what_the_docs_do_not(walk.client)
    return [*steps, *walk.steps_of_accounts()]


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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows what a process has loaded")
def test_the_api_loads_neither_scikit_learn_nor_pandas_whatever_it_is_asked(
    platform: Launcher, steps: list[Step]
) -> None:
    assert steps
    process = platform.part("api.server")
    loaded = maps_of(process)
    assert "/numpy/" in loaded
    assert [name for name in ("/sklearn/", "/pandas/") if name in loaded] == []
    predicting = [child for child in process.children(recursive=True) if "/sklearn/" in maps_of(child)]
    assert predicting


def ask_what_the_docs_do_not(client: httpx2.Client) -> None:
    """Upload and predict with words, gaps and dates, by models with and without a compiled form."""
    for name, content in (("mixed", MIXED), ("again", FLOWERS)):
        client.post("/datasets/upload", files={"file": (f"{name}.csv", content)}).raise_for_status()
    neighbours = {"module": "neighbors", "class": "KNeighborsClassifier"}
    numeric = train(client, dataset_name="iris", target_column="target", model=neighbours)
    mixed = train(client, dataset_name="mixed", target_column="buys", model=neighbours)
    forest = train(
        client,
        dataset_name="mixed",
        target_column="buys",
        model={"module": "ensemble", "class": "RandomForestClassifier"},
    )
    for version in (numeric, mixed):
        assert not client.get(f"/models/{version}").json()["compilation"]["compiled"]
    assert client.get(f"/models/{forest}").json()["compilation"]["compiled"]
    assert ask(client, "iris", numeric, {"features": [ROW]})["probabilities"]
    rows = {"records": [{"age": 30, "city": "Oslo", "since": "2024-01-05"}, {"age": "41", "city": None}]}
    for version in (mixed, forest):
        assert len(ask(client, "mixed", version, rows)["predictions"]) == 2
        query: dict[str, Any] = {"dataset_name": "mixed", "environment": "dev", "version": version}
        answer = client.post("/predict", params=query, content=MIXED, headers=CSV)
        assert answer.raise_for_status().text.count("\n") == MIXED.count("\n")
    for name in ("mixed", "again"):
        client.get(f"/datasets/{name}/preview").raise_for_status()


def train(client: httpx2.Client, **request: Any) -> int:
    job: dict[str, Any] = client.post("/train", json=request).raise_for_status().json()
    found = eventually(lambda: ended(client, job["job_id"]), timeout=WALK_SECONDS)
    assert found["status"] == "succeeded", found
    return int(found["result"]["version"])


def ended(client: httpx2.Client, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = client.get(f"/jobs/{job_id}", params={"wait": 20}).json()
    return job if job["finished_at"] else {}


def ask(client: httpx2.Client, name: str, version: int, rows: dict[str, Any]) -> dict[str, Any]:
    body = {"dataset_name": name, "environment": "dev", "version": version, "input_data": rows}
    wanted = {"return": ["label", "probability"]}
    found: dict[str, Any] = client.post("/predict", json=body | wanted).raise_for_status().json()
    return found


def maps_of(process: psutil.Process) -> str:
    return Path(f"/proc/{process.pid}/maps").read_text()


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
