"""What jobs do when nothing is killed: their effects, and the failures that are nobody's crash."""

from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.jobs import logs
from shared.jobs.acceptance import accept
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.prediction.cache import PredictorCache
from shared.registry.assessments import find_assessment
from shared.registry.rows import AssessmentRow, RegistryRow
from shared.registry.sealing import load_artifact_key
from tests.support.objects import put, read
from tests.support.site import SLOW, Site
from tests.support.stack import Stack

# Less than the weights of two layers of 8,000 neurons.
LITTLE_MEMORY_MB = 256


def promote(installation: Site, version: int, stage: str) -> UUID:
    with installation.database.write() as session:
        request = {"dataset_name": "iris", "version": version, "target_stage": stage}
        return accept(session, kind=Kind.PROMOTE, request=request, dataset_name="iris", dataset_version_id=None).id


def error_of(installation: Site, job_id: UUID) -> dict[str, Any]:
    error = installation.until(job_id, State.FAILED).error
    assert error is not None
    return error


def test_a_model_walks_from_training_to_production_and_serves(installation: Site) -> None:
    # On the embedded stack this worker and its fork server are started as in production.
    installation.forked = not installation.settings.sqlalchemy_url.startswith("sqlite")
    installation.start_worker()
    trained = installation.until(installation.train(), State.SUCCEEDED).result
    assert trained is not None
    assert trained["metrics"]["accuracy"] > 0.8
    for stage in ("staging", "production"):
        promoted = installation.until(promote(installation, trained["version"], stage), State.SUCCEEDED).result
        assert promoted == {
            "version": trained["version"],
            "target": "target",
            "stage": stage,
            "artifact_path": f"iris_model_{stage}_v{trained['version']}.pkl",
            "retired_versions": [],
            "serving_version": trained["version"],
        }
    key = load_artifact_key(installation.settings)
    cache = PredictorCache(installation.database, installation.store, installation.settings, key)
    predictor = cache.get("iris", "production")
    cache.close()
    assert predictor.version == trained["version"]


def test_each_model_comes_with_what_its_evaluation_tells(installation: Site) -> None:
    installation.start_worker()
    trained = [installation.until(installation.train(), State.SUCCEEDED).result for _ in range(2)]
    with installation.database.read() as session:
        assert session.scalars(select(AssessmentRow.version).order_by(AssessmentRow.version)).all() == [1, 2]
        found = [find_assessment(session, result["version"]) for result in trained if result is not None]
    for assessment in found:
        assert assessment is not None
        assert (assessment.main_metric, len(assessment.importance)) == ("accuracy", 4)
        assert assessment.confusion_matrix is not None
        assert sum(map(sum, assessment.confusion_matrix.counts)) == 30


def test_a_skipped_stage_fails_with_its_code_and_changes_nothing(installation: Site) -> None:
    installation.start_worker()
    trained = installation.until(installation.train(), State.SUCCEEDED).result
    assert trained is not None
    error = error_of(installation, promote(installation, trained["version"], "production"))
    assert error["code"] == "stage_skipped"
    with installation.database.read() as session:
        assert session.scalars(select(RegistryRow.stage)).one() == "dev"


def test_a_model_that_is_too_large_to_be_served_is_kept_with_a_warning_and_not_promoted(installation: Site) -> None:
    installation.start_worker(MLMINI_MODEL_CACHE_MB="1")
    large = {"module": "neural_network", "class": "MLPClassifier"}
    job_id = installation.train(large | {"params": {"hidden_layer_sizes": [300, 300], "max_iter": 2}})
    assert installation.until(job_id, State.SUCCEEDED).result
    with installation.database.read() as session:
        said = [line.text for line in logs.read(session, job_id, after=0, limit=100)]
    assert any(line.startswith("warning: Model 1 is too large to be served") for line in said), said
    assert error_of(installation, promote(installation, 1, "staging"))["code"] == "model_too_large"


