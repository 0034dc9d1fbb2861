"""How much memory a model may take: weighed with a large forest, refused where it is too much."""

import copy
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier
from structlog.testing import capture_logs

from shared.database import Database
from shared.errors import ModelTooLarge
from shared.object_store import open_store
from shared.prediction.cache import PredictorCache
from shared.prediction.lookup import find_served
from shared.settings import Settings
from tests.support.models import LIBRARIES, Fitted, Platform, iris_forest, numeric_signature, open_platform

PATH = "large_model_dev_v1.pkl"

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the most memory that a process had")


def large_forest() -> Fitted:
    """A forest that learned noise by heart, each of its trees several times over: that is as large, and made sooner."""
    noise = np.random.default_rng(0)
    model = ExtraTreesClassifier(2, random_state=0).fit(noise.normal(size=(20_000, 4)), noise.integers(0, 2, 20_000))
    model.estimators_ = [copy.deepcopy(tree) for _ in range(12) for tree in model.estimators_]
    return Fitted(model, numeric_signature("a", "b", "c", "d", classes=["0", "1"]), dict(LIBRARIES))


@pytest.fixture(scope="module")
def large() -> Fitted:
    return large_forest()


@pytest.fixture
def platform(sqlite_url: str, settings: Settings, tmp_path: Path) -> Iterator[Platform]:
    database, store = Database(sqlite_url), open_store(settings)
    store.prepare()
    settings.scratch.mkdir(parents=True)
    yield open_platform(database, store, settings, tmp_path)
    store.close()
    database.close()


@contextmanager
def caching(platform: Platform, *, megabytes: int) -> Iterator[PredictorCache]:
    limited = platform.settings.model_copy(update={"model_cache_mb": megabytes})
    cache = PredictorCache(platform.database, platform.store, limited, platform.key)
    yield cache
    cache.close()


def registered_size(platform: Platform) -> int:
    with platform.database.read() as session:
        found = find_served(
            session, dataset_name="large", environment="dev", version=None, stages=platform.settings.stages
        )
    return found.artifact.seal.size_bytes


def memory(name: str, pid: int | str = "self") -> int:
    """A line of what the kernel tells of a process, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


@linux
def test_a_large_forest_is_weighed_at_what_it_takes_and_loaded_in_twice_that(platform: Platform, large: Fitted) -> None:
    tree = ExtraTreesClassifier(1).fit([[0.0] * 4, [1.0] * 4], ["0", "1"])
    platform.train(platform.dataset("small"), replace(large, model=tree), name="small")
    platform.train(platform.dataset("large"), large, name="large")
    size = registered_size(platform)
    with caching(platform, megabytes=1024) as cache, capture_logs() as logs:
        cache.get("small", "dev")
        gc.collect()
        before = memory("VmHWM")
        predictor = cache.get("large", "dev")
        pids = [log["pid"] for log in logs if log["event"] == "predicting_process_started"]
        # What both of them have that the fork server has, too.
        common = memory("VmRSS", pids[0])
        assert size <= predictor.memory_bytes < 1.5 * size
        assert memory("VmRSS", pids[1]) - common < 1.5 * size
        assert memory("VmHWM", pids[1]) - common < 2.6 * size
        # Nothing of it is in this process.
        assert memory("VmHWM") - before < 0.5 * size


def test_each_process_of_a_model_counts(platform: Platform) -> None:
    platform.train(platform.dataset())
    weights = []
    for predictors in (1, 3):
        settings = platform.settings.model_copy(update={"predictors": predictors})
        with caching(replace(platform, settings=settings), megabytes=1024) as cache:
            weights.append(cache.get("iris", "dev").memory_bytes)
    assert weights[1] == 3 * weights[0]


def test_a_model_that_is_too_large_is_refused_before_it_is_read(platform: Platform, large: Fitted) -> None:
    platform.train(platform.dataset("large"), large, name="large")
    platform.overwrite(PATH, lambda _: b"nobody reads this")
    megabytes = 2 * registered_size(platform) // 2**20 - 1
    with caching(platform, megabytes=megabytes) as cache, pytest.raises(ModelTooLarge, match="MLMINI_MODEL_CACHE_MB"):
        cache.get("large", "dev")


def test_a_model_that_is_found_too_heavy_is_refused_and_not_loaded_again(platform: Platform) -> None:
    # Its file is small enough; many small trees take far more.
    platform.train(platform.dataset(), iris_forest(trees=200))
    with caching(platform, megabytes=1) as cache:
        with pytest.raises(ModelTooLarge, match="fewer"):
            cache.get("iris", "dev")
        platform.overwrite("iris_model_dev_v1.pkl", lambda _: b"nobody reads this")
        with pytest.raises(ModelTooLarge):
            cache.get("iris", "dev")


def test_a_version_that_is_too_large_does_not_replace_the_one_that_serves(platform: Platform, large: Fitted) -> None:
    data = platform.dataset()
    platform.train(data)
    with caching(platform, megabytes=10) as cache:
        assert cache.get("iris", "dev").version == 1
        platform.train(data, replace(large, signature=iris_forest().signature))
        cache.catch_up()
        assert cache.get("iris", "dev").version == 1
