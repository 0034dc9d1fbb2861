"""The cache of predictors over real databases and files: loaded once, replaced when the registry changes."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import event
from structlog.testing import capture_logs

from shared.database import Database
from shared.errors import (
    DatabaseUnavailable,
    ModelUnavailable,
    NoActiveModel,
    NotActive,
    StoreUnavailable,
    UnknownDataset,
    UnknownStage,
)
from shared.object_store.local import LocalStore
from shared.prediction.cache import PredictorCache
from shared.prediction.loaded import ServingPlace
from shared.prediction.lookup import Served
from shared.registry import deployments
from shared.settings import Settings
from tests.support.models import Platform, doubling, iris_forest, open_platform, with_target
from tests.support.servers import PostgreSQL
from tests.support.waiting import eventually

# The promise is one second; a busy machine gets some more.
NOTICED_SECONDS = 3


class WatchedStore(LocalStore):
    """Notes what is opened, and lets a test act just before."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.home / "store", buckets=(settings.datasets_bucket, settings.models_bucket))
        self.opened: list[str] = []
        self.before_open: Callable[[], None] = lambda: None

    @contextmanager
    def open(self, bucket: str, key: str, *, start: int = 0, end: int | None = None) -> Iterator[BinaryIO]:
        self.opened.append(key)
        self.before_open()
        with super().open(bucket, key, start=start, end=end) as file:
            yield file


@pytest.fixture
def store(settings: Settings) -> WatchedStore:
    store = WatchedStore(settings)
    store.prepare()
    return store


@pytest.fixture
def platform(database: Database, store: WatchedStore, settings: Settings, tmp_path: Path) -> Platform:
    return open_platform(database, store, settings, tmp_path)


@contextmanager
def caching(platform: Platform, *, watching: bool = True) -> Iterator[PredictorCache]:
    cache = PredictorCache(platform.database, platform.store, platform.settings, platform.key)
    if watching:
        cache.start()
    try:
        yield cache
    finally:
        cache.close()


@pytest.fixture(name="cache")
def watching_cache(platform: Platform) -> Iterator[PredictorCache]:
    with caching(platform) as cache:
        yield cache


def retire(platform: Platform, version: int, stage: str = "dev") -> None:
    with platform.database.write() as session:
        deployments.retire(session, version=version, stage=stage, reason=None, stages=platform.settings.stages)


def notices(cache: PredictorCache, version: int, stage: str = "dev") -> None:
    eventually(lambda: cache.get("iris", stage).version == version, NOTICED_SECONDS, what=f"version {version}")


def refuses(
    cache: PredictorCache, kind: type[Exception], version: int | None = None, *, target: str | None = None
) -> bool:
    try:
        cache.get("iris", "dev", version, target)
    except kind:
        return True
    return False


def test_two_hundred_threads_that_want_one_model_load_it_once(platform: Platform, store: WatchedStore) -> None:
    platform.train(platform.dataset())
    store.opened.clear()
    started = threading.Barrier(200)

    def get(_: int) -> int:
        started.wait(60)
        return id(cache.get("iris", "dev"))

    with caching(platform) as cache, ThreadPoolExecutor(200) as threads:
        assert len(set(threads.map(get, range(200)))) == 1
    assert store.opened == ["iris_model_dev_v1.pkl"]


def test_all_that_wait_for_a_load_hear_of_its_failure(platform: Platform, store: WatchedStore) -> None:
    platform.train(platform.dataset())
    started = threading.Barrier(20)

    def fail() -> None:
        raise StoreUnavailable("The object store does not answer.")

    def get(_: int) -> bool:
        started.wait(30)
        return refuses(cache, StoreUnavailable)

    store.before_open = fail
    with caching(platform) as cache, ThreadPoolExecutor(20) as threads:
        assert all(threads.map(get, range(20), timeout=30))


