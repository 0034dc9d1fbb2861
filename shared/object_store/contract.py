"""What every object store does. Objects are immutable: a key is written once and never again."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


class ObjectExists(Exception):
    """The key is taken; what it holds was not touched."""


class ObjectMissing(Exception):
    """No object has that key."""


class DigestMismatch(Exception):
    """The bytes are not those that the digest was made of; nothing was stored."""


@dataclass(frozen=True)
class ObjectEntry:
    """An object as lists show it. `modified` is when it was stored."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class ObjectInfo(ObjectEntry):
    """An object with the digest of its bytes, in hex."""

    sha256: str


class ObjectStore(Protocol):
    """The one way to files that outlive a process.

    Every method raises StoreUnavailable, with a sentence that says how to fix it, when the store does not answer,
    refuses the credentials, has no such bucket or no room; and ValueError for a bucket or key that `check_bucket` or
    `check_key` refuses. An implementation may be shared by threads.
    """

    def put_new(self, bucket: str, key: str, source: Path, *, sha256: str, final: bool = False) -> None:
        """Store the bytes of a file under a new key; durable, complete and checked when it returns.

        `final` says that nobody writes to the file any more: it may then become the object, and is only to be removed.
        Of several at once for one key exactly one wins. Whoever is refused leaves nothing visible; after
        StoreUnavailable the object is there as a whole or not at all.

        Raises:
            ObjectExists: when the key is taken.
            DigestMismatch: when the bytes do not have this digest.
        """
        ...

    def open(
        self, bucket: str, key: str, *, start: int = 0, end: int | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """The bytes from `start` up to but without `end`, to be read once from front to back.

        A range that reaches past the end gives what there is. Raises ObjectMissing.
        """
        ...

    def stat(self, bucket: str, key: str) -> ObjectInfo:
        """Size, digest and time of an object. Raises ObjectMissing.

        The digest may have to be computed by reading the object.
        """
        ...

    def delete(self, bucket: str, key: str) -> None:
        """Remove an object; one that is not there is fine."""
        ...

    def delete_listed(self, bucket: str, entry: ObjectEntry, *, by: float) -> bool:
        """Remove an object that a list showed; whether it was removed, as far as the store can tell.

        A newer object under that key stays, however long this process is paused in between. A store that cannot tell
        two objects of one key apart begins nothing after `by`, a time of this machine's clock in the near future, and
        raises StoreUnavailable instead.
        """
        ...

    def list(self, bucket: str, prefix: str = "") -> Iterator[ObjectEntry]:
        """The complete objects whose keys begin with `prefix`, those of one folder in ascending order.

        The order of the folders themselves depends on the store.
        """
        ...

    def check(self) -> None:
        """Raise StoreUnavailable, with a hint, unless the store answers and has its buckets."""
        ...

    def prepare(self) -> None:
        """Make the buckets that are missing."""
        ...

    def now(self) -> datetime:
        """The store's own clock, by which `modified` is told: clocks of other machines may differ from it."""
        ...

    def abort_stale(self, *, older_than_seconds: float, is_ours: Callable[[str, str], bool]) -> int:
        """Remove what uploads left that began longer ago than that and never ended; how many there were.

        Objects are not touched, nor uploads of other programs: `is_ours` tells by bucket and key. One of those uploads
        that is under way after all fails as StoreUnavailable.
        """
        ...

    def close(self) -> None:
        """Give connections back; the store is not used after that."""
        ...


_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PART = re.compile(r"[A-Za-z0-9_.+=@-]{1,255}")


def check_bucket(bucket: str) -> None:
    """Raise ValueError unless S3 would take the name. Such a name is never a path."""
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise ValueError(f"{bucket!r} is not a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens")


def check_key(key: str) -> None:
    """Raise ValueError unless the key is parts of plain ASCII between single slashes.

    Keys are built by the server, so a wrong one is a bug of ours; it must not become a path all the same.
    """
    parts = key.split("/")
    if len(key) > 1024 or not all(_PART.fullmatch(part) and part not in {".", ".."} for part in parts):
        raise ValueError(f"{key!r} is not an object key: letters, digits and _.+=@- in parts between single slashes")


def check_prefix(prefix: str) -> None:
    """Raise ValueError unless some key could begin like this."""
    folder, slash, start = prefix.rpartition("/")
    if slash:
        check_key(folder)
    if start not in {"", ".", ".."}:
        check_key(start)


def check_range(start: int, end: int | None) -> None:
    """Raise ValueError for a range that ends before it starts or starts before the first byte."""
    if start < 0 or (end is not None and end < start):
        raise ValueError(f"no range of bytes: {start} up to {end}")
