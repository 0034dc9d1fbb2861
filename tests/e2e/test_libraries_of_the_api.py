"""What the API process does without: the libraries of trainings, and with them all that loads a model."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.support.forked_launcher import UNFORKED
from tests.support.launcher import launched
from tests.support.waiting import eventually
from tests.support.walk import FLOWERS, WALK_SECONDS, Walk

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows what a process has loaded")

CSV = {"content-type": "text/csv", "accept": "text/csv"}
ROW = [5.1, 3.5, 1.4, 0.2]
# Words, gaps and dates, so that nothing is numeric.
MIXED = "age,city,since,buys\n" + "".join(
    f"{20 + n % 40},{('Oslo', 'Lyon', '')[n % 3]},2024-01-{1 + n % 28:02},{('yes', 'no')[n % 2]}\n" for n in range(60)
)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Walk, psutil.Process]]:
    """A walk on a platform whose API is started as that of users is: it is not forked from a process of the tests."""
    home = tmp_path_factory.mktemp("walk") / "home"
    with launched(home, {UNFORKED: "api.server"}) as platform, platform.client() as client:
        walk = Walk(client)
        walk.wait_for_examples()
        yield walk, platform.part("api.server")


def test_it_loads_neither_scikit_learn_nor_pandas_whatever_it_is_asked(walk: tuple[Walk, psutil.Process]) -> None:
    taken, process = walk
    steps = list(taken.steps())
    assert [(step, step.answer.text) for step in steps if not step.answer.is_success] == []
    client = taken.client
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
    assert [(step, step.answer.text) for step in taken.steps_of_accounts() if not step.answer.is_success] == []
    loaded = Path(f"/proc/{process.pid}/maps").read_text()
    assert "/numpy/" in loaded
    assert [name for name in ("/sklearn/", "/pandas/") if name in loaded] == []
    predicting = [child for child in process.children(recursive=True) if "/sklearn/" in maps_of(child)]
    assert predicting


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
