"""Train jobs on a Dask cluster, by a real worker whose computations reach nothing but the scheduler."""

from pathlib import Path

import pytest

from shared.jobs.states import State
from shared.registry.assessments import find_assessment
from shared.registry.rows import RegistryRow
from tests.support.dask_cluster import dask_cluster
from tests.support.jobs import log_of
from tests.support.site import Site
from tests.worker.test_search_jobs import SEARCH, TREE


@pytest.mark.any_stack
def test_a_job_reaches_the_cluster_from_where_it_reaches_nothing_else(installation: Site, tmp_path: Path) -> None:
    with dask_cluster(tmp_path, workers=1) as cluster:
        port = cluster.address.rpartition(":")[2]
        # A name, which the worker looks up for its computations.
        installation.start_worker(MLMINI_DASK_SCHEDULER=f"tcp://localhost:{port}")
        job_id = installation.train(TREE, search=SEARCH, split={"method": "random", "folds": 2})
        result = installation.until(job_id, State.SUCCEEDED).result
        assert result is not None
        with installation.database.read() as session:
            assert session.get(RegistryRow, result["version"]) is not None
            found = find_assessment(session, result["version"])
        assert found is not None
        assert any(line.startswith("Dask: 1 worker") for line in log_of(installation.database, job_id))
