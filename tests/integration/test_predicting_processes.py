"""Models without a form, in processes of their own: how they answer, how they die, and what that costs others."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.database import Database
from shared.errors import (
    InvalidInput,
    ModelTooLarge,
    ModelUnavailable,
    PlatformError,
    PredictionTooSlow,
    PredictorEnded,
    ProcessStopping,
    ScratchFull,
    ScratchUnavailable,
)
from shared.object_store import open_store
from shared.prediction.cache import PredictorCache
from shared.prediction.predictor import Predictor
from shared.prediction.sandboxed import EstimatorFailed, SandboxedModel
from shared.registry import deployments
from shared.settings import Settings
from tests.support.alive import alive
from tests.support.models import Fitted, Platform, attackers_pickle, iris_forest, open_platform
from tests.support.waiting import eventually
from tests.support.wilful_model import (
    EAT,
    EXIT,
    FAIL,
    GARBLE,
    KILL,
    LEAVE,
    PREDICT,
    REFUSE,
    SLEEP,
    TELL_MEMORY,
    wilful,
)

ROW = [5.1, 3.5, 1.4, 0.2]
# Long for an answer that waits for nothing.
SOON = 30


@pytest.fixture
def platform(sqlite_url: str, settings: Settings, tmp_path: Path) -> Iterator[Platform]:
    database, store = Database(sqlite_url), open_store(settings)
    store.prepare()
    yield open_platform(database, store, settings, tmp_path)
    store.close()
    database.close()


@contextmanager
def caching(platform: Platform, **changed: Any) -> Iterator[PredictorCache]:
    settings = platform.settings.model_copy(update=changed)
    cache = PredictorCache(platform.database, platform.store, settings, platform.key)
    cache.start()
    try:
        yield cache
    finally:
        cache.close()


@pytest.fixture(name="cache")
def wilful_cache(platform: Platform) -> Iterator[PredictorCache]:
    platform.train(platform.dataset(), wilful())
    with caching(platform) as cache:
        yield cache


def ask(predictor: Predictor, *cells: float) -> Any:
    features = [[cell] for cell in cells or (PREDICT,)]
    return predictor.answer(features=features, records=None, probabilities=False, max_cells=9).predictions[0]


def files(platform: Platform) -> list[Path]:
    return list(platform.settings.scratch.rglob("*.pkl"))


@pytest.mark.parametrize(
    ("order", "words"),
    [(EXIT, "exit code 3"), (KILL, "signal 9"), (LEAVE, "exit code 70"), (GARBLE, "ended before it answered")],
)
def test_a_model_that_ends_its_process_costs_its_caller_an_error_and_nobody_else(
    platform: Platform, cache: PredictorCache, order: float, words: str
) -> None:
    platform.train(platform.dataset("flowers"), iris_forest(), name="flowers")
    predictor, other = cache.get("iris", "dev"), cache.get("flowers", "dev")
    before = ask(predictor)
    with pytest.raises(PredictorEnded, match=words):
        ask(predictor, order)
    answer = other.answer(features=[ROW], records=None, probabilities=False, max_cells=9)
    assert answer.predictions == ["setosa"]
    after = ask(predictor)
    assert after != before
    assert ask(predictor) == after


def test_one_that_takes_too_long_is_killed_and_another_one_answers(platform: Platform) -> None:
    platform.train(platform.dataset(), wilful())
    with caching(platform, predict_seconds=0.5) as cache:
        predictor = cache.get("iris", "dev")
        before = ask(predictor)
        with pytest.raises(PredictionTooSlow):
            ask(predictor, SLEEP)
        eventually(lambda: not alive(int(before)))
        # It may take longer to start one than a prediction may take, but not for ever.
        eventually(lambda: _asked_in_time(predictor) not in {None, before})


def _asked_in_time(predictor: Predictor) -> Any:
    try:
        return ask(predictor)
    except PredictionTooSlow:
        return None


def test_one_that_eats_memory_is_ended_with_the_setting_that_limits_it(platform: Platform) -> None:
    platform.train(platform.dataset(), wilful())
    with caching(platform, predictor_memory_mb=256) as cache:
        predictor = cache.get("iris", "dev")
        with pytest.raises(PredictorEnded, match=r"256 MiB.*MLMINI_PREDICTOR_MEMORY_MB") as caught:
            ask(predictor, EAT)
        assert caught.value.members == {"limit": 256, "setting": "MLMINI_PREDICTOR_MEMORY_MB"}
        assert ask(predictor, TELL_MEMORY) < 2**40


def test_what_an_estimator_says_of_values_is_told_apart_from_its_failures(cache: PredictorCache) -> None:
    predictor = cache.get("iris", "dev")
    before = ask(predictor)
    with pytest.raises(InvalidInput):
        ask(predictor, REFUSE)
    with pytest.raises(EstimatorFailed, match="LookupError: nothing like it"):
        ask(predictor, FAIL)
    assert ask(predictor) == before


def test_a_process_that_died_while_it_waited_costs_nobody_anything(cache: PredictorCache) -> None:
    predictor = cache.get("iris", "dev")
    before = int(ask(predictor))
    assert isinstance(predictor.computes, SandboxedModel)
    (place,) = predictor.computes._places._free
    process = place.process
    assert process is not None
    os.kill(before, signal.SIGKILL)
    # Until the last of its threads has ended, its end of the socket is open.
    eventually(lambda: not process.waits())
    assert ask(predictor) != before


def test_fifty_who_want_one_model_have_one_process(platform: Platform) -> None:
    platform.train(platform.dataset(), wilful())
    started = threading.Barrier(50)

    def get(_: int) -> float:
        started.wait(SOON)
        return float(ask(cache.get("iris", "dev")))

    with caching(platform) as cache, ThreadPoolExecutor(50) as threads:
        assert len(set(threads.map(get, range(50)))) == 1
        assert len(files(platform)) == 1


def test_more_processes_are_started_when_they_are_needed(platform: Platform) -> None:
    platform.train(platform.dataset(), wilful())
    with ThreadPoolExecutor(1) as threads:
        with caching(platform, predictors=2) as cache:
            predictor = cache.get("iris", "dev")
            first = ask(predictor)
            assert ask(predictor) == first
            waiting = threads.submit(ask, predictor, SLEEP)
            second = eventually(lambda: (found := ask(predictor)) != first and found)
        with pytest.raises(ProcessStopping):
            waiting.result(SOON)
        assert not alive(int(first))
        assert not alive(int(second))


def test_a_new_version_takes_over_without_a_failed_answer(platform: Platform) -> None:
    data = platform.dataset()
    platform.train(data, wilful())
    begun, done = threading.Event(), threading.Event()

    def keep_asking(_: int) -> set[tuple[int, float]]:
        found = set()
        while not done.is_set():
            predictor = cache.get("iris", "dev")
            found.add((predictor.version, float(ask(predictor))))
            begun.set()
        return found

    with caching(platform) as cache, ThreadPoolExecutor(4) as threads:
        asked = threads.map(keep_asking, range(4))
        try:
            # The first version has answered somebody before there is a second one.
            assert begun.wait(SOON)
            platform.train(data, wilful())
            eventually(lambda: cache.get("iris", "dev").version == 2)
            ask(cache.get("iris", "dev"))
            # Its process ends once nobody asks it any more.
            eventually(lambda: len(files(platform)) == 1)
        finally:
            done.set()
        found = set().union(*asked)
        assert {version for version, _ in found} == {1, 2}
        (old,) = {int(pid) for version, pid in found if version == 1}
        eventually(lambda: not alive(old))


def test_the_process_of_a_model_that_leaves_the_cache_ends(platform: Platform) -> None:
    platform.train(platform.dataset(), wilful())
    with caching(platform) as cache:
        old = int(ask(cache.get("iris", "dev")))
        assert alive(old)
        with platform.database.write() as session:
            deployments.retire(session, version=1, stage="dev", reason=None, stages=platform.settings.stages)
        eventually(lambda: not alive(old))
        assert files(platform) == []


def test_a_file_that_was_changed_after_its_check_is_not_run_by_the_next_process(
    platform: Platform, cache: PredictorCache, tmp_path: Path
) -> None:
    predictor = cache.get("iris", "dev")
    (file,) = files(platform)
    file.write_bytes(attackers_pickle(tmp_path / "trace"))
    with pytest.raises(PredictorEnded):
        ask(predictor, EXIT)
    with pytest.raises(PlatformError, match="other contents"):
        ask(predictor)
    assert not (tmp_path / "trace").exists()


def test_an_artifact_that_was_tampered_with_starts_nothing(platform: Platform, tmp_path: Path) -> None:
    platform.train(platform.dataset(), wilful())
    platform.overwrite("iris_model_dev_v1.pkl", lambda _: attackers_pickle(tmp_path / "trace"))
    with caching(platform) as cache, pytest.raises(ModelUnavailable):
        cache.get("iris", "dev")
    assert files(platform) == []
    assert not (tmp_path / "trace").exists()


class Hoarder:
    """Takes a gibibyte when it is loaded."""

    def get_params(self) -> dict[str, Any]:
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        return (bytearray, (2**30,))


class Leaver:
    """Ends the process that loads it."""

    def get_params(self) -> dict[str, Any]:
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        return (os._exit, (5,))


def test_a_model_that_needs_more_memory_than_a_process_may_have_is_refused(platform: Platform) -> None:
    known = wilful()
    platform.train(platform.dataset(), Fitted(Hoarder(), known.signature, known.environment))
    with caching(platform, predictor_memory_mb=256) as cache:
        with pytest.raises(ModelTooLarge, match="MLMINI_PREDICTOR_MEMORY_MB"):
            cache.get("iris", "dev")
        assert files(platform) == []


def test_a_model_that_ends_its_process_as_it_is_loaded_is_told(platform: Platform) -> None:
    known = wilful()
    platform.train(platform.dataset(), Fitted(Leaver(), known.signature, known.environment))
    with caching(platform) as cache:
        with pytest.raises(PredictorEnded, match=r"Loading model 1 ended its process \(exit code 5\)"):
            cache.get("iris", "dev")
        assert files(platform) == []


def test_a_disk_without_room_for_the_file_is_told_by_its_own_code(
    platform: Platform, cache: PredictorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.prediction.sandboxed._MODEL_FILE", "/dev/full")
    with pytest.raises(ScratchFull):
        cache.get("iris", "dev")


def test_a_scratch_folder_that_is_gone_is_told_by_its_own_code(platform: Platform, cache: PredictorCache) -> None:
    # The folder of the processes is made with the first one.
    cache._processes.folder().rmdir()
    for folder in platform.settings.scratch.glob("process-*"):
        folder.rename(platform.folder / "elsewhere")
    with pytest.raises(ScratchUnavailable):
        cache.get("iris", "dev")
