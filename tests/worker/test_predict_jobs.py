"""Batch predictions by real workers: what they make, how they fail, and that each takes effect once."""

import csv
import io
import json
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet
import pytest
from sqlalchemy import select

from shared.hashing import digest_of
from shared.jobs.acceptance import cancel
from shared.jobs.limits import RequestedLimits
from shared.jobs.states import State
from shared.prediction.cache import PredictorCache
from shared.registry.rows import RegistryRow
from shared.registry.sealing import load_artifact_key
from tests.support.jobs import log_of
from tests.support.predict_jobs import outputs, predict_batch, stored_outputs, upload
from tests.support.site import FOREST, Site
from tests.support.waiting import eventually

WIDE = b"sepal_length,sepal_width,petal_length,petal_width,note\n"


def trained(site: Site, choice: dict[str, Any] = FOREST) -> int:
    result = site.until(site.train(choice), State.SUCCEEDED).result
    assert result is not None
    return int(result["version"])


def flowers(rows: int) -> bytes:
    return WIDE + b"".join(b"%d.%d,3.5,1.4,0.2,=n%d\n" % (4 + at % 4, at % 10, at) for at in range(rows))


def one_output(site: Site, job_id: UUID) -> bytes:
    """The one output of the job: one row, and one object, of the attempt that succeeded."""
    job, row, stored = site.job(job_id), outputs(site)[job_id], stored_outputs(site)
    assert job.result is not None
    assert (job.result["output"], row.epoch) == (row.object_key, job.epoch)
    return stored[row.object_key]


def test_a_job_predicts_every_row_as_a_request_does(installation: Site) -> None:
    installation.start_worker()
    version = trained(installation)
    job_id = predict_batch(installation, keep=["target", "petal_width"], returned=["label", "probability"])
    job = installation.until(job_id, State.SUCCEEDED)
    written = one_output(installation, job_id)
    assert job.result == {
        "version": version,
        "target": "target",
        "rows": 150,
        "errors": 0,
        "output": job.result and job.result["output"],
        "size_bytes": len(written),
        "warnings": [],
    }
    assert job.usage is not None
    assert job.usage["peak_memory_mb"] > 0
    assert log_of(installation.database, job_id)[-1] == f"predicted by version {version}: 150 rows"
    rows = list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    key = load_artifact_key(installation.settings)
    cache = PredictorCache(installation.database, installation.store, installation.settings, key)
    predictor = cache.get("iris", "dev")
    names = [column.name for column in predictor.signature.inputs]
    upload_order = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    assert names == upload_order
    with installation.store.open(installation.settings.datasets_bucket, source_key(installation)) as file:
        table = list(csv.DictReader(io.StringIO(file.read().decode(), newline="")))
    features = [[float(row[name]) for name in names] for row in table]
    answer = predictor.answer(features=features, records=None, probabilities=True, max_cells=10_000)
    cache.close()
    assert [row["prediction"] for row in rows] == answer.predictions
    assert [row["petal_width"] for row in rows] == [row["petal_width"] for row in table]
    assert answer.classes is not None
    shares = [[float(row[f"probability_{label}"]) for label in answer.classes] for row in rows]
    assert shares == answer.probabilities


def source_key(site: Site) -> str:
    (entry,) = [each for each in site.store.list(site.settings.datasets_bucket) if each.key.startswith("iris/")]
    return entry.key


def test_rows_that_cannot_be_predicted_are_kept_and_counted(installation: Site) -> None:
    installation.start_worker()
    trained(installation)
    upload(installation, "rows", WIDE + b"5.1,3.5,1.4,0.2,a\n5.1,,1.4,0.2,b\nlong,3.5,1.4,0.2,=c\n")
    job_id = predict_batch(
        installation, source="rows", keep=["note"], neutralise_formulas=True, limits=RequestedLimits(60, 512)
    )
    job = installation.until(job_id, State.SUCCEEDED)
    assert job.result is not None
    assert (job.result["rows"], job.result["errors"]) == (3, 1)
    rows = list(csv.DictReader(io.StringIO(one_output(installation, job_id).decode(), newline="")))
    assert [row["note"] for row in rows] == ["a", "b", "'=c"]
    assert [bool(row["prediction"]) for row in rows] == [True, True, False]
    assert "'long' is not a number" in rows[2]["error"]


