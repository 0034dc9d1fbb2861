"""The table that a job works on, brought into the private folder of its attempt."""

from collections.abc import Iterator
from typing import BinaryIO

from shared.datasets.rows import DatasetVersionRow
from shared.errors import DatasetCorrupt, DatasetDeleted
from shared.fail_points import fail_point
from shared.hashing import chunks_of, copy_hashed
from shared.object_store import ObjectMissing
from worker.attempt import Attempt
from worker.handover import TABLE_FILE


def find_table(attempt: Attempt) -> DatasetVersionRow:
    """The dataset version that the job was accepted for.

    Raises:
        DatasetDeleted: when it was deleted since then.
    """
    with attempt.runtime.database.read() as session:
        row = session.get(DatasetVersionRow, attempt.claim.dataset_version_id or 0)
    if row is None:
        raise DatasetDeleted(f"The dataset '{_name(attempt)}' was deleted while this job waited.")
    return row


def fetch_table(attempt: Attempt, source: DatasetVersionRow) -> None:
    """Copy the table to the private folder, checked against the digest of its upload.

    Raises:
        DatasetDeleted, DatasetCorrupt: when its file is gone, or is another one.
        StoreUnavailable: when the object store does not answer.
        Fenced, CancelRequested, Stopping: when the attempt may not go on.
    """
    runtime = attempt.runtime
    try:
        with (
            runtime.store.open(runtime.settings.datasets_bucket, source.object_key) as stored,
            (attempt.folder / TABLE_FILE).open("wb") as local,
        ):
            digest = copy_hashed(_interruptible(attempt, stored), local)
    except ObjectMissing:
        raise DatasetDeleted(f"The file of dataset '{_name(attempt)}' is gone. Upload it again.") from None
    if digest.sha256 != source.sha256:
        raise DatasetCorrupt(
            f"The stored file of dataset '{_name(attempt)}' is not what was uploaded. Upload it again."
        )
    attempt.say(f"fetched the table '{_name(attempt)}', {source.size_bytes:,} bytes, as it was uploaded")


def _name(attempt: Attempt) -> str:
    """The dataset that is read, which need not be the one that the job is listed under."""
    source = attempt.claim.request.get("input")
    return str(source["dataset_name"]) if isinstance(source, dict) else attempt.claim.dataset_name


def _interruptible(attempt: Attempt, stored: BinaryIO) -> Iterator[bytes]:
    for chunk in chunks_of(stored):
        yield chunk
        attempt.check()
        fail_point("fetch.half")