def test_a_warm_model_answers_without_database_and_store(
    settings: Settings, tmp_path: Path, postgres: PostgreSQL
) -> None:
    store = WatchedStore(settings)
    store.prepare()
    with postgres.fresh_database("migrated") as url:
        database = Database(url)
        platform = open_platform(database, store, settings, tmp_path)
        data = platform.dataset()
        platform.train(data)
        platform.promote(1, "staging")
        cache = PredictorCache(database, store, settings, platform.key)
        cache.start()
        cache.get("iris", "dev")
    store.opened.clear()
    assert refuses_cold(cache)
    assert cache.get("iris", "dev").version == 1
    assert store.opened == []
    cache.close()
    database.close()


def refuses_cold(cache: PredictorCache) -> bool:
    with pytest.raises(DatabaseUnavailable):
        cache.get("iris", "staging")
    return True


def test_a_promotion_through_another_process_is_noticed(platform: Platform, cache: PredictorCache) -> None:
    data = platform.dataset()
    platform.train(data)
    platform.promote(1, "staging")
    assert cache.get("iris", "staging").version == 1
    elsewhere = platform.elsewhere()
    elsewhere.train(data)
    elsewhere.promote(2, "staging")
    notices(cache, 2, "staging")
    elsewhere.database.close()


def test_the_old_model_answers_until_the_new_one_is_ready(
    platform: Platform, cache: PredictorCache, store: WatchedStore
) -> None:
    data = platform.dataset()
    platform.train(data)
    cache.get("iris", "dev")
    loading, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        loading.set()
        assert go_on.wait(30)

    store.before_open = hold
    platform.train(data)
    assert loading.wait(30)
    assert cache.get("iris", "dev").version == 1
    go_on.set()
    notices(cache, 2)


def test_a_retirement_brings_back_the_version_below(platform: Platform, cache: PredictorCache) -> None:
    data = platform.dataset()
    platform.train(data)
    platform.train(data)
    assert cache.get("iris", "dev").version == 2
    retire(platform, 2)
    notices(cache, 1)


def test_a_retirement_to_nothing_is_noticed(platform: Platform, cache: PredictorCache) -> None:
    platform.train(platform.dataset())
    cache.get("iris", "dev")
    retire(platform, 1)
    eventually(lambda: refuses(cache, NoActiveModel), NOTICED_SECONDS)


def test_a_load_that_a_promotion_overtakes_gives_the_new_version(platform: Platform, store: WatchedStore) -> None:
    data = platform.dataset()
    platform.train(data)
    opened = len(store.opened)

    def overtake() -> None:
        store.before_open = lambda: None
        platform.train(data)
        cache.catch_up()

    with caching(platform) as cache:
        store.before_open = overtake
        assert cache.get("iris", "dev").version == 2
        assert cache.get("iris", "dev").version == 2
    assert store.opened[opened:] == ["iris_model_dev_v1.pkl", "iris_model_dev_v2.pkl"]


def test_one_active_version_can_be_asked_for(platform: Platform, cache: PredictorCache) -> None:
    data = platform.dataset()
    for _ in range(3):
        platform.train(data)
    retire(platform, 2)
    assert cache.get("iris", "dev", 1).version == 1
    assert cache.get("iris", "dev").version == 3
    assert cache.get("iris", "dev", 1).version == 1
    for version in (2, 99):
        with pytest.raises(NotActive, match="version 3 serves there"):
            cache.get("iris", "dev", version)
    retire(platform, 1)
    eventually(lambda: refuses(cache, NotActive, 1), NOTICED_SECONDS)


