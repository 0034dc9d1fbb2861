"""What a worker learned from a table is nowhere to be found once it is erased."""

from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from api.app import create_app
from shared.settings import Settings
from tests.support.planted import WORD, found_in_objects, found_in_rows
from tests.support.site import Site
from tests.support.stack import TEST_CLIENT

# The word is in names of columns, in cells of inputs and in labels.
TABLE = f"age,{WORD}_town,sort\n" + "".join(
    f"{20 + row},{WORD}_{row % 2},{WORD}{'yes' if row % 3 else 'no'}\n" for row in range(60)
)
WEIGHTS = {f"{WORD}yes": 2, f"{WORD}no": 1}
TREE = {"module": "tree", "class": "DecisionTreeClassifier", "params": {"class_weight": WEIGHTS}}


def ended(client: TestClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    job_id = client.post(path, json=body).json()["job_id"]
    job: dict[str, Any] = client.get(f"/jobs/{job_id}", params={"wait": 60}).json()
    assert job["finished_at"], job
    return job


def left_on_disk(settings: Settings) -> list[Path]:
    """Files of the home folder with the word in them, but for the logs of processes."""
    files = [path for path in settings.home.rglob("*") if path.is_file()]
    return [path for path in files if WORD.encode() in path.read_bytes()]


def test_nothing_of_what_was_trained_is_found_once_it_is_erased(installation: Site) -> None:
    worker = installation.start_worker()
    settings = installation.settings.model_copy(update={"allowed_hosts": TEST_CLIENT})
    with TestClient(create_app(settings)) as client:
        upload = {"file": ("people.csv", TABLE)}
        client.post("/datasets/upload", files=upload, data={"description": WORD}).raise_for_status()
        train = {"dataset_name": "people", "model": TREE, "target_column": "sort"}
        job = ended(client, "/train", train)
        assert job["status"] == "succeeded", job
        promote = {"dataset_name": "people", "version": 1, "target_stage": "staging"}
        assert ended(client, "/promote", promote)["status"] == "succeeded"
        batch = {"dataset_name": "people", "environment": "dev", "input": {"dataset_name": "people"}}
        asked = batch | {"keep": ["age", f"{WORD}_town"], "return": ["label", "probability"]}
        predicted = ended(client, "/predict/batch", asked)
        assert predicted["status"] == "succeeded", predicted
        assert WORD in client.get(predicted["links"]["output"]).text
        found = set(found_in_rows(installation.database))
        assert {"jobs.request", "job_logs.text", "dataset_versions.columns"} <= found
        assert {"model_registry.signature", "model_registry.report", "model_registry.parameters"} <= found
        assert len(found_in_objects(installation.store, settings)) == 4
        for stage in ("dev", "staging"):
            client.post("/models/1/retire", json={"stage": stage, "reason": WORD}).raise_for_status()
        client.delete("/models/1").raise_for_status()
        client.delete("/datasets/people", params={"erase": "true"}).raise_for_status()
        assert found_in_rows(installation.database) == []
        assert found_in_objects(installation.store, settings) == []
    worker.terminate(timeout=30)
    # The last connection that is closed writes SQLite's log of changes into the file, and removes it.
    installation.database.close()
    assert left_on_disk(settings) == []
