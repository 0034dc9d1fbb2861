"""Requests for training, right ones and wrong ones."""

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response

from tests.support.training_tables import dirty

FOREST = {"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_estimators": 5}}


def body(**changes: Any) -> dict[str, Any]:
    """A request that is right but for the changes; None takes a field away."""
    request = {"dataset_name": "iris", "use_example": True, "model": FOREST, **changes}
    return {name: value for name, value in request.items() if value is not None}


def model(module: Any = "ensemble", name: Any = "RandomForestClassifier", **params: Any) -> dict[str, Any]:
    """The estimator of a request."""
    return {"module": module, "class": name, "params": params}


def refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    """The problem that a request is refused with, which must be this one."""
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem.get("code")) == (status, code), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"/errors/{code}"
    assert "Traceback" not in answer.text
    return problem


def upload_customers(client: TestClient, folder: Path) -> str:
    """Upload a dirty table and return its name."""
    path = folder / "customers.csv"
    dirty().to_csv(path, index=False)
    with path.open("rb") as file:
        answer = client.post("/datasets/upload", files={"file": ("customers.csv", file, "text/csv")})
    assert answer.status_code in {200, 201}, answer.text
    return "customers"
