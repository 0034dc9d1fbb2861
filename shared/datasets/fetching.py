"""Stored files on the local disk again, checked against what was uploaded."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.datasets.rows import DatasetVersionRow
from shared.datasets.spool import HEAD_BYTES, Spooled
from shared.errors import DatasetCorrupt, StoreUnavailable
from shared.hashing import chunks_of, copy_hashed
from shared.object_store import ObjectMissing, ObjectStore
from shared.scratch import scratch_errors


@contextmanager
def fetched(version: DatasetVersionRow, *, store: ObjectStore, bucket: str, folder: Path) -> Iterator[Spooled]:
    """The whole file of a version, in `folder` as long as the block lasts.

    Raises:
        StoreUnavailable: when the object store does not answer, or has lost the file.
        DatasetCorrupt: when what was fetched is not what was uploaded.
        ScratchFull, ScratchUnavailable: when it cannot be written.
    """
    with scratch_folder(folder) as inner:
        path = fetch(store, bucket, version.object_key, inner, end=None, sha256=version.sha256)
        with path.open("rb") as file:
            head = copy_hashed(iter([file.read(HEAD_BYTES)]))
        yield Spooled(path, path.stat().st_size, version.sha256, head.sha256)


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A folder for fetched files, which goes with the block. Raises ScratchFull and ScratchUnavailable."""
    with scratch_errors(), tempfile.TemporaryDirectory(prefix="fetched-", dir=root) as folder:
        yield Path(folder)


def fetch(store: ObjectStore, bucket: str, key: str, folder: Path, *, end: int | None, sha256: str | None) -> Path:
    """A stored file, or what it has before `end`, in `folder`; checked where the digest of that is known.

    Raises:
        StoreUnavailable, DatasetCorrupt: as `fetched`.
    """
    path = folder / "file"
    try:
        with store.open(bucket, key, end=end) as source, path.open("wb") as target:
            digest = copy_hashed(chunks_of(source), target)
    except ObjectMissing:
        raise StoreUnavailable("The object store has lost the file of this dataset version. Upload it again.") from None
    if sha256 is not None and digest.sha256 != sha256:
        raise DatasetCorrupt(
            "The stored file of this dataset version is not what was uploaded. Bring it back from a backup of the "
            "bucket, or, if it is the newest version, upload the same file again."
        )
    return path
