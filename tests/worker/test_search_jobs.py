"""Train jobs that seek parameters, with a real worker."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from shared.jobs.acceptance import cancel
from shared.jobs.states import TERMINAL, State
from shared.registry.assessments import find_assessment
from shared.registry.rows import RegistryRow
from tests.support.jobs import log_of
from tests.support.site import SLOW, Site
from tests.support.waiting import eventually
from tests.worker.test_reproduce_jobs import result_of as reproduced

TREE = {"module": "tree", "class": "DecisionTreeClassifier", "params": {}}
SEARCH = {"method": "grid", "space": {"max_depth": [1, 2, 3]}, "trials": 3, "metric": "accuracy", "time_limit": None}


def searching(site: Site, job_id: UUID) -> Any:
    """Wait until a search goes on; its progress then."""

    def step() -> Any:
        job = site.job(job_id)
        assert job.status not in TERMINAL, job.error
        return job.progress if job.progress["step"].startswith("searching") else None

    return eventually(step)


def test_a_job_registers_the_best_candidate_alone_and_can_be_cancelled_while_it_searches(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train(TREE, search=SEARCH, split={"method": "random", "folds": 2})
    result = installation.until(job_id, State.SUCCEEDED).result
    assert result is not None
    with installation.database.read() as session:
        (row,) = session.scalars(select(RegistryRow)).all()
        found = find_assessment(session, row.version)
    assert found is not None
    assert found.search is not None
    assert found.search.trials_done == 3
    assert row.parameters["max_depth"] == found.search.chosen["max_depth"] > 1
    assert result["version"] == row.version
    assert result["search"]["chosen"] == found.search.chosen
    assert result["search"]["trials_done"] == 3
    assert any(line.startswith("best of 3: accuracy ") for line in log_of(installation.database, job_id))
    assert reproduced(installation, row.version)["equal"]
    slow = installation.train(SLOW, search=SEARCH)
    progress = searching(installation, slow)
    assert progress["step"].endswith(" of 3)")
    with installation.database.write() as session:
        cancel(session, slow)
    installation.until(slow, State.CANCELLED)
