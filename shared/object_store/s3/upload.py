"""One file on its way into an S3 server: only under a free key, and with checksums that the server verifies.

Afterwards two things are checked: the object's size, and that this very upload wrote it.
"""

import base64
import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import StoreUnavailable
from shared.fail_points import fail_point
from shared.object_store.contract import DigestMismatch, ObjectExists
from shared.object_store.s3.errors import UNSETTLED, code_of, vendor_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, HeadObjectOutputTypeDef

# Files up to one part go in one request. S3 takes up to 10,000 parts of 5 MiB or more.
PART_BYTES = 16 * 2**20
_MAX_PARTS = 10_000

DIGEST = "sha256"
_MARK = "written-by"


@dataclass(frozen=True)
class MultipartUpload:
    """One attempt to store one file. Its mark tells the object it writes from one that somebody else wrote."""

    client: "S3Client"
    bucket: str
    key: str
    size: int
    sha256: str
    mark: str = field(default_factory=lambda: uuid4().hex)

    def run(self, file: BinaryIO) -> None:
        """Send the file and check what the server holds then.

        Raises ObjectExists, DigestMismatch and StoreUnavailable as ObjectStore.put_new does.
        """
        with vendor_errors(self.bucket, self.key):
            try:
                if self.size <= PART_BYTES:
                    self._put_whole(file)
                else:
                    self._put_parts(file)
            except ClientError as error:
                # The client repeats a request whose answer was lost, and may so meet what it wrote itself:
                # `verify` tells the two apart.
                if code_of(error) not in UNSETTLED:
                    raise
        self.verify()

    def verify(self) -> None:
        """Check that the server holds this very object. Raises ObjectExists and StoreUnavailable."""
        with vendor_errors(self.bucket, self.key):
            head = self._head()
            if head is not None and head["Metadata"].get(_MARK) != self.mark:
                # A server that ignores the condition let somebody else write as well.
                raise ObjectExists(self.key)
            if head is None or head["ContentLength"] != self.size or head["Metadata"].get(DIGEST) != self.sha256:
                self.client.delete_object(Bucket=self.bucket, Key=self.key)
                raise StoreUnavailable(
                    "The object store does not hold what was sent to it. Check its disk and its log."
                )

    @property
    def metadata(self) -> dict[str, str]:
        """What is kept with the object."""
        return {DIGEST: self.sha256, _MARK: self.mark}

    def _put_whole(self, file: BinaryIO) -> None:
        data = file.read()
        digest = hashlib.sha256(data)
        self._expect(digest.hexdigest())
        self.client.put_object(
            Bucket=self.bucket,
            Key=self.key,
            Body=data,
            IfNoneMatch="*",
            ChecksumSHA256=_base64(digest.digest()),
            Metadata=self.metadata,
        )

    def _put_parts(self, file: BinaryIO) -> None:
        if self._head() is not None:
            raise ObjectExists(self.key)  # Found out before everything is sent.
        upload_id = self.client.create_multipart_upload(
            Bucket=self.bucket,
            Key=self.key,
            ChecksumAlgorithm="SHA256",
            Metadata=self.metadata,
        )["UploadId"]
        try:
            parts = self._send_parts(file, upload_id)
            self.client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=self.key,
                UploadId=upload_id,
                IfNoneMatch="*",
                MultipartUpload={"Parts": parts},
            )
        except BaseException:
            with suppress(BotoCoreError, ClientError):
                self.client.abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=upload_id)
            raise

    def _send_parts(self, file: BinaryIO, upload_id: str) -> "list[CompletedPartTypeDef]":
        whole = hashlib.sha256()
        parts: list[CompletedPartTypeDef] = []
        while data := file.read(max(PART_BYTES, -(-self.size // _MAX_PARTS))):
            whole.update(data)
            number, digest = len(parts) + 1, _base64(hashlib.sha256(data).digest())
            answer = self.client.upload_part(
                Bucket=self.bucket,
                Key=self.key,
                UploadId=upload_id,
                PartNumber=number,
                Body=data,
                ChecksumSHA256=digest,
            )
            fail_point("put.half")
            parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": digest})
        self._expect(whole.hexdigest())
        return parts

    def _expect(self, digest: str) -> None:
        if digest != self.sha256:
            raise DigestMismatch(f"the bytes for '{self.key}' do not have the digest that was given")

    def _head(self) -> "HeadObjectOutputTypeDef | None":
        try:
            return self.client.head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if code_of(error) != "404":
                raise
            return None


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
