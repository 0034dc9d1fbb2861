"""What the errors of an S3 server mean to the platform."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from shared.errors import StoreUnavailable
from shared.object_store.contract import ObjectExists, ObjectMissing
from shared.object_store.shelves import BUCKET_SETTINGS

# Answers to a conditional write after which only a look at the object tells who wrote it. The last one comes when
# the first answer to the end of an upload was lost and the client asked again.
UNSETTLED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "NoSuchUpload"}

_CREDENTIALS = "MLMINI_S3_ACCESS_KEY and MLMINI_S3_SECRET_KEY"
_NO_S3 = (
    "What answers at MLMINI_S3_ENDPOINT_URL is no S3 server. Set the address of its S3 port, not that of its console."
)
_OTHER_REGION = "Bucket '{}' is in another region. Set MLMINI_S3_REGION, and the endpoint that belongs to it."
_SAID = {
    "PermanentRedirect": _OTHER_REGION,
    "301": _OTHER_REGION,
    "AuthorizationHeaderMalformed": _OTHER_REGION,
    "IllegalLocationConstraintException": _OTHER_REGION,
    "RequestTimeTooSkewed": "The clocks of this machine and of the object store differ. Set them, best by NTP.",
    # An S3 server names its errors; numbers alone come from something else, except as answers to HEAD.
    "404": _NO_S3,
    "405": _NO_S3,
    "501": _NO_S3,
}
_NO_BUCKET = (
    "The object store has no bucket '{}'. Create it, as `python -m cli.launcher.prepare` does where it may, or name "
    f"the right one in {BUCKET_SETTINGS}."
)
_CLOSED = (
    "The object store does not answer: the connection is closed. Check that MLMINI_S3_ENDPOINT_URL is its S3 port, and "
    "look at its log."
)
_UNREACHED = (
    "The object store does not answer: nothing is at the address of MLMINI_S3_ENDPOINT_URL. Start it, or set the right "
    "one."
)
_UNREAD = [
    (SSLError, "MLMINI_S3_ENDPOINT_URL and the object store do not agree on encryption. Check http and https there."),
    (EndpointConnectionError, _UNREACHED),
    (ConnectionClosedError, _CLOSED),
    (ResponseParserError, _NO_S3),
]


@contextmanager
def vendor_errors(bucket: str, key: str = "") -> Iterator[None]:
    """Turn the errors of a call about a bucket, or an object of it, into ours."""
    try:
        yield
    except ClientError as error:
        raise _answered(error, bucket, key) from error
    except (BotoCoreError, ResponseParserError) as error:
        raise StoreUnavailable(_unread(error)) from error


def code_of(error: ClientError) -> str:
    """The error's code; answers to HEAD have no body, and so only a number."""
    return error.response.get("Error", {}).get("Code", "")


def _unread(error: BotoCoreError | ResponseParserError) -> str:
    for kind, sentence in _UNREAD:
        if isinstance(error, kind):
            return sentence
    return "The object store does not answer. Check that it runs and that MLMINI_S3_ENDPOINT_URL is its address."


def _answered(error: ClientError, bucket: str, key: str) -> Exception:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if key and code in {"NoSuchKey", "NotFound", "404"}:
        return ObjectMissing(key)
    if status == 412:
        return ObjectExists(key)
    return StoreUnavailable(_refused(error, bucket, code or str(status), status))


def _refused(error: ClientError, bucket: str, code: str, status: int) -> str:
    if error.operation_name == "CreateBucket" and code not in _SAID:
        return _not_created(bucket, code, status)
    if code == "NoSuchBucket" or (status == 404 and error.operation_name == "HeadBucket"):
        return _NO_BUCKET.format(bucket)
    if code in _SAID:
        return _SAID[code].format(bucket)
    if status in {401, 403}:
        return (
            f"The object store refuses the credentials for bucket '{bucket}' ({code}). Check {_CREDENTIALS}, and that "
            "they may list, read and write there."
        )
    return f"The object store answered {code} for bucket '{bucket}'. Its log says why."


def _not_created(bucket: str, code: str, status: int) -> str:
    if code in {"BucketAlreadyExists", "InvalidBucketName"}:
        why = "and that name is taken by somebody else or not allowed there"
    elif status in {401, 403}:
        why = f"and {_CREDENTIALS} may not create it"
    else:
        why = "and it could not be created"
    hint = f"Have it created, or name another one in {BUCKET_SETTINGS}."
    return f"The object store has no bucket '{bucket}', {why} ({code}). {hint}"
