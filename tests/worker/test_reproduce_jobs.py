"""Trainings that are repeated by real workers: whether they say what is true, and that they leave nothing behind."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from shared.consistency.examination import Examination
from shared.jobs.states import Kind, State
from shared.registry.reproductions import plan_reproduction
from shared.registry.rows import PinRow, RegistryRow
from shared.registry.sealing import load_artifact_key
from tests.support.jobs import add_job, log_of
from tests.support.objects import keys
from tests.support.site import SLOW, Site


def trained(site: Site, *choice: dict[str, Any]) -> int:
    result = site.until(site.train(*choice), State.SUCCEEDED).result
    assert result is not None
    return int(result["version"])


def ask(site: Site, version: int, *, dataset: str = "iris") -> UUID:
    with site.database.read() as session:
        source = plan_reproduction(session, version).pinned.source
    request = {"dataset_name": dataset, "version": version}
    job_id = add_job(
        site.database, kind=Kind.REPRODUCE, dataset_name=dataset, dataset_version_id=source.id, request=request
    )
    site.queue.wake(job_id, Kind.REPRODUCE)
    return job_id


def result_of(site: Site, version: int, *, dataset: str = "iris") -> dict[str, Any]:
    result = site.until(ask(site, version, dataset=dataset), State.SUCCEEDED).result
    assert result is not None
    return result


def alter(site: Site, version: int, **golden: Any) -> None:
    """Have the golden rows of a model say something else."""
    with site.database.write() as session:
        pin = session.scalars(select(PinRow.pin).where(PinRow.version == version)).one()
        changed = pin | {"golden": pin["golden"] | golden}
        session.execute(update(PinRow).where(PinRow.version == version).values(pin=changed))


def test_the_same_training_is_equal_also_after_killed_workers_and_an_altered_answer_or_metric_is_not(
    installation: Site,
) -> None:
    site, points = installation, ("fit.running", "commit.inside")
    site.start_worker(**site.armed(points))
    version = trained(site, SLOW)
    before = keys(site.store, site.settings.models_bucket)
    job = site.kill_at(points, lambda: ask(site, version))
    job_id, result = job.id, job.result
    assert job.crash_count == len(points)
    assert result is not None
    assert result["rows"] == {"compared": 20, "different": 0, "largest_difference": 0.0}
    metrics = result["metrics"]
    assert (result["version"], result["equal"], result["libraries"], result["notes"]) == (version, True, {}, [])
    assert {"accuracy"} <= set(metrics)
    assert all(each["equal"] and each["then"] == each["now"] for each in metrics.values())
    last = f"the same model: equal in {len(metrics)} metrics and for 20 rows"
    assert log_of(site.database, job_id)[-1] == last

    with site.database.read() as session:
        golden = plan_reproduction(session, version).pinned.pin
    assert golden is not None
    assert golden.golden is not None
    alter(site, version, labels=["another", *(golden.golden.labels or [])[1:]])
    other = result_of(site, version)
    assert (other["equal"], other["rows"]["different"]) == (False, 1)

    alter(site, version, labels=golden.golden.labels)
    with site.database.write() as session:
        session.execute(update(RegistryRow).values(metrics={"accuracy": 0.5}))
    job_id = ask(site, version)
    worse = site.until(job_id, State.SUCCEEDED).result
    assert worse is not None
    assert worse["metrics"]["accuracy"] == {"then": 0.5, "now": metrics["accuracy"]["now"], "equal": False}
    assert (worse["equal"], worse["rows"]["different"]) == (False, 0)
    assert log_of(site.database, job_id)[-1].startswith("another model: it differs for 0 of 20 rows, and in accuracy")

    assert keys(site.store, site.settings.models_bucket) == before
    with site.database.read() as session:
        assert session.scalars(select(RegistryRow.version)).all() == [version]
    examination = Examination(site.database, site.store, site.settings, load_artifact_key(site.settings), deep=True)
    assert list(examination.differences()) == []
