"""LightGBM, XGBoost and CatBoost over HTTP: a worker trains, predicting processes answer as the library does."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from tests.support.launcher import Launcher, launched
from tests.support.training_tables import numeric_classes
from tests.support.waiting import eventually

# A name that LightGBM refuses, and labels that XGBoost does.
WIDTH = "width [cm]"
MADE: dict[str, tuple[str, dict[str, Any], Callable[[], Any]]] = {
    "LGBMClassifier": (
        "lightgbm",
        {"n_estimators": 20, "min_child_samples": 5},
        lambda: LGBMClassifier(
            n_estimators=20, min_child_samples=5, random_state=42, verbosity=-1, deterministic=True, force_row_wise=True
        ),
    ),
    "XGBClassifier": ("xgboost", {"n_estimators": 20}, lambda: XGBClassifier(n_estimators=20, random_state=42)),
    "CatBoostClassifier": (
        "catboost",
        {"iterations": 20},
        lambda: CatBoostClassifier(20, random_state=42, verbose=False, allow_writing_files=False),
    ),
}
ROWS = numeric_classes(rows=120).rename(columns={"width": WIDTH})
LABELS = ["maybe", "no", "yes"]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with launched(tmp_path_factory.mktemp("platform") / "home", {"MLMINI_EXAMPLES": "0"}) as launcher:
        yield launcher


@pytest.fixture(scope="module")
def client(platform: Launcher) -> Iterator[httpx2.Client]:
    with platform.client() as client:
        table = ROWS.to_csv(index=False).encode()
        client.post("/datasets/upload", files={"file": ("flowers.csv", table)}).raise_for_status()
        yield client


def ended(client: httpx2.Client, model: dict[str, Any]) -> dict[str, Any]:
    """The job of a training, at its end."""
    body = {"dataset_name": "flowers", "target_column": "target", "model": model}
    accepted = client.post("/train", json=body)
    assert accepted.status_code == 202, accepted.text

    def end() -> dict[str, Any] | None:
        job: dict[str, Any] = client.get(accepted.headers["location"]).raise_for_status().json()
        return job if job["finished_at"] else None

    return eventually(end, 90)


@pytest.mark.parametrize("name", MADE)
def test_it_is_trained_and_served_with_the_labels_of_the_table(client: httpx2.Client, name: str) -> None:
    module, params, make = MADE[name]
    job = ended(client, {"module": module, "class": name, "params": params})
    assert job["status"] == "succeeded", job["error"]
    version = job["result"]["version"]
    inputs = ROWS[[WIDTH, "height", "count"]].to_numpy(dtype=float)
    codes = ROWS["target"].map(LABELS.index).to_numpy()
    parts = train_test_split(inputs, codes, test_size=0.2, random_state=42, stratify=codes)
    by_hand = make().fit(parts[0], parts[2])
    asked = {"records": [{**row, "height": None} if at % 5 == 0 else row for at, row in enumerate(records())]}
    body = {"dataset_name": "flowers", "environment": "dev", "version": version, "input_data": asked}
    answer = client.post("/predict", json=body | {"return": ["label", "probability"]}).raise_for_status().json()
    inputs[::5, 1] = float("nan")
    expected = by_hand.predict_proba(inputs)
    assert answer["predictions"] == [LABELS[code] for code in expected.argmax(axis=1)]
    assert answer["probabilities"] == pytest.approx(expected, rel=1e-6)
    described = client.get(f"/models/{version}").raise_for_status().json()
    assert described["estimator"] == f"{module}.{name}"
    assert re.fullmatch(r"\d+\.\d+\.\d+", described["environment"][module])


def records() -> list[dict[str, float]]:
    found: list[dict[str, float]] = json.loads(ROWS[[WIDTH, "height", "count"]].to_json(orient="records"))
    return found


def test_the_worker_says_which_libraries_it_has(platform: Launcher) -> None:
    said = next(line for line in platform.output.splitlines() if "libraries_found" in line)
    assert all(library in said for library in ("catboost", "lightgbm", "xgboost"))
