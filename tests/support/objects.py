"""Small factory of objects in a store."""

import hashlib
import random
from pathlib import Path

from shared.object_store import ObjectStore


def sha256_of(data: bytes) -> str:
    """The digest in the form that the store takes."""
    return hashlib.sha256(data).hexdigest()


def some_bytes(size: int, *, seed: int = 0) -> bytes:
    """Bytes that do not repeat, so that parts in a wrong order are noticed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 (the same in every run, and no secret)


def put(store: ObjectStore, bucket: str, key: str, data: bytes, *, folder: Path, final: bool = False) -> str:
    """Store `data` by way of a file in `folder`, and return its digest."""
    source = folder / sha256_of(key.encode() + data)
    source.write_bytes(data)
    store.put_new(bucket, key, source, sha256=sha256_of(data), final=final)
    source.unlink()
    return sha256_of(data)


def read(store: ObjectStore, bucket: str, key: str) -> bytes:
    """All bytes of an object."""
    with store.open(bucket, key) as file:
        return file.read()


def keys(store: ObjectStore, bucket: str) -> list[str]:
    """The keys of a bucket."""
    return sorted(entry.key for entry in store.list(bucket))
