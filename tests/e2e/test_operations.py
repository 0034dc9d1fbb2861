"""The page docs/operations.md: its commands, on a platform that has something to lose, and the names that it tells."""

import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.buckets import new_buckets
from tests.support.commands import SECONDS, run_blocks
from tests.support.documented import ROOT, commands_for
from tests.support.launcher import launched
from tests.support.processes import own_ports, process, run
from tests.support.servers import S3, PostgreSQL, Valkey
from tests.support.site import environment_of
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("uncounted")

PAGE = ROOT / "docs" / "operations.md"
# Of one API process there is nothing to tell.
OF_SEVERAL = {"mlmini_api_processes", "mlmini_api_process_restarts_total"}
METRICS = set(re.findall(r"\bmlmini_\w+", PAGE.read_text())) - OF_SEVERAL

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
    # Of an example that is catalogued just now, a copy has the file and not yet the row.
    with launched(tmp_path / "home", {"MLMINI_EXAMPLES": "0"}) as launcher, launcher.client() as client:
        trained(client)
        answer = predicted(client)
        shown = client.get("/metrics").text
        kept = {line.split()[2] for line in shown.splitlines() if line.startswith("# TYPE ")}
        # Prometheus shows a counter under its name with an ending, and beside it when it was made.
        assert {name for name in kept if name.startswith("mlmini_") and not name.endswith("_created")} == METRICS
        blocks = commands_for("", PAGE)
        run_blocks(blocks, folder=folder, home=launcher.home)
    assert_content(folder / "restored")
    with launched(folder / "restored") as launcher, launcher.client() as client:
        assert predicted(client) == answer
        # The restored one goes on where the copy was made.
        assert trained(client)["version"] == answer["version"] + 1


def assert_content(restored: Path) -> None:
    """The doctor and fsck say that all is well with a home that no platform has started on."""
    variables = {"MLMINI_HOME": str(restored)} | own_ports()
    told = json.loads(run("cli", "doctor", "--json", variables=variables).stdout)
    assert told["ok"], told
    (store,) = [check for check in told["checks"] if check["part"] == "Object store"]
    assert (store["state"], store["found"]) == (
        "ok",
        f"{restored / 'store'}, from a backup: the first start prepares it",
    )
    ended = run("cli", "fsck", "--deep", variables=variables)
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


class Place:
    """Where a platform is: a database, buckets and a home of its own, none of which is there yet."""

    def __init__(self, home: Path, postgres: PostgreSQL, s3: S3, valkey: Valkey) -> None:
        self.database = f"place_{secrets.token_hex(6)}"
        postgres.execute(f"CREATE DATABASE {self.database}")
        path = f"{postgres.binaries}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {
            "MLMINI_DATABASE_URL": postgres.url(self.database),
            "MLMINI_REDIS_URL": valkey.fresh_database(),
            "MLMINI_FOLDS": "0",
            "PATH": path,
        }
        self.variables = environment_of(new_buckets(s3, home)) | own | own_ports()

    def with_buckets_of(self, other: "Place") -> "Place":
        """The same place, but that its objects are those of another one."""
        names = ("MLMINI_DATASETS_BUCKET", "MLMINI_MODELS_BUCKET", "MLMINI_PREDICTIONS_BUCKET")
        self.variables |= {name: other.variables[name] for name in names}
        return self

    def run(self, runner: str, folder: Path) -> None:
        """Run commands of the page with these settings."""
        run_blocks(commands_for(runner, PAGE), folder=folder, variables=self.variables)

    @contextmanager
    def running(self, folder: Path, **more: str) -> Iterator[httpx2.Client]:
        """An API and a worker; a client of the API."""
        variables = self.variables | more
        prepared = run("cli.launcher.prepare", variables=variables)
        assert prepared.returncode == 0, prepared.stderr
        url = f"http://127.0.0.1:{variables['MLMINI_PORT']}"
        logs = [folder / f"{self.database}-{part}-{secrets.token_hex(2)}.log" for part in ("api", "worker")]
        with (
            process("api.server", variables, log=logs[0]) as api,
            process("worker", variables, log=logs[1]) as worker,
            httpx2.Client(base_url=url, trust_env=False, timeout=60) as client,
        ):
            eventually(lambda: is_ready(client), timeout=60, what=api.log())
            eventually(lambda: "upkeep_started" in worker.log(), timeout=60, what=worker.log())
            yield client

    def fsck(self) -> tuple[int, set[str]]:
        """The exit status of a deep look, and the kinds of what it found."""
        ended = run("cli", "fsck", "--deep", "--json", variables=self.variables)
        assert ended.stdout, ended.stderr
        return ended.returncode, {each["kind"] for each in json.loads(ended.stdout)["differences"]}


def is_ready(client: httpx2.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.thorough
@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.skipif(not shutil.which("bash"), reason="the commands need bash")
def test_a_backup_of_postgresql_and_s3_serves_elsewhere_and_so_does_an_old_database_on_newer_buckets(
    tmp_path: Path, postgres: PostgreSQL, s3_server: S3, valkey: Valkey
) -> None:
    first, second, third = (
        Place(tmp_path / name, postgres, s3_server, valkey) for name in ("first", "second", "third")
    )
    with first.running(tmp_path) as client:
        trained(client)
        answer = predicted(client)
        first.run("buckets", tmp_path)
        first.run("postgresql", tmp_path)
        # What the backup knows nothing of.
        trained(client)
    assert first.fsck() == (0, set())

    second.run("postgresql-restore", tmp_path)
    assert second.fsck() == (0, set())
    with second.running(tmp_path) as client:
        assert predicted(client) == answer
        assert trained(client)["version"] == answer["version"] + 1
    assert second.fsck() == (0, set())

    third.run("postgresql-restore", tmp_path)
    third.with_buckets_of(first)
    assert third.fsck() == (1, {"object_newer"})
    with third.running(tmp_path, MLMINI_JANITOR_SECONDS="0.2", MLMINI_ORPHAN_HOURS="0.000001") as client:
        assert predicted(client) == answer
        # The name of the next version is taken by the model that was lost.
        assert trained(client)["version"] == answer["version"] + 2
    assert third.fsck()[1] <= {"orphan"}


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
