"""Train jobs in batches, by real workers: a table that is larger than the memory, and the model that comes of it."""

import io

import numpy as np
import pandas as pd

from shared.jobs.limits import RequestedLimits
from shared.jobs.rows import JobRow
from shared.jobs.states import State
from shared.prediction.cache import PredictorCache
from shared.registry.sealing import load_artifact_key
from tests.support.predict_jobs import upload
from tests.support.site import Site
from tests.worker.test_reproduce_jobs import result_of

GRADIENT = {"module": "linear_model", "class": "SGDClassifier", "params": {"loss": "log_loss"}}
BAYES = {"module": "naive_bayes", "class": "GaussianNB", "params": {}}
LITTLE = RequestedLimits(memory_mb=160)
ROWS, COLUMNS = 500_000, 10


def large() -> bytes:
    """A Parquet file of a table that takes more than the memory of the job."""
    numbers = np.random.default_rng(5).normal(size=(ROWS, COLUMNS)).round(2)
    table = pd.DataFrame(numbers, columns=[f"n{number}" for number in range(COLUMNS)])
    table["target"] = np.where(numbers[:, 0] + numbers[:, 1] > 0, "yes", "no")
    file = io.BytesIO()
    table.to_parquet(file, row_group_size=50_000)
    return file.getvalue()


def test_a_table_that_is_larger_than_the_memory_trains_in_batches_and_not_without(installation: Site) -> None:
    upload(installation, "large", large())
    installation.start_worker()
    error = installation.until(installation.train(GRADIENT, dataset="large", limits=LITTLE), State.FAILED).error
    assert error is not None
    assert error["code"] == "out_of_memory"
    job: JobRow = installation.until(
        installation.train([BAYES, GRADIENT], dataset="large", limits=LITTLE, batches={"rows": 20_000}),
        State.SUCCEEDED,
    )
    assert job.result is not None
    assert [each["rank"] for each in job.result["leaderboard"]] == [1, 2]
    assert job.result["metrics"]["accuracy"] > 0.95
    again = result_of(installation, job.result["version"], dataset="large")
    assert (again["equal"], again["rows"]["different"]) == (True, 0)
    key = load_artifact_key(installation.settings)
    cache = PredictorCache(installation.database, installation.store, installation.settings, key)
    assert cache.get("large", "dev").version == job.result["version"]
    cache.close()
