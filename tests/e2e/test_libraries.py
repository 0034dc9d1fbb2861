"""LightGBM, XGBoost, CatBoost and an own package over HTTP: a worker trains, predicting processes answer as by hand."""

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import httpx2
import pytest
from catboost import CatBoostClassifier
from lightgbm import LGBMClassifier
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

from tests.support.launcher import Launcher, launched
from tests.support.own_package import documented_source, install
from tests.support.processes import run
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
    folder = tmp_path_factory.mktemp("platform")
    install(folder / "packages")
    install(folder / "packages", module="broken", source="raise OSError('there is no licence')")
    (folder / "packages" / "named.py").write_text(documented_source())
    variables = {
        "MLMINI_EXAMPLES": "0",
        "MLMINI_ESTIMATORS": "named:NearestMean",
        "PYTHONPATH": str(folder / "packages"),
    }
    with launched(folder / "home", variables) as launcher:
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

    def end() -> dict[str, Any]:
        job: dict[str, Any] = client.get(accepted.headers["location"]).raise_for_status().json()
        return job if job["finished_at"] else {}

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


def log_of_worker(platform: Launcher) -> str:
    return (platform.home / "logs" / "worker.log").read_text()


def test_the_worker_says_which_libraries_it_has(platform: Launcher) -> None:
    said = next(line for line in log_of_worker(platform).splitlines() if "libraries_found" in line)
    assert all(library in said for library in ("catboost", "lightgbm", "xgboost"))


def test_an_own_package_is_listed_trained_and_served(
    platform: Launcher, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = platform.home.parent / "packages"
    described = eventually(lambda: listed(client, "our_models"), 90)
    assert {parameter["name"]: parameter["default"] for parameter in described["parameters"]} == {
        "power": 2.0,
        "scaled": True,
    }
    params = {"power": 1.0}
    job = ended(client, {"module": "our_models", "class": "NearestMean", "params": params})
    assert job["status"] == "succeeded", job["error"]
    monkeypatch.syspath_prepend(path)
    by_hand = import_module("our_models").NearestMean(**params)
    inputs, labels = ROWS[[WIDTH, "height", "count"]].to_numpy(dtype=float), ROWS["target"].to_numpy()
    parts = train_test_split(inputs, labels, test_size=0.2, random_state=42, stratify=labels)
    expected = by_hand.fit(parts[0], parts[2]).predict(inputs).tolist()
    body = {"dataset_name": "flowers", "environment": "dev", "version": job["result"]["version"]}
    answer = client.post("/predict", json=body | {"input_data": {"records": records()}}).raise_for_status().json()
    assert answer["predictions"] == expected
    model = client.get(f"/models/{job['result']['version']}").raise_for_status().json()
    assert (model["estimator"], model["environment"]["our-models"]) == ("our_models.NearestMean", "1.0")
    assert model["parameters"] == {"power": 1.0, "scaled": True}


def test_a_class_that_the_setting_names_needs_no_entry_point(client: httpx2.Client) -> None:
    assert eventually(lambda: listed(client, "named"), 90)["task"] == "classification"
    job = ended(client, {"module": "named", "class": "NearestMean", "params": {"scaled": False}})
    assert job["status"] == "succeeded", job["error"]


def test_parameters_of_an_own_package_are_checked_before_there_is_a_job(client: httpx2.Client) -> None:
    eventually(lambda: listed(client, "our_models"), 90)
    model = {"module": "our_models", "class": "NearestMean", "params": {"power": "two", "strength": 1}}
    refused = client.post("/train", json={"dataset_name": "flowers", "target_column": "target", "model": model})
    assert refused.status_code == 422
    assert [error["msg"] for error in refused.json()["errors"]] == [
        "'power' of our_models.NearestMean must be a number, not \"two\". The default is 2.0.",
        "our_models.NearestMean has no parameter 'strength'. It has: power, scaled.",
    ]


def test_a_package_whose_import_fails_stops_no_worker_and_is_told(platform: Launcher, client: httpx2.Client) -> None:
    eventually(lambda: "own_estimator_unusable" in log_of_worker(platform), 90)
    assert "OSError: there is no licence" in log_of_worker(platform)
    assert not listed(client, "broken")
    here = {"MLMINI_HOME": str(platform.home), "PYTHONPATH": str(platform.home.parent / "packages")}
    parts = json.loads(run("cli", "doctor", "--json", variables=here).stdout)
    found = next(part for part in parts["checks"] if part["part"] == "Own packages")
    assert found["found"] == "broken:NearestMean: OSError: there is no licence"


def listed(client: httpx2.Client, module: str) -> dict[str, Any]:
    """What the API tells of the class of an own package; empty as long as no worker has described it."""
    items = client.get("/estimators", params={"module": module}).raise_for_status().json()["items"]
    return dict(items[0]) if items else {}
