"""Which buckets, keys and prefixes a store takes at all."""

import pytest

from shared.errors import WrongSettings
from shared.object_store import open_store
from shared.object_store.contract import check_bucket, check_key, check_prefix, check_range
from shared.settings import Settings

BAD_KEYS = [
    "",
    ".",
    "..",
    "/",
    "/etc/passwd",
    "a/",
    "a//b",
    "a/./b",
    "../../etc/passwd",
    "a/../../b",
    "a/..",
    "..\\a",
    "C:\\a",
    "\\\\host\\share",
    "a\0b",
    "a\nb",
    "a\r\nb",
    "a b",
    "a%2fb",
    "file:///etc",
    "~root",
    "\uff0e\uff0e\uff0fa",
    "caf\u00e9",
    "\u202ea",
    "\U0001f600",
    "<img>",
    "x;y",
    "x#y",
    "a" * 256,
    "/".join(["a" * 200] * 6),
]


@pytest.mark.asvs("1.3.3")
@pytest.mark.parametrize("key", BAD_KEYS, ids=ascii)
def test_a_key_that_is_not_plain_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not an object key"):
        check_key(key)


@pytest.mark.parametrize("key", ["a", "iris_model_dev_v1.pkl", "iris/3f2c.csv.gz", "a/b-c/d_e.f", "...", "a..b"])
def test_a_plain_key_is_taken(key: str) -> None:
    check_key(key)
    check_prefix(key)


@pytest.mark.parametrize("prefix", ["", "a/", "a/b/", "a/b", ".", "a/."])
def test_a_prefix_may_end_anywhere_in_a_key(prefix: str) -> None:
    check_prefix(prefix)


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a/../b", "a//", "/a", "a b", "a\\", "\0"], ids=ascii)
def test_a_prefix_that_no_key_has_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="is not an object key"):
        check_prefix(prefix)


@pytest.mark.parametrize("bucket", ["datasets", "trained-models", "a.b", "123"])
def test_a_bucket_that_s3_takes_is_taken(bucket: str) -> None:
    check_bucket(bucket)


@pytest.mark.parametrize(
    "bucket", ["", "ab", ".unfinished", "..", "a..b", "a/b", "Datasets", "a_b", "-ab", "a" * 64, "abc\n"]
)
def test_a_bucket_that_s3_does_not_take_is_refused(bucket: str) -> None:
    with pytest.raises(ValueError, match="is not a bucket name"):
        check_bucket(bucket)


@pytest.mark.parametrize(("start", "end"), [(-1, None), (2, 1), (0, -1)])
def test_a_range_that_makes_no_sense_is_refused(start: int, end: int | None) -> None:
    with pytest.raises(ValueError, match="no range"):
        check_range(start, end)


@pytest.mark.parametrize("store", ["local", "s3"])
def test_a_bucket_that_cannot_be_stops_the_start(settings: Settings, store: str) -> None:
    wrong = settings.model_copy(update={"store": store, "models_bucket": "Trained Models"})
    with pytest.raises(WrongSettings, match="or MLMINI_PREDICTIONS_BUCKET: 'Trained Models' is not a bucket name"):
        open_store(wrong)
