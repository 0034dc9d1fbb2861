"""The object store goes away while an upload is spooled or stored: the file is not blamed, and nothing of it stays."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from pydantic import SecretStr
from sqlalchemy import func, select

from api.app import create_app
from shared.datasets import spool
from shared.datasets.rows import DatasetRow, DatasetVersionRow
from shared.datasets.spool import Spool, Spooled
from shared.object_store import durable, open_store
from shared.object_store.s3 import store as s3_store
from shared.object_store.s3 import upload as s3_upload
from shared.settings import Settings
from tests.support.application import parts_of
from tests.support.buckets import new_buckets
from tests.support.full_disk import largest_file
from tests.support.proxy import Proxy, proxy_to
from tests.support.server import running
from tests.support.servers import S3
from tests.support.stack import TEST_CLIENT
from tests.support.waiting import eventually

PART_BYTES = 5 * 2**20
TABLE = b"a,b\n" + b"".join(b"%d,%s\n" % (number, b"x" * 100) for number in range(60_000))


@pytest.fixture(scope="module")
def own_s3() -> Iterator[S3]:
    """An S3 server that may be killed."""
    server = S3()
    with running(server):
        yield server


@pytest.fixture
def way(own_s3: S3) -> Iterator[Proxy]:
    """The way to it."""
    with proxy_to(own_s3.port) as proxy:
        yield proxy


@pytest.fixture
def patience() -> float:
    """How many seconds the application waits for an answer of the store; it asks once."""
    return 30


@pytest.fixture
def client(
    *, own_s3: S3, way: Proxy, patience: float, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """A client of an application that has its objects there; a file comes in two parts."""
    monkeypatch.setattr(s3_upload, "PART_BYTES", PART_BYTES)
    monkeypatch.setattr(s3_store, "_client", partial(_client_of, s3_store._client, patience))
    settings = new_buckets(own_s3, tmp_path / "home").model_copy(
        update={
            "s3_endpoint_url": way.url,
            "database_url": SecretStr(sqlite_url),
            "examples": False,
            "allowed_hosts": TEST_CLIENT,
        }
    )
    with closing(open_store(settings)) as store:
        store.prepare()
    with TestClient(create_app(settings)) as client:
        yield client


def _client_of(make: Callable[..., Any], patience: float, session: Any, settings: Any, **_own: Any) -> Any:
    return make(session, settings, attempts=1, read_seconds=patience)


@pytest.fixture
def local_client(sqlite_url: str, tmp_path: Path) -> Iterator[TestClient]:
    """A client of an application that has its objects in a local folder."""
    settings = Settings(home=tmp_path / "home").model_copy(
        update={"database_url": SecretStr(sqlite_url), "examples": False, "allowed_hosts": TEST_CLIENT}
    )
    with closing(open_store(settings)) as store:
        store.prepare()
    with TestClient(create_app(settings)) as client:
        yield client


def upload(client: TestClient, content: bytes = TABLE) -> Response:
    return client.post("/datasets/upload", files={"file": ("table.csv", content)})


def expect_refused(client: TestClient, answer: Response, code: str = "store_unavailable") -> None:
    """The answer blames the store, and nothing is left of the upload."""
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (503, code), problem
    assert answer.headers["retry-after"]
    assert client.get("/datasets").json()["items"] == []
    assert rows(client) == (0, 0)


def rows(client: TestClient) -> tuple[int, int]:
    """How many datasets and versions there are, visible or not."""
    parts = parts_of(client)
    with parts.database.read() as session:
        counts = [session.scalar(select(func.count()).select_from(row)) for row in (DatasetRow, DatasetVersionRow)]
    return counts[0] or 0, counts[1] or 0


def keys(client: TestClient) -> list[str]:
    parts = parts_of(client)
    return [entry.key for entry in parts.store.list(parts.settings.datasets_bucket)]


def expect_success(client: TestClient) -> None:
    """The same upload again is the first version, and its file the only one."""
    answer = upload(client)
    assert (answer.status_code, answer.json()["version"]) == (201, 1), answer.json()
    assert len(keys(client)) == 1
    assert client.get("/datasets/table/preview", params={"rows": 1}).json()["rows"] == [[0, "x" * 100]]


@pytest.mark.thorough
def test_a_store_that_is_down_is_told_and_the_same_upload_succeeds_later(client: TestClient, way: Proxy) -> None:
    way.down()
    expect_refused(client, upload(client))
    way.heal()
    expect_success(client)


@pytest.mark.parametrize("fault", ["down", "failing"])
def test_a_store_that_goes_away_between_two_parts_is_told_and_leaves_nothing(
    client: TestClient, way: Proxy, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(s3_upload, "fail_point", lambda _point: FAULTS[fault](way))
        expect_refused(client, upload(client))
    way.heal()
    assert keys(client) == []
    expect_success(client)


FAULTS: dict[str, Callable[[Proxy], None]] = {
    "down": Proxy.down,
    "failing": lambda way: setattr(way, "failing", 1.0),
    "silent": lambda way: setattr(way, "silent", True),
}


def answered(client: TestClient, way: Proxy) -> Response | None:
    """The answer to an upload, if it came to the fault."""
    answer = upload(client)
    return answer if way.silent else None


@pytest.mark.parametrize("patience", [2])
def test_a_store_that_answers_no_more_is_told_when_the_time_is_over(
    client: TestClient, way: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(s3_upload, "fail_point", lambda _point: FAULTS["silent"](way))
        # On a busy machine even the first part may take longer.
        answer = eventually(lambda: answered(client, way), timeout=60)
    way.heal()
    assert answer is not None
    expect_refused(client, answer)
    eventually(lambda: upload(client).status_code == 201, timeout=60)
    assert rows(client) == (1, 1)


def test_a_server_that_is_killed_while_it_gets_a_file_is_told_and_leaves_nothing(
    client: TestClient, own_s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(s3_upload, "fail_point", lambda _point: own_s3.kill())
        expect_refused(client, upload(client))
    assert own_s3.process is None
    own_s3.start()
    assert keys(client) == []
    expect_success(client)


def test_a_lost_answer_to_the_end_of_an_upload_is_told_and_leaves_nothing_visible(
    client: TestClient, way: Proxy
) -> None:
    way.cut_at, way.cut_after = b"CompleteMultipartUploadResult", 0
    expect_refused(client, upload(client))
    assert way.cuts == 1
    way.heal()
    expect_success(client)


@pytest.fixture
def folder(local_client: TestClient) -> Path:
    """Where the objects of datasets are."""
    settings = parts_of(local_client).settings
    return settings.home / "store" / settings.datasets_bucket


def test_a_local_store_that_goes_away_half_way_is_told_and_leaves_nothing(
    local_client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = folder.with_name("away")
    with monkeypatch.context() as patch:
        patch.setattr(durable, "fail_point", lambda _point: folder.exists() and folder.rename(away))
        expect_refused(local_client, upload(local_client))
    away.rename(folder)
    expect_nothing_unfinished(folder)
    expect_success(local_client)


def test_a_file_in_the_place_of_a_local_store_is_told_and_leaves_nothing(
    local_client: TestClient, folder: Path
) -> None:
    away = folder.with_name("away")
    folder.rename(away)
    folder.write_text("a file")
    expect_refused(local_client, upload(local_client))
    folder.unlink()
    away.rename(folder)
    expect_success(local_client)


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "scratch_full"), (errno.EIO, "scratch_unavailable")])
def test_a_disk_that_fails_while_a_large_file_is_read_is_told_and_leaves_nothing(
    local_client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def broken(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(spool, "_LARGE_BYTES", len(TABLE))
        patch.setattr(os, "fsync", broken)
        expect_refused(local_client, upload(local_client), code)
    assert keys(local_client) == []
    expect_nothing_unfinished(folder)
    assert list(parts_of(local_client).settings.scratch.rglob("spool-*")) == []
    expect_success(local_client)


def test_a_local_store_without_room_is_told_and_leaves_nothing(
    local_client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_durably = durable.copy_durably

    def without_room(*of: Any) -> str:
        with largest_file(1_000_000):
            return copy_durably(*of)

    with monkeypatch.context() as patch:
        # As if the store were on a disk of its own: on the same one nothing is copied.
        patch.setattr(durable, "is_linked", lambda *_of: False)
        patch.setattr(durable, "copy_durably", without_room)
        answer = upload(local_client)
        assert "no room left" in answer.json()["detail"]
        expect_refused(local_client, answer)
    expect_nothing_unfinished(folder)
    expect_success(local_client)


def expect_nothing_unfinished(folder: Path) -> None:
    assert list(folder.rglob("*.csv")) == list((folder.parent / ".unfinished").iterdir()) == []


def test_a_scratch_folder_that_is_gone_is_told_and_the_same_upload_succeeds_later(local_client: TestClient) -> None:
    scratch = parts_of(local_client).reader.folder
    scratch.rename(scratch.with_name("away"))
    expect_refused(local_client, upload(local_client), "scratch_unavailable")
    scratch.with_name("away").rename(scratch)
    expect_success(local_client)
    scratch.rename(scratch.with_name("away"))
    unseen = local_client.get("/datasets/table/preview")
    assert (unseen.status_code, unseen.json()["code"]) == (503, "scratch_unavailable")
    scratch.with_name("away").rename(scratch)


def test_a_file_that_was_damaged_on_the_scratch_disk_is_not_stored(
    local_client: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Spool.finish

    def damage(spool: Spool) -> Spooled:
        file = finish(spool)
        with file.path.open("r+b") as damaged:
            damaged.write(b"c")
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Spool, "finish", damage)
        expect_refused(local_client, upload(local_client), "scratch_unavailable")
    expect_nothing_unfinished(folder)
    expect_success(local_client)