def test_each_target_has_its_newest_version_and_follows_it(platform: Platform, cache: PredictorCache) -> None:
    data = platform.dataset()
    weight = with_target(iris_forest(), "weight")
    platform.train(data)
    platform.train(data, weight)

    def served() -> tuple[int, int, int]:
        names = (None, "target", "weight")
        first, second, third = (cache.get("iris", "dev", target=name).version for name in names)
        return first, second, third

    assert served() == (2, 1, 2)
    platform.train(data)
    eventually(lambda: served() == (3, 3, 2), NOTICED_SECONDS)
    platform.train(data, weight)
    eventually(lambda: served() == (4, 3, 4), NOTICED_SECONDS)
    for version in (3, 1):
        retire(platform, version)
    eventually(lambda: refuses(cache, NoActiveModel, target="target"), NOTICED_SECONDS)
    eventually(lambda: cache.targets(ServingPlace("iris", "dev")) == ("weight",), NOTICED_SECONDS)


def test_a_model_is_loaded_once_whether_its_target_is_named_or_not(platform: Platform, store: WatchedStore) -> None:
    platform.train(platform.dataset())
    store.opened.clear()
    with caching(platform) as cache:
        for target in (None, "target", None, "target"):
            cache.get("iris", "dev", target=target)
    assert store.opened == ["iris_model_dev_v1.pkl"]


def test_a_version_of_another_dataset_is_not_active_here(platform: Platform, cache: PredictorCache) -> None:
    platform.train(platform.dataset())
    platform.train(platform.dataset("wine"), doubling(), name="wine")
    with pytest.raises(NotActive):
        cache.get("iris", "dev", 2)


def test_unknown_things_are_named(platform: Platform, cache: PredictorCache) -> None:
    platform.train(platform.dataset())
    with pytest.raises(UnknownDataset, match="iriss"):
        cache.get("iriss", "dev")
    with pytest.raises(UnknownStage, match="dev, staging, production"):
        cache.get("iris", "prod")
    with pytest.raises(NoActiveModel, match="Bring one there from 'dev' with POST /promote"):
        cache.get("iris", "staging")
    platform.dataset("empty")
    with pytest.raises(NoActiveModel, match="POST /train"):
        cache.get("empty", "dev")


