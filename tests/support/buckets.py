"""Buckets of an S3 server for one test after the other."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from shared.errors import StoreUnavailable
from shared.object_store import open_store
from shared.object_store.shelves import buckets_of
from shared.settings import Settings
from tests.support.servers import S3


def new_buckets(server: S3, home: Path) -> Settings:
    """Settings of an S3 store with bucket names of their own, not made yet."""
    own = secrets.token_hex(6)
    return Settings(
        home=home,
        store="s3",
        s3_endpoint_url=server.endpoint_url,
        s3_access_key=SecretStr(server.access_key),
        s3_secret_key=SecretStr(server.secret_key),
        datasets_bucket=f"datasets-{own}",
        models_bucket=f"trained-models-{own}",
        predictions_bucket=f"predictions-{own}",
    )


class Buckets:
    """Lends buckets that hold nothing, and empties them afterwards.

    The first object of a bucket takes the server a fifth of a second, which thousands of tests would wait for.
    """

    def __init__(self, server: S3) -> None:
        self._server = server
        self._free: list[Settings] = []
        # It empties those of all tests: a client takes longer to make than to use.
        self._store = open_store(new_buckets(server, Path()))

    @contextmanager
    def lend(self, home: Path) -> Iterator[Settings]:
        """Settings of an S3 store with empty buckets, which nobody else has until the block ends."""
        lent = self._free.pop() if self._free else new_buckets(self._server, home)
        yield lent.model_copy(update={"home": home})
        try:
            for bucket in buckets_of(lent):
                for entry in list(self._store.list(bucket)):
                    self._store.delete(bucket, entry.key)
        except StoreUnavailable:
            return  # They were never made.
        self._free.append(lent)

    def close(self) -> None:
        """Nothing is lent any more."""
        self._store.close()
