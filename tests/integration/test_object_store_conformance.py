"""One suite for every object store: what the contract says, on a directory and on a real S3 server."""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.errors import StoreUnavailable
from shared.object_store import DigestMismatch, ObjectEntry, ObjectExists, ObjectMissing, ObjectStore, open_store
from shared.object_store.durable import unlink_locked
from shared.object_store.local import LocalStore
from shared.object_store.places import folder_of
from shared.object_store.s3 import S3Store
from shared.settings import Settings
from tests.support.objects import put, read, sha256_of, some_bytes
from tests.support.waiting import eventually

MIB = 2**20
# Small, empty, one part of S3 exactly, and several with a rest.
SIZES = [0, 1, 100_000, 16 * MIB, 16 * MIB + 1, 37 * MIB + 5]


@pytest.fixture
def bucket(store_settings: Settings) -> str:
    return store_settings.datasets_bucket


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_what_was_put_can_be_read_and_described(
    store: ObjectStore, bucket: str, tmp_path: Path, size: int, final: bool
) -> None:
    data = some_bytes(size)
    put(store, bucket, "iris/1.csv", data, folder=tmp_path, final=final)
    assert read(store, bucket, "iris/1.csv") == data
    info = store.stat(bucket, "iris/1.csv")
    assert (info.key, info.size, info.sha256) == ("iris/1.csv", size, sha256_of(data))
    assert abs(datetime.now(UTC) - info.modified) < timedelta(minutes=1)


@pytest.mark.parametrize("size", [3, 17 * MIB])
def test_a_key_that_is_taken_keeps_what_it_holds(store: ObjectStore, bucket: str, tmp_path: Path, size: int) -> None:
    first, second = some_bytes(size, seed=1), some_bytes(size, seed=2)
    put(store, bucket, "key", first, folder=tmp_path)
    for data in (second, first):
        with pytest.raises(ObjectExists, match="key"):
            put(store, bucket, "key", data, folder=tmp_path)
    assert read(store, bucket, "key") == first


@pytest.mark.parametrize(
    ("size", "final"), [(1000, False), (1000, True), pytest.param(17 * MIB, False, marks=pytest.mark.thorough)]
)
def test_of_many_puts_of_one_key_exactly_one_wins(
    store: ObjectStore, bucket: str, tmp_path: Path, size: int, final: bool
) -> None:
    writers = 6
    contents = [some_bytes(size, seed=seed) for seed in range(writers)]
    together = threading.Barrier(writers)

    def attempt(data: bytes) -> bytes | None:
        together.wait()
        try:
            put(store, bucket, "key", data, folder=tmp_path, final=final)
        except ObjectExists:
            return None
        return data

    with ThreadPoolExecutor(writers) as pool:
        winners = [data for data in pool.map(attempt, contents) if data is not None]
    # Large objects are sent in parts, and not every S3 server completes two such uploads one after the other: then
    # a second one may win, too. What is there is whole in any case, and belongs to one that was told so.
    assert len(winners) == 1 or (size > MIB and isinstance(store, S3Store))
    held = read(store, bucket, "key")
    assert held in winners
    assert store.stat(bucket, "key").sha256 == sha256_of(held)


@pytest.mark.parametrize("final", [False, True])
@pytest.mark.parametrize("size", [0, 10, 17 * MIB])
def test_a_wrong_digest_leaves_nothing(store: ObjectStore, bucket: str, tmp_path: Path, size: int, final: bool) -> None:
    source = tmp_path / "source"
    source.write_bytes(some_bytes(size))
    with pytest.raises(DigestMismatch, match="do not have the digest"):
        store.put_new(bucket, "iris/key", source, sha256=sha256_of(b"something else"), final=final)
    assert source.stat().st_size == size
    assert list(store.list(bucket)) == []
    with pytest.raises(ObjectMissing):
        store.stat(bucket, "iris/key")
    put(store, bucket, "iris/key", b"the right one", folder=tmp_path)
    assert read(store, bucket, "iris/key") == b"the right one"


