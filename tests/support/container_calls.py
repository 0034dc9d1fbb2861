"""What the tests of the containers ask of the platform, again and again."""

from typing import Any

import httpx2

from tests.support.containers import Containers
from tests.support.waiting import eventually
from tests.support.walk import FLOWERS

JOB_SECONDS = 120
FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 10}}


def previewed(stack: Containers) -> bool:
    """Whether the first rows of a bundled example can be had, which is soon after a start."""
    try:
        return stack.client.get("/datasets/iris/preview").is_success
    except httpx2.TransportError:
        return False


def upload(stack: Containers, name: str) -> str:
    answer = stack.client.post("/datasets/upload", files={"file": (f"{name}.csv", FLOWERS)})
    return str(answer.raise_for_status().json()["name"])


def train(stack: Containers, dataset: str, *, model: dict[str, Any] = FOREST) -> str:
    request = {"dataset_name": dataset, "target_column": "species", "model": model}
    return str(stack.client.post("/train", json=request).raise_for_status().json()["job_id"])


def ended(stack: Containers, job_id: str) -> dict[str, Any]:
    """The job once it has ended."""

    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = stack.client.get(f"/jobs/{job_id}", params={"wait": 20}).raise_for_status().json()
        return job if job["finished_at"] else None

    job = eventually(look, timeout=JOB_SECONDS)
    assert job is not None
    return job


def worker_of(stack: Containers, job_id: str) -> str:
    """The container whose worker runs a job, or ran it last; its name begins with the id of the container."""
    query = f"SELECT worker FROM jobs WHERE id = '{job_id}' AND started_at IS NOT NULL"  # noqa: S608 - an id of ours
    return eventually(lambda: stack.sql(query), timeout=30, interval=0.2).partition("-")[0]


def predict(stack: Containers, dataset: str, environment: str) -> tuple[int, list[str]]:
    """The version that answered, 0 for none, and its predictions."""
    body = {"dataset_name": dataset, "environment": environment, "input_data": {"features": [[1.4, 0.2], [4.7, 1.4]]}}
    answer = stack.client.post("/predict", json=body)
    if answer.status_code == httpx2.codes.CONFLICT:
        return 0, []
    found = answer.raise_for_status().json()
    return found["version"], found["predictions"]


def served_by(answer: httpx2.Response) -> str:
    return str(answer.raise_for_status().headers["x-served-by"])
