"""Uploads that never ended, and the clock that tells how old they are."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from shared.errors import StoreUnavailable
from shared.object_store.s3.errors import code_of, vendor_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import MultipartUploadTypeDef


def server_time(client: "S3Client", bucket: str) -> datetime:
    """The server's clock, which each of its answers tells. Raises StoreUnavailable where one does not."""
    with vendor_errors(bucket):
        answer = client.list_objects_v2(Bucket=bucket, MaxKeys=1)
    try:
        return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        raise StoreUnavailable(
            "The answers of the object store do not tell its time. Check what stands between it and the platform."
        ) from None


def abort_stale(
    client: "S3Client", bucket: str, *, older_than_seconds: float, is_ours: Callable[[str, str], bool]
) -> int:
    """Abort those of our uploads in parts that began longer ago than that; how many there were."""
    before = server_time(client, bucket) - timedelta(seconds=older_than_seconds)
    aborted = 0
    # All of them first: pages may shift while uploads go.
    for upload in list(_uploads(client, bucket)):
        # One that does not tell when it began may be under way.
        if "Initiated" in upload and upload["Initiated"] < before and is_ours(bucket, upload["Key"]):
            aborted += _abort(client, bucket, upload)
    return aborted


def _uploads(client: "S3Client", bucket: str) -> "Iterator[MultipartUploadTypeDef]":
    pages = iter(client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket))
    while True:
        with vendor_errors(bucket):
            page = next(pages, None)
        if page is None:
            return
        yield from page.get("Uploads", [])


def _abort(client: "S3Client", bucket: str, upload: "MultipartUploadTypeDef") -> bool:
    with vendor_errors(bucket):
        try:
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        except ClientError as error:
            # It has ended since, or another process was faster.
            if code_of(error) != "NoSuchUpload":
                raise
            return False
    return True
