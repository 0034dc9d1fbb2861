"""The page docs/operations.md: its commands, on a platform that has something to lose, and the names that it tells."""

import re
import shutil
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.commands import SECONDS, run_blocks
from tests.support.documented import ROOT, commands_for
from tests.support.launcher import launched

PAGE = ROOT / "docs" / "operations.md"
METRICS = set(re.findall(r"\bmlmini_\w+", PAGE.read_text()))

TRAINING = {
    "dataset_name": "iris",
    "use_example": True,
    "model": {"module": "linear_model", "class": "LogisticRegression", "params": {"max_iter": 1000}},
}
QUESTION = {"dataset_name": "iris", "environment": "dev", "input_data": {"features": [[5.1, 3.5, 1.4, 0.2]]}}


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.skipif(not shutil.which("bash"), reason="the commands need bash")
def test_a_restored_backup_serves_what_the_platform_served(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with launched(tmp_path / "home") as launcher, launcher.client() as client:
        trained(client)
        answer = predicted(client)
        shown = client.get("/metrics").text
        kept = {line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE ")}
        # Prometheus shows a counter under its name with an ending, and beside it when it was made.
        assert {name for name in kept if name.startswith("mlmini_") and not name.endswith("_created")} == METRICS
        blocks = commands_for("", PAGE)
        run_blocks(blocks, folder=folder, home=launcher.home)
    with launched(folder / "restored") as launcher, launcher.client() as client:
        assert predicted(client) == answer
        # The restored one goes on where the copy was made.
        assert trained(client)["version"] == answer["version"] + 1


def trained(client: httpx2.Client) -> dict[str, Any]:
    accepted = client.post("/train", json=TRAINING).json()
    job = client.get(f"/jobs/{accepted['job_id']}", params={"wait": 60}, timeout=90).json()
    assert job["status"] == "succeeded", job
    result: dict[str, Any] = job["result"]
    return result


def predicted(client: httpx2.Client) -> dict[str, Any]:
    response = client.post("/predict", json=QUESTION, timeout=60)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer
