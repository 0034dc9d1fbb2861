"""What people see in Flower of a job."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.jobs.states import State
from tests.support.server import free_ports
from tests.support.site import Site
from tests.support.waiting import eventually


@pytest.fixture
def flower_url(installation: Site, tmp_path: Path) -> Iterator[str]:
    """Flower on the installation's Redis."""
    (port,) = free_ports(1)
    with (tmp_path / "flower.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.flower", "flower", "--address=127.0.0.1", f"--port={port}"],
            env=os.environ | {"CELERY_BROKER_URL": installation.valkey.url},
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: page(f"{url}/healthcheck") == "OK", timeout=30)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def page(url: str) -> str:
    """The page's source, or nothing while it is not there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - a server of this test
            text: str = answer.read().decode()
            return text
    except urllib.error.URLError:
        return ""


def test_a_train_is_seen_with_its_job_id_and_its_state(installation: Site, flower_url: str) -> None:
    installation.start_worker()
    job_id = installation.train()
    installation.until(job_id, State.SUCCEEDED)
    task = eventually(lambda: page(f"{flower_url}/task/{job_id}"), what="Flower knows the task")
    assert "train" in task
    eventually(lambda: "SUCCESS" in page(f"{flower_url}/task/{job_id}"))
