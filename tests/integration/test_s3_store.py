"""What can happen between us and an S3 server: it is away, refuses us, loses an answer or half of one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from pydantic import SecretStr

from shared.errors import StoreUnavailable, WrongSettings
from shared.object_store import DigestMismatch, ObjectExists, ObjectStore, open_store
from shared.object_store.s3.upload import MultipartUpload
from shared.settings import Settings
from tests.support.objects import put, read, sha256_of, some_bytes
from tests.support.proxy import Proxy, proxy_to
from tests.support.servers import S3, free_ports, running

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MIB = 2**20


@contextmanager
def _opened(settings: Settings) -> Iterator[ObjectStore]:
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _other_program(settings: Settings) -> Iterator["S3Client"]:
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=settings.s3_endpoint_url,
        region_name=settings.s3_region,
        aws_access_key_id=S3.access_key,
        aws_secret_access_key=S3.secret_key,
    )
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def store(s3_settings: Settings) -> Iterator[ObjectStore]:
    with _opened(s3_settings) as store:
        store.prepare()
        yield store


@pytest.fixture
def bucket(s3_settings: Settings) -> str:
    return s3_settings.datasets_bucket


@pytest.fixture
def proxy(s3_server: S3) -> Iterator[Proxy]:
    with proxy_to(s3_server.port) as proxy:
        yield proxy


@pytest.fixture
def far_store(store: ObjectStore, s3_settings: Settings, proxy: Proxy) -> Iterator[ObjectStore]:
    """The same store, reached through the proxy."""
    with _opened(s3_settings.model_copy(update={"s3_endpoint_url": proxy.url})) as far_store:
        yield far_store


def _expect_unavailable(store: ObjectStore, bucket: str, source: Path, *, match: str) -> None:
    calls: list[Callable[[], object]] = [
        store.check,
        lambda: store.put_new(bucket, "new", source, sha256=sha256_of(b"data")),
        lambda: store.stat(bucket, "key"),
        lambda: store.open(bucket, "key").__enter__(),
        lambda: store.delete(bucket, "key"),
        lambda: list(store.list(bucket)),
    ]
    for call in calls:
        with pytest.raises(StoreUnavailable, match=match):
            call()


@pytest.mark.parametrize("wrong", [{"s3_access_key": SecretStr("nobody")}, {"s3_secret_key": SecretStr("wrong")}])
def test_refused_credentials_are_named(
    store: ObjectStore, s3_settings: Settings, bucket: str, tmp_path: Path, wrong: dict[str, SecretStr]
) -> None:
    put(store, bucket, "key", b"data", folder=tmp_path)
    source = tmp_path / "source"
    source.write_bytes(b"data")
    with _opened(s3_settings.model_copy(update=wrong)) as refused:
        _expect_unavailable(refused, bucket, source, match="refuses the credentials.*MLMINI_S3_SECRET_KEY")
        with pytest.raises(StoreUnavailable, match="refuses the credentials"):
            refused.prepare()


def test_a_server_that_is_away_is_unavailable_and_comes_back(s3_settings: Settings, tmp_path: Path) -> None:
    server = S3()
    with running(server), _opened(s3_settings.model_copy(update={"s3_endpoint_url": server.endpoint_url})) as store:
        bucket = s3_settings.datasets_bucket
        store.prepare()
        put(store, bucket, "key", b"data", folder=tmp_path)
        server.stop()
        source = tmp_path / "source"
        source.write_bytes(b"data")
        _expect_unavailable(store, bucket, source, match="does not answer.*MLMINI_S3_ENDPOINT_URL")
        server.start()
        assert read(store, bucket, "key") == b"data"
        store.check()


def test_the_check_of_a_server_that_is_away_is_quick(s3_settings: Settings) -> None:
    (port,) = free_ports(1)
    with _opened(s3_settings.model_copy(update={"s3_endpoint_url": f"http://127.0.0.1:{port}"})) as store:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            store.check()
    assert time.monotonic() - began < 3


def test_an_endpoint_that_is_no_url_stops_the_start(s3_settings: Settings) -> None:
    with pytest.raises(WrongSettings, match="MLMINI_S3_ENDPOINT_URL"):
        open_store(s3_settings.model_copy(update={"s3_endpoint_url": "not a url"}))


@pytest.mark.parametrize("size", [1000, 17 * MIB])
def test_a_put_whose_answer_was_lost_is_known_as_our_own(
    far_store: ObjectStore, proxy: Proxy, bucket: str, tmp_path: Path, size: int
) -> None:
    data = some_bytes(size)
    # The one answer with this element ends a multipart upload; small objects are put by the first request of all.
    proxy.cut_at = b"HTTP/1.1 200" if size < MIB else b"CompleteMultipartUploadResult"
    put(far_store, bucket, "key", data, folder=tmp_path)
    assert proxy.cuts == 1
    assert read(far_store, bucket, "key") == data


def test_a_put_whose_answer_was_lost_does_not_claim_what_others_wrote(
    store: ObjectStore, far_store: ObjectStore, proxy: Proxy, bucket: str, tmp_path: Path
) -> None:
    put(store, bucket, "key", b"same", folder=tmp_path)
    proxy.cut_at = b"HTTP/1.1 412"
    with pytest.raises(ObjectExists):
        put(far_store, bucket, "key", b"same", folder=tmp_path)
    assert proxy.cuts == 1


def test_half_an_answer_is_an_error_and_never_half_an_object(
    store: ObjectStore, far_store: ObjectStore, proxy: Proxy, bucket: str, tmp_path: Path
) -> None:
    data = some_bytes(4 * MIB)
    put(store, bucket, "key", data, folder=tmp_path)
    proxy.cut_at, proxy.cut_after = b"HTTP/1.1 200", MIB
    with far_store.open(bucket, "key") as file, pytest.raises(StoreUnavailable):
        file.read()
    assert proxy.cuts == 1


def test_the_digest_of_an_object_from_another_program_is_computed(
    store: ObjectStore, s3_settings: Settings, bucket: str
) -> None:
    with _other_program(s3_settings) as client:
        client.put_object(Bucket=bucket, Key="foreign", Body=b"data")
    assert store.stat(bucket, "foreign").sha256 == sha256_of(b"data")
    assert read(store, bucket, "foreign") == b"data"


def test_a_failed_upload_leaves_no_parts_behind(
    store: ObjectStore, s3_settings: Settings, bucket: str, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.write_bytes(some_bytes(17 * MIB))
    with pytest.raises(DigestMismatch):
        store.put_new(bucket, "key", source, sha256=sha256_of(b"other"))
    with _other_program(s3_settings) as client:
        assert "Uploads" not in client.list_multipart_uploads(Bucket=bucket)


def test_a_server_that_let_somebody_else_write_too_is_noticed(
    store: ObjectStore, s3_settings: Settings, bucket: str
) -> None:
    with _other_program(s3_settings) as client:
        client.put_object(Bucket=bucket, Key="key", Body=b"theirs")
        with pytest.raises(ObjectExists):
            MultipartUpload(client, bucket, "key", len(b"ours"), sha256_of(b"ours")).verify()
    assert read(store, bucket, "key") == b"theirs"


def test_a_server_that_kept_less_than_was_sent_is_noticed_and_nothing_left(
    store: ObjectStore, s3_settings: Settings, bucket: str
) -> None:
    with _other_program(s3_settings) as client:
        upload = MultipartUpload(client, bucket, "key", len(b"all of it"), sha256_of(b"all of it"))
        client.put_object(Bucket=bucket, Key="key", Body=b"all of", Metadata=upload.metadata)
        with pytest.raises(StoreUnavailable, match="does not hold what was sent"):
            upload.verify()
    assert list(store.list(bucket)) == []
