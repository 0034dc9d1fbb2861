"""What each answer of an S3 server means; real servers give only some of them on demand."""

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from shared.errors import StoreUnavailable
from shared.object_store import ObjectExists, ObjectMissing
from shared.object_store.s3.errors import vendor_errors


def _answer(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Call")  # type: ignore[typeddict-item]  # the rest is not looked at


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("NoSuchKey", 404, ObjectMissing),
        ("404", 404, ObjectMissing),
        ("NoSuchBucket", 404, StoreUnavailable),
        ("PreconditionFailed", 412, ObjectExists),
        ("412", 412, ObjectExists),
        ("ConditionalRequestConflict", 409, StoreUnavailable),
        ("NoSuchUpload", 404, StoreUnavailable),
        ("AccessDenied", 403, StoreUnavailable),
        ("403", 403, StoreUnavailable),
        ("BadDigest", 400, StoreUnavailable),
        ("SlowDown", 503, StoreUnavailable),
        ("InternalError", 500, StoreUnavailable),
        ("XMinioStorageFull", 507, StoreUnavailable),
        ("", 502, StoreUnavailable),
    ],
)
def test_every_answer_becomes_one_of_ours(code: str, status: int, expected: type[Exception]) -> None:
    with pytest.raises(expected), vendor_errors("datasets", "iris/1.csv"):
        raise _answer(code, status)


@pytest.mark.parametrize("error", [ConnectTimeoutError, ReadTimeoutError])
def test_a_timeout_is_an_outage_and_shows_no_address(error: type[ConnectTimeoutError | ReadTimeoutError]) -> None:
    with pytest.raises(StoreUnavailable, match="does not answer") as caught, vendor_errors("datasets"):
        raise error(endpoint_url="http://user:secret@store:9000")
    assert "secret" not in caught.value.detail


def test_a_bug_is_not_taken_for_an_outage() -> None:
    with pytest.raises(KeyError), vendor_errors("datasets"):
        raise KeyError("ours")