def test_later_writes_to_the_source_do_not_reach_the_object(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"before")
    store.put_new(bucket, "key", source, sha256=sha256_of(b"before"))
    with source.open("r+b") as file:
        file.write(b"AFTER!")
    assert read(store, bucket, "key") == b"before"


RANGES = {
    (0, None): b"0123456789",
    (3, None): b"3456789",
    (0, 4): b"0123",
    (3, 7): b"3456",
    (9, 10): b"9",
    (4, 4): b"",
    (0, 0): b"",
    (8, 100): b"89",
    (10, None): b"",
    (10, 12): b"",
    (99, None): b"",
}


def test_a_range_gives_its_bytes_and_no_others(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    put(store, bucket, "digits", b"0123456789", folder=tmp_path)
    for (start, end), expected in RANGES.items():
        with store.open(bucket, "digits", start=start, end=end) as file:
            assert file.read() == expected, (start, end)


def test_a_range_of_an_empty_object_is_empty(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    put(store, bucket, "empty", b"", folder=tmp_path)
    with store.open(bucket, "empty", start=0, end=10) as file:
        assert file.read() == b""


def test_an_object_can_be_read_piece_by_piece_and_left_early(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    data = some_bytes(3 * MIB)
    put(store, bucket, "key", data, folder=tmp_path)
    with store.open(bucket, "key", start=5) as file:
        assert file.read(10) == data[5:15]
        assert file.read(100_000) == data[15:100_015]
    assert file.closed
    assert read(store, bucket, "key") == data


def test_an_error_of_the_reader_passes_unchanged(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    put(store, bucket, "key", b"data", folder=tmp_path)
    with pytest.raises(OSError, match="the reader's own"), store.open(bucket, "key"):
        raise OSError("the reader's own")


@pytest.mark.parametrize("key", ["none", "iris/none", "iris", "iris/1.csv/below"])
def test_a_missing_object_is_named(store: ObjectStore, bucket: str, tmp_path: Path, key: str) -> None:
    put(store, bucket, "iris/1.csv", b"data", folder=tmp_path)
    with pytest.raises(ObjectMissing, match=key), store.open(bucket, key):
        pass
    with pytest.raises(ObjectMissing, match=key), store.open(bucket, key, start=2, end=2):
        pass
    with pytest.raises(ObjectMissing, match=key):
        store.stat(bucket, key)


def test_deleting_twice_is_fine(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    put(store, bucket, "iris/1.csv", b"data", folder=tmp_path)
    store.delete(bucket, "iris/1.csv")
    store.delete(bucket, "iris/1.csv")
    store.delete(bucket, "iris/1.csv/below")
    with pytest.raises(ObjectMissing):
        store.stat(bucket, "iris/1.csv")
    assert list(store.list(bucket)) == []


def test_a_listed_object_is_said_to_be_removed_by_whoever_removed_it(
    store: ObjectStore, bucket: str, tmp_path: Path
) -> None:
    put(store, bucket, "key", b"data", folder=tmp_path)
    (listed,) = store.list(bucket)
    assert [store.delete_listed(bucket, listed, by=time.time() + 60) for _ in range(2)] == [True, False]


def test_what_came_to_the_key_of_a_listed_object_since_then_is_not_removed_with_it(
    store: ObjectStore, bucket: str, tmp_path: Path
) -> None:
    put(store, bucket, "key", b"data", folder=tmp_path)
    (listed,) = store.list(bucket)
    now = time.time()
    assert store.delete_listed(bucket, listed, by=now + 60)
    put(store, bucket, "key", b"other", folder=tmp_path)
    assert not store.delete_listed(bucket, listed, by=now + 60)
    assert read(store, bucket, "key") == b"other"
    store.delete(bucket, "key")
    put(store, bucket, "key", b"data", folder=tmp_path)
    if isinstance(store, S3Store):
        # The same bytes again, maybe in the same second: only the time is left to tell them apart.
        (again,) = store.list(bucket)
        with pytest.raises(StoreUnavailable, match="came to be sent too late"):
            store.delete_listed(bucket, again, by=now - 1)
    else:
        assert not store.delete_listed(bucket, listed, by=now + 60)
    assert read(store, bucket, "key") == b"data"
    store.delete(bucket, "key")
    assert list(store.list(bucket)) == []


def test_who_stands_still_while_removing_a_file_keeps_its_name_until_then(settings: Settings, tmp_path: Path) -> None:
    store, bucket = open_store(settings), settings.datasets_bucket
    store.prepare()
    put(store, bucket, "key", b"data", folder=tmp_path)
    folder = settings.home / "store" / bucket
    about_to, go_on = threading.Event(), threading.Event()

    def stand_still(_state: os.stat_result) -> bool:
        about_to.set()
        return go_on.wait(30)

    with folder_of(folder, "key") as place, ThreadPoolExecutor(2) as pool:
        frozen = pool.submit(unlink_locked, place, stand_still)
        assert about_to.wait(30)
        other = pool.submit(store.delete, bucket, "key")
        with pytest.raises(ObjectExists):
            put(store, bucket, "key", b"data", folder=tmp_path)
        with pytest.raises(StoreUnavailable, match="Another process is removing 'key'"):
            other.result()
        go_on.set()
        assert frozen.result()
    put(store, bucket, "key", b"data", folder=tmp_path)
    assert read(store, bucket, "key") == b"data"


def test_lists_show_what_begins_with_the_prefix_in_order(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    for key in ("iris/b", "wine/a", "iris/a", "iris_2/a", "iris/c/d", "zoo"):
        put(store, bucket, key, key.encode(), folder=tmp_path)

    def keys(prefix: str) -> list[str]:
        return [entry.key for entry in store.list(bucket, prefix)]

    assert keys("iris/") == ["iris/a", "iris/b", "iris/c/d"]
    assert sorted(keys("iris")) == ["iris/a", "iris/b", "iris/c/d", "iris_2/a"]
    assert keys("iris/c/d") == ["iris/c/d"]
    assert keys("z") == ["zoo"]
    assert keys("none/") == keys("zoo/") == []
    assert sorted(keys("")) == ["iris/a", "iris/b", "iris/c/d", "iris_2/a", "wine/a", "zoo"]
    (entry,) = store.list(bucket, "wine/")
    assert entry.size == len("wine/a")
    assert abs(datetime.now(UTC) - entry.modified) < timedelta(minutes=1)


def test_buckets_do_not_see_each_other(store: ObjectStore, store_settings: Settings, tmp_path: Path) -> None:
    put(store, store_settings.datasets_bucket, "key", b"data", folder=tmp_path)
    assert list(store.list(store_settings.models_bucket)) == []
    with pytest.raises(ObjectMissing):
        store.stat(store_settings.models_bucket, "key")


@pytest.mark.asvs("5.3.2")
@pytest.mark.parametrize("key", ["../key", "/key", "a\\b", "a\0b", ""], ids=ascii)
def test_a_key_that_could_be_a_path_reaches_nothing(store: ObjectStore, bucket: str, tmp_path: Path, key: str) -> None:
    put(store, bucket, "ok", b"data", folder=tmp_path)
    source = tmp_path / "source"
    source.write_bytes(b"data")
    calls: list[Callable[[], object]] = [
        lambda: store.put_new(bucket, key, source, sha256=sha256_of(b"data")),
        lambda: store.stat(bucket, key),
        lambda: store.open(bucket, key).__enter__(),
        lambda: store.delete(bucket, key),
        lambda: store.list(bucket, "../"),
        lambda: store.stat("../bucket", "ok"),
        lambda: store.list("../bucket"),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="is no"):
            call()


def test_the_clock_of_a_store_tells_how_old_its_objects_are(store: ObjectStore, bucket: str, tmp_path: Path) -> None:
    # Some stores tell whole seconds.
    coarse = timedelta(seconds=2)
    before = store.now()
    put(store, bucket, "key", b"data", folder=tmp_path)
    (entry,) = store.list(bucket)
    assert before - coarse <= entry.modified <= store.now() + coarse
    assert abs(datetime.now(UTC) - before) < timedelta(minutes=1)


def test_aborting_what_is_stale_leaves_objects_and_fresh_uploads_alone(
    store: ObjectStore, bucket: str, tmp_path: Path
) -> None:
    put(store, bucket, "key", b"data", folder=tmp_path)
    begun = begin_upload(store, bucket)
    assert store.abort_stale(older_than_seconds=3600, is_ours=is_half) == 0
    assert begun()
    aborted = 0

    def gone() -> bool:
        nonlocal aborted
        aborted += store.abort_stale(older_than_seconds=0, is_ours=is_half)
        return not begun()

    eventually(gone)
    assert aborted == 1
    assert store.abort_stale(older_than_seconds=0, is_ours=is_half) == 0
    assert read(store, bucket, "key") == b"data"


def is_half(_bucket: str, key: str) -> bool:
    return key == "half"


def test_unfinished_uploads_of_other_programs_are_left_alone(s3_settings: Settings) -> None:
    store, bucket = S3Store(s3_settings), s3_settings.datasets_bucket
    store.prepare()
    theirs, ours = begin_upload(store, bucket, key="video.mp4"), begin_upload(store, bucket)
    eventually(lambda: store.abort_stale(older_than_seconds=0, is_ours=is_half))
    assert theirs()
    assert not ours()
    store.close()


def test_a_removal_that_is_sent_long_after_it_was_signed_is_refused(
    s3_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, bucket = S3Store(s3_settings), s3_settings.datasets_bucket
    store.prepare()
    put(store, bucket, "key", b"data", folder=tmp_path)
    (listed,) = store.list(bucket)
    with monkeypatch.context() as patched:
        patched.setattr("botocore.auth.get_current_datetime", lambda: datetime.now(UTC) - timedelta(minutes=16))
        with pytest.raises(StoreUnavailable, match="clocks"):
            store.delete_listed(bucket, listed, by=time.time() + 60)
    assert read(store, bucket, "key") == b"data"
    store.close()


def begin_upload(store: ObjectStore, bucket: str, *, key: str = "half") -> Callable[[], bool]:
    """Leave what a process leaves that is killed in the midst of an upload; whether that is still there."""
    if isinstance(store, S3Store):
        client = store._client  # The store itself never stops half way.
        client.create_multipart_upload(Bucket=bucket, Key=key)
        return lambda: key in {each["Key"] for each in client.list_multipart_uploads(Bucket=bucket).get("Uploads", [])}
    assert isinstance(store, LocalStore)
    half = store._unfinished / "half"
    half.write_bytes(b"half")
    return half.exists


def test_a_store_with_its_buckets_passes_the_check(store: ObjectStore) -> None:
    store.prepare()
    store.check()


@pytest.mark.parametrize("kind", ["settings", "s3_settings"], ids=["local", "s3"])
def test_a_missing_bucket_is_the_stores_fault_not_the_objects(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    settings: Settings = request.getfixturevalue(kind)
    bucket = settings.datasets_bucket
    bare = open_store(settings)
    source = tmp_path / "source"
    source.write_bytes(b"data")
    calls: list[Callable[[], object]] = [
        bare.check,
        lambda: bare.put_new(bucket, "key", source, sha256=sha256_of(b"data")),
        lambda: bare.stat(bucket, "key"),
        lambda: bare.open(bucket, "key").__enter__(),
        lambda: bare.delete(bucket, "key"),
        lambda: bare.delete_listed(bucket, ObjectEntry("key", 4, datetime.now(UTC)), by=time.time() + 60),
        lambda: list(bare.list(bucket)),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable, match=bucket):
            call()
    bare.prepare()
    bare.check()
    bare.close()
