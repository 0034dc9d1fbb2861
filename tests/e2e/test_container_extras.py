"""Images that are built with an extra: what the libraries in them train, the API beside them serves."""

from typing import Any

import pytest

from tests.support.container_calls import ended
from tests.support.containers import BUILD_SECONDS, Containers, running_containers

pytestmark = [pytest.mark.containers, pytest.mark.timeout(BUILD_SECONDS)]

LIBRARIES = {"catboost": "CatBoostClassifier", "lightgbm": "LGBMClassifier", "xgboost": "XGBClassifier"}
IRISES = {"dataset_name": "iris", "use_example": True, "target_column": "target"}


def test_images_with_extras_rank_search_and_serve_with_their_libraries() -> None:
    # It brings all the others.
    with running_containers(EXTRAS="dask") as stack:
        for library, name in LIBRARIES.items():
            assert stack.client.get(f"/estimators/{library}/{name}").raise_for_status().json()["installed"] is True
        result = trained(stack, models="auto")
        ranked = {entry["estimator"].partition(".")[0]: entry["version"] for entry in result["leaderboard"]}
        assert ranked.keys() >= LIBRARIES.keys()
        for library in LIBRARIES:
            assert labels_of(stack, ranked[library]) == ["setosa", "virginica"]
        light = {"module": "lightgbm", "class": "LGBMClassifier"}
        found = trained(stack, model=light, search={"method": "optuna", "trials": 3})
        assert found["search"]["trials_done"] == 3
        for service in ("api", "worker"):
            (container, *_) = stack.ids(service)
            assert stack.python(container, "import distributed; print('there')").strip() == "there"


def trained(stack: Containers, **what: Any) -> dict[str, Any]:
    """The result of a training of irises."""
    accepted = stack.client.post("/train", json=IRISES | what)
    assert accepted.status_code == 202, accepted.text
    job = ended(stack, accepted.json()["job_id"])
    assert job["status"] == "succeeded", job["error"]
    result: dict[str, Any] = job["result"]
    return result


def labels_of(stack: Containers, version: int) -> list[str]:
    """What a version says of a small flower and of a large one."""
    flowers = {"features": [[5.1, 3.5, 1.4, 0.2], [6.5, 3.0, 5.8, 2.2]]}
    body = {"dataset_name": "iris", "environment": "dev", "version": version, "input_data": flowers}
    labels: list[str] = stack.client.post("/predict", json=body).raise_for_status().json()["predictions"]
    return labels
