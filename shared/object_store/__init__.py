"""Objects that outlive a process: one contract, a local directory and S3 behind it."""

from shared.errors import WrongSettings
from shared.object_store.contract import (
    DigestMismatch,
    ObjectEntry,
    ObjectExists,
    ObjectInfo,
    ObjectMissing,
    ObjectStore,
    check_bucket,
)
from shared.object_store.local import LocalStore
from shared.object_store.shelves import BUCKET_SETTINGS, buckets_of
from shared.settings import Settings

__all__ = [
    "DigestMismatch",
    "ObjectEntry",
    "ObjectExists",
    "ObjectInfo",
    "ObjectMissing",
    "ObjectStore",
    "open_store",
]


def open_store(settings: Settings) -> ObjectStore:
    """The object store that the settings name. It is not contacted yet.

    Raises:
        WrongSettings: when a bucket cannot have its name, or the endpoint is no URL.
    """
    buckets = buckets_of(settings)
    try:
        for bucket in buckets:
            check_bucket(bucket)
    except ValueError as error:
        raise WrongSettings(f"{BUCKET_SETTINGS}: {error}") from None
    if settings.store == "local":
        return LocalStore(settings.home / "store", buckets=buckets)
    # boto3 takes a quarter of a second and 30 MB to import: a local deployment does not pay for it.
    from shared.object_store.s3 import S3Store

    return S3Store(settings)
