"""Compares the rows that name objects with the objects in the store.

On a platform that runs both change meanwhile, so whatever seems to be missing is looked at once more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Executable, select
from sqlalchemy.orm import Session

from shared.clock import in_words
from shared.consistency.difference import Difference, Level
from shared.database import Database
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.discarded import is_discarded
from shared.hashing import chunks_of, copy_hashed
from shared.object_store import ObjectEntry, ObjectMissing, ObjectStore
from shared.object_store.shelves import Shelf, bucket_of
from shared.registry.naming import is_form, read_artifact_name
from shared.registry.outputs import PredictionOutputRow, writing_job
from shared.registry.references import claiming_job, is_newer, is_ours, named
from shared.registry.rows import CompiledFormRow, DeploymentRow
from shared.registry.tombstones import erasures
from shared.settings import Settings

_CHUNK_BYTES = 2**20
_HINTS = {
    Shelf.DATASETS: "Bring the object back from a backup of the bucket, or upload the same file again under that name.",
    Shelf.PREDICTIONS: "Bring the object back from a backup of the bucket, or run the job again with "
    "`POST /jobs/{id}/retry`.",
    Shelf.MODELS: "Bring the object back from a backup of the bucket, or retire the version there and train again.",
}
_HINT_OF_FORM = "Bring the object back from a backup of the bucket, or have it made again with `mlmini models compile`."


@dataclass(frozen=True)
class _Expected:
    """What a row says about an object."""

    shelf: Shelf
    key: str
    size_bytes: int
    sha256: str


def differences(database: Database, store: ObjectStore, settings: Settings, *, deep: bool) -> Iterator[Difference]:
    """Objects that are missing or are not what their rows say, and objects without a row."""
    for shelf in Shelf:
        with database.read() as session:
            expected = {each.key: each for each in _expected(session, shelf)}
        now = store.now()
        there = {entry.key: entry for entry in store.list(bucket_of(shelf, settings))}
        for each in expected.values():
            yield from _compared(each, there.get(each.key), database, store, settings, deep=deep)
        for key in there.keys() - expected.keys():
            yield from _unexpected(shelf, there[key], database, settings, now=now)


def _expected(session: Session, shelf: Shelf) -> Iterator[_Expected]:
    query: Executable
    if shelf is Shelf.DATASETS:
        columns = (DatasetVersionRow.object_key, DatasetVersionRow.size_bytes, DatasetVersionRow.sha256)
        query = select(*columns).join(DatasetRow).where(DatasetVersionRow.state == VersionState.READY)
    elif shelf is Shelf.PREDICTIONS:
        output = PredictionOutputRow
        query = select(output.object_key, output.size_bytes, output.sha256).where(output.removed_at.is_(None))
    else:
        # Of several deployments in one stage all have the same file.
        query = select(DeploymentRow.artifact_path, DeploymentRow.size_bytes, DeploymentRow.sha256).union(
            select(CompiledFormRow.form_path, CompiledFormRow.size_bytes, CompiledFormRow.sha256)
        )
    for key, size_bytes, sha256 in session.execute(query):
        yield _Expected(shelf, key, size_bytes, sha256)


def _compared(
    row: _Expected,
    entry: ObjectEntry | None,
    database: Database,
    store: ObjectStore,
    settings: Settings,
    *,
    deep: bool,
) -> Iterator[Difference]:
    bucket = bucket_of(row.shelf, settings)
    hint = _HINT_OF_FORM if row.shelf is Shelf.MODELS and is_form(row.key) else _HINTS[row.shelf]
    if entry is not None and entry.size != row.size_bytes:
        found = f"it has {entry.size:,} bytes, and {row.size_bytes:,} were registered"
        yield Difference("object_size", f"{bucket}/{row.key}", found, hint)
        return
    try:
        sha256 = _digest(store, bucket, row.key) if deep else store.stat(bucket, row.key).sha256
    except ObjectMissing:
        with database.read() as session:
            wanted = named(session, row.shelf, [row.key])
        if wanted:
            yield Difference("object_missing", f"{bucket}/{row.key}", "a row names it, and it is not there", hint)
        return
    if sha256 != row.sha256:
        yield Difference("object_digest", f"{bucket}/{row.key}", "its contents are not what was registered", hint)


def _digest(store: ObjectStore, bucket: str, key: str) -> str:
    with store.open(bucket, key) as file:
        return copy_hashed(chunks_of(file)).sha256


def _unexpected(
    shelf: Shelf, entry: ObjectEntry, database: Database, settings: Settings, *, now: datetime
) -> Iterator[Difference]:
    about = f"{bucket_of(shelf, settings)}/{entry.key}"
    if not is_ours(shelf, entry.key):
        hint = "The platform leaves it alone. Keep what is not its own in another bucket."
        yield Difference("object_foreign", about, "the platform does not give such names", hint, Level.NOTE)
        return
    with database.read() as session:
        if is_discarded(session, shelf, entry.key):
            found = "a deletion is committed, and has not come to this file of it yet"
            yield Difference("object_discarded", about, found, "The janitor of any worker removes it.", Level.NOTE)
            return
        erased = erasures(session, [name.version for name in read_artifact_name(entry.key)])
        # In this order: a job that ends in between has named the object then.
        job_id = _claimed_by(session, shelf, entry.key)
        newer = shelf is Shelf.MODELS and is_newer(session, entry.key)
        if named(session, shelf, [entry.key]):
            return
    age = timedelta(seconds=round((now - entry.modified).total_seconds()))
    for version, moment in erased.items():
        found = f"version {version} was erased on {in_words(moment)}; the file is {age} old"
        yield Difference("object_erased", about, found, f"{_RESTORED} {_collected(settings)}")
        return
    if job_id is not None:
        hint = "Wait for the end of the job."
        yield Difference("object_claimed", about, f"no row names it yet; job {job_id} may", hint, Level.NOTE)
    elif newer:
        found = f"it is {age} old, and of a version that this database has not come to"
        yield Difference("object_newer", about, found, _NEWER)
    else:
        yield Difference("orphan", about, f"no row names it; it is {age} old", _collected(settings))


def _claimed_by(session: Session, shelf: Shelf, key: str) -> UUID | None:
    if shelf is Shelf.PREDICTIONS:
        return writing_job(session, key)
    return claiming_job(session, key) if shelf is Shelf.MODELS else None


_RESTORED = "The bucket was brought back from a backup, or an attempt stored the file too late. Remove it."
_NEWER = (
    "The database is older than the bucket, as after a restore. Bring back a newer backup of it, or leave it so: the "
    "collector does not delete such a file, and trainings leave its number out."
)


def _collected(settings: Settings) -> str:
    if settings.collect != "delete":
        return f"The collector does not delete it while MLMINI_COLLECT is {settings.collect}."
    return (
        f"The collector deletes it once store and database have known it for {settings.orphan_hours:g} h "
        "(MLMINI_ORPHAN_HOURS). If it is wanted, the database is older than the bucket: stop the workers, or set "
        "MLMINI_COLLECT=off for them, and bring back a newer backup."
    )