def asked(platform: Platform, act: Callable[[], object]) -> int:
    """How many statements the registry is asked while `act` runs; nothing watches."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(platform.database.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(platform.database.engine, "before_cursor_execute", note)
    return len(statements)


def test_what_is_refused_is_asked_of_the_registry_once_in_a_moment(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.prediction.refusals.KEPT_SECONDS", 60)
    platform.train(platform.dataset())
    with caching(platform, watching=False) as cache:
        for version, kind in ((None, NoActiveModel), (7, NoActiveModel)):
            ask = partial(refused, cache, kind, version)
            assert asked(platform, ask) > 0
            assert asked(platform, ask) == 0
        # In the cache's own time, or as soon as it knows of a change.
        platform.promote(1, "staging")
        cache.catch_up()
        assert cache.get("iris", "staging").version == 1
    monkeypatch.setattr("shared.prediction.refusals.KEPT_SECONDS", -1)
    with caching(platform, watching=False) as cache:
        ask = partial(refused, cache, NotActive, 9)
        assert asked(platform, ask) == asked(platform, ask) > 0


def refused(cache: PredictorCache, kind: type[Exception], version: int | None) -> None:
    with pytest.raises(kind):
        cache.get("iris", "staging", version)


def test_a_refusal_that_is_kept_says_all_that_the_first_one_said_and_holds_no_frames(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.prediction.refusals.KEPT_SECONDS", 60)
    platform.train(platform.dataset())
    with caching(platform, watching=False) as cache:
        found = []
        for _ in range(5):
            with pytest.raises(UnknownStage) as caught:
                cache.get("iris", "stagin")
            found.append(caught)
    said = [(each.value.code, each.value.detail, each.value.members) for each in found]
    assert said == said[:1] * 5
    assert said[0][2]["did_you_mean"] == "staging"
    # None is longer than the second, which is the first that was kept.
    assert {len(each.traceback) for each in found[1:]} == {len(found[1].traceback)}
    assert len({id(each.value) for each in found}) == 5


def test_a_refusal_that_a_change_overtakes_is_not_kept(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.prediction.refusals.KEPT_SECONDS", 60)
    platform.train(platform.dataset())
    with caching(platform, watching=False) as cache:
        cache.catch_up()
        look_up = cache._look_up

        def overtaken(place: ServingPlace, version: int | None) -> Served:
            try:
                return look_up(place, version)
            finally:
                platform.promote(1, "staging")
                cache.catch_up()

        monkeypatch.setattr(cache, "_look_up", overtaken)
        refused(cache, NoActiveModel, None)
        monkeypatch.undo()
        assert cache.get("iris", "staging").version == 1


def test_what_serves_is_loaded_before_anybody_asks_the_last_stage_first(
    platform: Platform, store: WatchedStore
) -> None:
    data = platform.dataset()
    for _ in range(3):
        platform.train(data)
    platform.promote(1, "staging")
    platform.promote(1, "production")
    platform.overwrite("iris_model_staging_v1.pkl", lambda data: data[:-1])
    store.opened.clear()
    with caching(platform) as cache:
        cache.preload()
        assert store.opened == [f"iris_model_{name}.pkl" for name in ("production_v1", "staging_v1", "dev_v3")]
        found = [cache.find(ServingPlace("iris", stage), None) for stage in ("production", "staging", "dev")]
        assert [each and each.version for each in found] == [1, None, 3]


def test_no_more_is_preloaded_than_there_is_room_for(platform: Platform, store: WatchedStore) -> None:
    names = ("a", "b")
    for name in names:
        platform.train(platform.dataset(name), iris_forest(trees=1500).in_form(), name=name)
    store.opened.clear()
    for limit_mb, room in ((1, 1), (64, 2)):
        narrow = replace(platform, settings=platform.settings.model_copy(update={"model_cache_mb": limit_mb}))
        with caching(narrow) as cache:
            cache.preload()
            found = [cache.find(ServingPlace(name, "dev"), None) for name in names]
        assert sum(each is not None for each in found) == len(store.opened) == room
        store.opened.clear()


def test_few_processes_are_started_before_anybody_asks(platform: Platform, store: WatchedStore) -> None:
    for name in [f"data_{number}" for number in range(7)]:
        platform.train(platform.dataset(name), name=name)
    platform.train(platform.dataset("formed"), iris_forest().in_form(), name="formed")
    store.opened.clear()
    with caching(platform) as cache:
        cache.preload()
        assert cache.find(ServingPlace("formed", "dev"), None) is not None
    assert len(store.opened) == 1 + 4


def test_a_failure_is_not_kept(platform: Platform, cache: PredictorCache) -> None:
    platform.train(platform.dataset())
    path = "iris_model_dev_v1.pkl"
    platform.overwrite(path, lambda data: data + b"!")
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match=r"Model 1 was not loaded.*another size.*Restore the file"):
            cache.get("iris", "dev")
    platform.overwrite(path, lambda data: data[:-1])
    assert cache.get("iris", "dev").version == 1


def test_a_new_model_that_was_tampered_with_does_not_replace_the_old_one(
    platform: Platform, cache: PredictorCache, store: WatchedStore
) -> None:
    data = platform.dataset()
    platform.train(data)
    cache.get("iris", "dev")
    path = "iris_model_dev_v2.pkl"

    def tamper() -> None:
        store.before_open = lambda: None
        platform.overwrite(path, lambda data: data[::-1])

    store.before_open = tamper
    platform.train(data)
    eventually(lambda: path in store.opened and store.opened[-1] == path)
    cache.catch_up()
    assert cache.get("iris", "dev").version == 1
    # Once the old one is retired, it must not answer any more.
    retire(platform, 1)
    eventually(lambda: refuses(cache, ModelUnavailable), NOTICED_SECONDS)


def test_a_new_model_is_tried_again_by_itself_after_the_store_was_away(
    platform: Platform, cache: PredictorCache, store: WatchedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.prediction.watcher.RETRY_SECONDS", 0.2)
    data = platform.dataset()
    platform.train(data)
    cache.get("iris", "dev")

    def away() -> None:
        raise StoreUnavailable

    store.before_open = away
    platform.train(data)
    eventually(lambda: "iris_model_dev_v2.pkl" in store.opened, what="a try")
    assert cache.get("iris", "dev").version == 1
    store.before_open = lambda: None
    notices(cache, 2)


def test_the_memory_of_the_cache_is_bounded(platform: Platform, store: WatchedStore) -> None:
    names = [f"data_{number}" for number in range(4)]
    for name in names:
        platform.train(platform.dataset(name), iris_forest(trees=100), name=name)
    small = replace(platform, settings=platform.settings.model_copy(update={"model_cache_mb": 1}))
    store.opened.clear()
    with caching(small) as cache:
        for name in names:
            assert cache.get(name, "dev").memory_bytes < 2**20
        cache.get(names[-1], "dev")
        assert len(store.opened) == 4
        cache.get(names[0], "dev")
        assert len(store.opened) == 5


def test_a_cache_that_watches_nothing_can_be_closed(platform: Platform) -> None:
    with caching(platform, watching=False):
        pass


def test_forests_serve_without_warnings(platform: Platform, cache: PredictorCache) -> None:
    platform.train(platform.dataset())
    predictor = cache.get("iris", "dev")
    answer = predictor.answer(features=[[5.1, 3.5, 1.4, 0.2]], records=None, probabilities=False, max_cells=9)
    assert answer.predictions == ["setosa"]


def test_who_catches_up_is_served_the_newest_version(platform: Platform) -> None:
    data = platform.dataset()
    with caching(platform, watching=False) as cache:
        for version in (1, 2, 3):
            platform.train(data)
            cache.catch_up()
            assert cache.get("iris", "dev").version == version
        retire(platform, 3)
        cache.catch_up()
        assert cache.get("iris", "dev").version == 2


def test_a_load_that_takes_too_long_leaves_a_good_version_and_drops_a_retired_one(
    platform: Platform, store: WatchedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.prediction.cache.CATCH_UP_SECONDS", 0.1)
    data = platform.dataset()
    platform.train(data)
    go_on = threading.Event()
    in_time = []

    def hold() -> None:
        in_time.append(go_on.wait(30))

    with caching(platform, watching=False) as cache, ThreadPoolExecutor(1) as threads:
        cache.get("iris", "dev")
        store.before_open = hold
        platform.train(data)
        cache.catch_up()
        assert cache.get("iris", "dev").version == 1
        retire(platform, 1)
        cache.catch_up()
        answer = threads.submit(cache.get, "iris", "dev")
        go_on.set()
        assert answer.result(30).version == 2
    assert all(in_time), "nobody waited for the load"


def test_a_registry_that_is_not_reached_is_told_of_once(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []

    def away(_: object) -> int:
        looks.append(True)
        raise DatabaseUnavailable("The database does not answer.")

    monkeypatch.setattr(deployments, "generation", away)
    with capture_logs() as lines, caching(platform):
        eventually(lambda: len(looks) > 2)
    assert [line["event"] for line in lines] == ["registry_not_reachable"]


def test_catching_up_while_the_database_is_away_leaves_everything_as_it_is(
    settings: Settings, tmp_path: Path, postgres: PostgreSQL
) -> None:
    store = WatchedStore(settings)
    store.prepare()
    with postgres.fresh_database("migrated") as url:
        database = Database(url)
        platform = open_platform(database, store, settings, tmp_path)
        platform.train(platform.dataset())
        cache = PredictorCache(database, store, settings, platform.key)
        cache.get("iris", "dev")
    cache.catch_up()
    assert cache.get("iris", "dev").version == 1
    cache.close()
    database.close()
