"""What a container's health check finds out about its worker."""

import subprocess

from tests.support.processes import run
from tests.support.site import Site, environment_of
from tests.support.waiting import eventually


def check(installation: Site) -> subprocess.CompletedProcess[str]:
    return run("worker.health", variables=environment_of(installation.settings))


def test_a_worker_is_well_while_it_announces_itself(installation: Site) -> None:
    absent = check(installation)
    assert absent.returncode == 1
    assert "has not announced itself" in absent.stderr
    worker = installation.start_worker()
    eventually(lambda: check(installation).returncode == 0, timeout=60)
    worker.terminate(timeout=30)
    assert check(installation).returncode == 1


def test_without_redis_nothing_is_held_against_the_worker(installation: Site) -> None:
    installation.valkey.stop()
    try:
        assert check(installation).returncode == 0
    finally:
        installation.valkey.start()
