"""What the errors of an S3 server mean to the platform."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from shared.errors import StoreUnavailable
from shared.object_store.contract import ObjectExists, ObjectMissing

# Answers to a conditional write after which only a look at the object tells who wrote it. The last one comes when
# the first answer to the end of an upload was lost and the client asked again.
UNSETTLED = {"PreconditionFailed", "412", "ConditionalRequestConflict", "NoSuchUpload"}


@contextmanager
def vendor_errors(bucket: str, key: str = "") -> Iterator[None]:
    """Turn the errors of a call about a bucket, or an object of it, into ours."""
    try:
        yield
    except ClientError as error:
        raise _answered(error, bucket, key) from error
    except BotoCoreError as error:
        raise StoreUnavailable(
            "The object store does not answer. Check that it runs and that MLMINI_S3_ENDPOINT_URL is its address."
        ) from error


def code_of(error: ClientError) -> str:
    """The error's code; answers to HEAD have no body, and so only a number."""
    return error.response.get("Error", {}).get("Code", "")


def _answered(error: ClientError, bucket: str, key: str) -> Exception:
    code = code_of(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if key and code in {"NoSuchKey", "NotFound", "404"}:
        return ObjectMissing(key)
    if status == 404 and code != "NoSuchUpload":
        return StoreUnavailable(
            f"The object store has no bucket '{bucket}'. Create it, or name the right one in MLMINI_DATASETS_BUCKET "
            "or MLMINI_MODELS_BUCKET."
        )
    if status == 412:
        return ObjectExists(key)
    if status in {401, 403}:
        return StoreUnavailable(
            f"The object store refuses the credentials for bucket '{bucket}' ({code}). Check MLMINI_S3_ACCESS_KEY and "
            "MLMINI_S3_SECRET_KEY, and that they may list, read and write there."
        )
    return StoreUnavailable(f"The object store answered {code or status} for bucket '{bucket}'. Its log says why.")
