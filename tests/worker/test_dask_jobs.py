"""Train jobs on a Dask cluster, by a real worker whose computations reach nothing but the scheduler."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from shared.jobs.states import State
from shared.registry.assessments import find_assessment
from shared.registry.rows import RegistryRow
from tests.support.certificates import made
from tests.support.dask_cluster import dask_cluster
from tests.support.jobs import log_of
from tests.support.site import Site
from tests.worker.test_reproduce_jobs import result_of as reproduced
from tests.worker.test_search_jobs import SEARCH, TREE


@pytest.mark.any_stack
def test_a_job_reaches_the_cluster_alone_and_ends_in_words_when_that_is_gone(
    installation: Site, tmp_path: Path
) -> None:
    with dask_cluster(tmp_path, workers=1) as cluster:
        port = cluster.address.rpartition(":")[2]
        # A name, which the worker looks up for its computations.
        installation.start_worker(MLMINI_DASK_SCHEDULER=f"tcp://localhost:{port}", MLMINI_MAX_TRANSIENT_FAILURES="0")
        asked: dict[str, Any] = {"search": SEARCH, "split": {"method": "random", "folds": 2}}
        job_id = installation.train(TREE, **asked)
        result = installation.until(job_id, State.SUCCEEDED).result
        assert result is not None
        with installation.database.read() as session:
            assert session.get(RegistryRow, result["version"]) is not None
            found = find_assessment(session, result["version"])
        assert found is not None
        assert "Dask: 1 worker with the same releases as here" in log_of(installation.database, job_id)
        # The parameters of the request and three candidates, on two folds each.
        assert result["notes"][-1] == "Dask: 1 worker computed 8 tasks of this training."
        assert reproduced(installation, result["version"])["equal"]
        cluster.kill("scheduler")
        failed = installation.until(installation.train(TREE, **asked), State.FAILED)
    assert failed.error is not None
    assert failed.error["code"] == "dask_unreachable"
    assert "Start the scheduler and its workers" in failed.error["message"]
    assert failed.result is None


@pytest.mark.any_stack
@pytest.mark.thorough
@pytest.mark.skipif(shutil.which("openssl") is None, reason="nothing here makes certificates")
def test_a_job_proves_to_the_cluster_who_it_is_by_files_that_it_may_read(installation: Site, tmp_path: Path) -> None:
    own = made(tmp_path, "own")
    files = {"cert": str(own.certificate), "key": str(own.key)}
    options = ["--tls-ca-file", files["cert"], "--tls-cert", files["cert"], "--tls-key", files["key"]]
    with dask_cluster(tmp_path, workers=1, scheme="tls", security=options) as cluster:
        installation.start_worker(
            MLMINI_DASK_SCHEDULER=cluster.address,
            MLMINI_DASK_CA_FILE=files["cert"],
            MLMINI_DASK_CERT_FILE=files["cert"],
            MLMINI_DASK_KEY_FILE=files["key"],
        )
        job_id = installation.train(TREE, search=SEARCH, split={"method": "random", "folds": 2})
        result = installation.until(job_id, State.SUCCEEDED, timeout=120).result
    assert result is not None
    assert result["notes"][-1] == "Dask: 1 worker computed 8 tasks of this training."
