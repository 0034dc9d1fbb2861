"""The store: what the contract asks for, in requests to an S3 server."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import WrongSettings
from shared.hashing import chunks_of, copy_hashed
from shared.object_store.contract import ObjectEntry, ObjectInfo, check_bucket, check_key, check_prefix, check_range
from shared.object_store.s3.errors import code_of, vendor_errors
from shared.object_store.s3.removal import hold_to_time, in_time
from shared.object_store.s3.stale import abort_stale, server_time
from shared.object_store.s3.upload import DIGEST, MultipartUpload
from shared.object_store.shelves import buckets_of
from shared.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_BUFFER_BYTES = 2**18


class S3Store:
    """Objects in a few buckets of one S3 server. The digest of an object is kept in its metadata."""

    def __init__(self, settings: Settings) -> None:
        """Nothing is sent yet. Raises WrongSettings for an endpoint that is no URL."""
        session = boto3.session.Session()
        self._client = _client(session, settings, attempts=3, read_seconds=30)
        hold_to_time(self._client)
        # `check` must be quick, and its caller repeats it anyway.
        self._probe = _client(session, settings, attempts=1, read_seconds=5)
        self._buckets = buckets_of(settings)
        self._region = settings.s3_region

    def put_new(self, bucket: str, key: str, source: Path, *, sha256: str, final: bool = False) -> None:
        """See ObjectStore. All objects are copies here."""
        del final
        _check(bucket, key)
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            MultipartUpload(self._client, bucket, key, size, sha256).run(file)

    @contextmanager
    def open(self, bucket: str, key: str, *, start: int = 0, end: int | None = None) -> Iterator[BinaryIO]:
        """See ObjectStore."""
        check_range(start, end)
        with io.BufferedReader(self._body(bucket, key, start, end), _BUFFER_BYTES) as reader:
            yield reader

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """See ObjectStore."""
        head = self._head(bucket, key)
        sha256 = head["Metadata"].get(DIGEST)
        if sha256 is None:  # Another program put it there.
            with self.open(bucket, key) as body:
                sha256 = copy_hashed(chunks_of(body)).sha256
        return ObjectInfo(key=key, size=head["ContentLength"], modified=head["LastModified"], sha256=sha256)

    def delete(self, bucket: str, key: str) -> None:
        """See ObjectStore."""
        _check(bucket, key)
        with vendor_errors(bucket, key):
            self._client.delete_object(Bucket=bucket, Key=key)

    def delete_listed(self, bucket: str, entry: ObjectEntry, *, by: float) -> bool:
        """See ObjectStore."""
        # The server removes whatever has the key, and gives the same answer if nothing has it.
        if entry not in self.list(bucket, entry.key):
            return False
        with in_time(by):
            self.delete(bucket, entry.key)
        return True

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectEntry]:
        """See ObjectStore."""
        check_bucket(bucket)
        check_prefix(prefix)
        return self._list(bucket, prefix)

    def check(self) -> None:
        """See ObjectStore."""
        for bucket in self._buckets:
            with vendor_errors(bucket):
                # Unlike HEAD, a list says why it was refused.
                self._probe.list_objects_v2(Bucket=bucket, MaxKeys=1)

    def prepare(self) -> None:
        """See ObjectStore."""
        for bucket in self._buckets:
            with vendor_errors(bucket):
                try:
                    self._client.list_objects_v2(Bucket=bucket, MaxKeys=1)
                except self._client.exceptions.NoSuchBucket:
                    self._create(bucket)

    def now(self) -> datetime:
        """See ObjectStore."""
        return server_time(self._client, self._buckets[0])

    def abort_stale(self, *, older_than_seconds: float, is_ours: Callable[[str, str], bool]) -> int:
        """See ObjectStore."""
        return sum(
            abort_stale(self._client, each, older_than_seconds=older_than_seconds, is_ours=is_ours)
            for each in self._buckets
        )

    def close(self) -> None:
        """See ObjectStore."""
        self._client.close()
        self._probe.close()

    def _list(self, bucket: str, prefix: str) -> Iterator[ObjectEntry]:
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
        while True:
            with vendor_errors(bucket):
                page = next(pages, None)
            if page is None:
                return
            for entry in page.get("Contents", []):
                yield ObjectEntry(key=entry["Key"], size=entry["Size"], modified=entry["LastModified"])

    def _head(self, bucket: str, key: str) -> "HeadObjectOutputTypeDef":
        _check(bucket, key)
        with vendor_errors(bucket, key):
            try:
                return self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                if code_of(error) == "404":
                    # Answers to HEAD do not tell which of the two is missing.
                    with vendor_errors(bucket):
                        self._client.head_bucket(Bucket=bucket)
                raise

    def _body(self, bucket: str, key: str, start: int, end: int | None) -> "_ObjectBody":
        if end == start:  # No range of HTTP is empty.
            self._head(bucket, key)
            return _ObjectBody(io.BytesIO(), bucket)
        _check(bucket, key)
        wanted = f"bytes={start}-" if end is None else f"bytes={start}-{end - 1}"
        part: dict[str, Any] = {} if (start, end) == (0, None) else {"Range": wanted}
        with vendor_errors(bucket, key):
            try:
                answer = self._client.get_object(Bucket=bucket, Key=key, **part)
            except ClientError as error:
                if code_of(error) == "InvalidRange":  # It begins past the last byte.
                    return _ObjectBody(io.BytesIO(), bucket)
                raise
        return _ObjectBody(answer["Body"], bucket)

    def _create(self, bucket: str) -> None:
        # The default region must not be named.
        place: Any = {} if self._region == "us-east-1" else {"LocationConstraint": self._region}
        options = {"CreateBucketConfiguration": place} if place else {}
        try:
            self._client.create_bucket(Bucket=bucket, **options)
        except self._client.exceptions.BucketAlreadyOwnedByYou:
            return  # Another process was faster.


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class _ObjectBody(io.RawIOBase):
    """The body of an answer as a file, with its errors turned into ours."""

    def __init__(self, body: _Readable, bucket: str) -> None:
        self._body = body
        self._bucket = bucket

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        with vendor_errors(self._bucket):
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _client(session: boto3.session.Session, settings: Settings, *, attempts: int, read_seconds: float) -> "S3Client":
    secrets = (settings.s3_access_key, settings.s3_secret_key)
    access_key, secret_key = (secret.get_secret_value() if secret else None for secret in secrets)
    try:
        return session.client(
            "s3",
            endpoint_url=settings.s3_endpoint_url,
            region_name=settings.s3_region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                connect_timeout=3,
                read_timeout=read_seconds,
                retries={"mode": "standard", "total_max_attempts": attempts},
                max_pool_connections=32,
                tcp_keepalive=True,
                # Servers other than Amazon's rarely have a host name for each bucket.
                s3={"addressing_style": "path" if settings.s3_endpoint_url else "auto"},
                # Uploads carry a SHA-256 of their own; older servers stumble over the checksums added by default.
                request_checksum_calculation="when_required",
            ),
        )
    except (ValueError, BotoCoreError) as error:
        raise WrongSettings(f"MLMINI_S3_ENDPOINT_URL, or an AWS_ variable: {error}") from None


def _check(bucket: str, key: str) -> None:
    check_bucket(bucket)
    check_key(key)