def test_a_promotion_of_a_file_that_was_tampered_with_fails_and_changes_nothing(
    installation: Site, tmp_path: Path
) -> None:
    installation.start_worker()
    trained = installation.until(installation.train(), State.SUCCEEDED).result
    assert trained is not None
    store, bucket, key = installation.store, installation.settings.models_bucket, trained["artifact_path"]
    honest = read(store, bucket, key)
    store.delete(bucket, key)
    put(store, bucket, key, honest[:-1] + b"!", folder=tmp_path)
    error = error_of(installation, promote(installation, trained["version"], "staging"))
    assert error["code"] == "artifact_corrupt"
    with installation.database.read() as session:
        assert session.scalars(select(RegistryRow.stage)).one() == "dev"


def test_a_fit_that_takes_too_long_is_stopped_with_a_clear_error(installation: Site) -> None:
    installation.start_worker(MLMINI_JOB_SECONDS="0.5")
    error = error_of(installation, installation.train(SLOW, example="breast_cancer"))
    assert error["code"] == "time_limit_exceeded"
    assert "MLMINI_JOB_SECONDS" in error["message"]


def test_a_fit_that_needs_too_much_memory_fails_with_a_clear_error(installation: Site) -> None:
    installation.start_worker(MLMINI_JOB_MEMORY_MB=str(LITTLE_MEMORY_MB))
    weights = {"module": "neural_network", "class": "MLPClassifier", "params": {"hidden_layer_sizes": [8000, 8000]}}
    error = error_of(installation, installation.train(weights))
    assert error["code"] == "out_of_memory"
    assert str(LITTLE_MEMORY_MB) in error["message"]


def test_a_request_that_no_longer_fits_fails_and_is_not_tried_again(installation: Site) -> None:
    installation.start_worker()
    job_id = installation.train(model="once a dictionary")
    assert error_of(installation, job_id)["code"] == "unreadable_request"
    assert installation.job(job_id).attempt == 1


def test_a_job_whose_dataset_was_deleted_while_it_waited_fails_and_says_so(installation: Site) -> None:
    job_id = installation.train()
    with installation.database.write() as session:
        session.delete(session.scalars(select(DatasetRow)).one())
    installation.start_worker()
    assert error_of(installation, job_id)["code"] == "dataset_deleted"


def test_a_dataset_whose_stored_file_changed_is_not_trained_on(installation: Site) -> None:
    job_id = installation.train()
    with installation.database.write() as session:
        session.execute(update(DatasetVersionRow).values(sha256="0" * 64))
    installation.start_worker()
    assert error_of(installation, job_id)["code"] == "dataset_corrupt"


def test_a_store_that_is_away_for_a_while_delays_a_job_and_loses_nothing(installation: Site, stack: Stack) -> None:
    job_id = installation.train()
    # The server of the store takes its time to come back.
    installation.start_worker(MLMINI_MAX_TRANSIENT_FAILURES="100")
    installation.until(job_id, State.SUCCEEDED)
    with stack.without_store(installation.settings):
        with installation.database.write() as session:
            first = session.get_one(JobRow, job_id)
            again = accept(
                session,
                kind=Kind.TRAIN,
                request=first.request,
                dataset_name="iris",
                dataset_version_id=first.dataset_version_id,
            ).id
        while installation.job(again).transient_count == 0:
            assert installation.job(again).status in {State.QUEUED, State.RUNNING}
    assert installation.until(again, State.SUCCEEDED).crash_count == 0


def test_a_request_that_an_upgrade_has_left_behind_fails_and_says_so(installation: Site) -> None:
    installation.start_worker()
    gone = installation.train({"module": "ensemble", "class": "NoForest", "params": {}})
    renamed = installation.train({"module": "ensemble", "class": "RandomForestClassifier", "params": {"n_trees": 3}})
    foreign = installation.train(a_field_of_another_release=1)
    with installation.database.write() as session:
        bare = accept(session, kind=Kind.PROMOTE, request={"n": 1}, dataset_name="iris", dataset_version_id=None).id
    codes = [error_of(installation, job_id)["code"] for job_id in (gone, renamed, foreign, bare)]
    assert codes == ["unknown_estimator", "unknown_parameter", "unreadable_request", "unreadable_request"]