def test_parquet_comes_as_parquet_and_a_retired_version_still_answers_what_was_accepted(installation: Site) -> None:
    worker = installation.start_worker()
    version = trained(installation)
    worker.terminate(timeout=20)
    job_id = predict_batch(installation, format="parquet", keep=["target"])
    installation.start_worker()
    newer = trained(installation)
    job = installation.until(job_id, State.SUCCEEDED)
    assert job.result is not None
    assert newer > version == job.result["version"]
    table = pyarrow.parquet.read_table(pa.BufferReader(one_output(installation, job_id)))
    assert table.column_names == ["row", "target", "prediction", "error"]
    assert table.num_rows == 150


@pytest.mark.any_stack
def test_intervals_are_those_of_what_the_model_promises(installation: Site) -> None:
    installation.start_worker()
    version = trained(installation)
    promise = {"level": 0.9, "margin": 0.0}
    with installation.database.write() as session:
        row = session.scalars(select(RegistryRow).where(RegistryRow.version == version)).one()
        row.signature = {**row.signature, "uncertainty": promise}
    job_id = predict_batch(installation, returned=["interval"])
    installation.until(job_id, State.SUCCEEDED)
    rows = list(csv.DictReader(io.StringIO(one_output(installation, job_id).decode(), newline="")))
    labels = json.loads(rows[0]["interval"])
    assert len(labels) == 3
    # To each label it gives at least no probability at all.
    assert {row["interval"] for row in rows} == {json.dumps(labels, separators=(",", ":"))}
    assert {row["prediction"] for row in rows} == {str(label) for label in labels}


@pytest.mark.thorough
@pytest.mark.any_stack
def test_each_worker_that_is_killed_is_followed_by_another_and_there_is_one_output(installation: Site) -> None:
    points = ("fetch.half", "fit.running", "put.before", "put.after", "commit.inside")
    installation.start_worker(**installation.armed(points))
    trained(installation)
    upload(installation, "rows", flowers(400_000))
    job = installation.kill_at(points, lambda: predict_batch(installation, source="rows"))
    assert (job.crash_count, len(outputs(installation))) == (len(points), 1)
    assert one_output(installation, job.id).count(b"\n") == 400_001


@pytest.mark.thorough
@pytest.mark.any_stack
def test_a_computing_process_that_is_killed_begins_again_and_a_cancel_ends_it(installation: Site) -> None:
    worker = installation.start_worker()
    trained(installation, FOREST | {"params": {"n_estimators": 300}})
    upload(installation, "rows", flowers(1_000_000))

    def predicting(job_id: UUID) -> bool:
        job = installation.job(job_id)
        return job.status == State.RUNNING and job.progress["step"] == "predicting" and bool(worker.computations)

    job_id = predict_batch(installation, source="rows")
    eventually(lambda: predicting(job_id), timeout=60)
    worker.computations[0].kill()
    eventually(lambda: installation.job(job_id).crash_count == 1, timeout=30)
    eventually(lambda: predicting(job_id), timeout=60)
    with installation.database.write() as session:
        cancel(session, job_id)
    installation.until(job_id, State.CANCELLED)
    assert (outputs(installation), stored_outputs(installation)) == ({}, {})


def test_a_job_without_time_or_memory_says_what_to_do(installation: Site) -> None:
    installation.start_worker()
    trained(installation, FOREST | {"params": {"n_estimators": 300}})
    upload(installation, "rows", flowers(1_000_000))
    error = installation.until(
        predict_batch(installation, source="rows", limits=RequestedLimits(0.5, None)), State.FAILED
    ).error
    assert error is not None
    assert error["code"] == "time_limit_exceeded"
    assert "Predict for fewer rows at a time" in error["message"]


@pytest.mark.parametrize("ending", [".pkl", ".npz"])
def test_a_model_that_was_changed_in_the_store_is_not_loaded(installation: Site, ending: str) -> None:
    installation.start_worker()
    # The one without a compiled form is loaded from its artifact.
    without_form = {"module": "svm", "class": "SVC", "params": {}}
    trained(installation, FOREST if ending == ".npz" else without_form)
    bucket = installation.settings.models_bucket
    (entry,) = [entry for entry in installation.store.list(bucket) if entry.key.endswith(ending)]
    installation.store.delete(bucket, entry.key)
    other = installation.folder / "other"
    other.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    installation.store.put_new(bucket, entry.key, other, sha256=digest_of(other).sha256)
    error = installation.until(predict_batch(installation), State.FAILED).error
    assert error is not None
    assert error["code"] == "artifact_corrupt"
