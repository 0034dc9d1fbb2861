"""The transactions that bring a file into the catalog: a row `uploading`, and its becoming the newest version."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.accounts.sight import whole
from shared.clock import Now
from shared.datasets.catalog import CatalogEntry, find_version, next_number
from shared.datasets.rows import DatasetRow, DatasetVersionRow, VersionState
from shared.datasets.spool import Spooled
from shared.discarded import discard
from shared.errors import ExampleNameTaken, UploadOvertaken
from shared.jobs.shares import lock_share
from shared.object_store.shelves import Shelf
from shared.tables.columns import Column
from shared.tables.inspected import Inspection
from shared.tables.options import ReadingOptions
from shared.tables.reading import Reading
from shared.upsert import insert_missing


@dataclass(frozen=True)
class Ingestion:
    """What came of it; `created` is False when the newest version held these bytes already, read as was asked for."""

    entry: CatalogEntry
    created: bool


class Staged(NamedTuple):
    """The rows of a file that is under way."""

    dataset_id: int
    version_id: int


@dataclass(frozen=True)
class Incoming:
    """A file for the dataset `name`, and what is said about how to read it.

    `reread_from` is the dataset that has these bytes already: it has to be there still, and stays as it is otherwise.
    """

    file: Spooled
    name: str
    options: ReadingOptions
    description: str | None = None
    reread_from: int | None = None
    # Whose it is, and what is called before the file is let in; it raises where the owner has too much stored.
    owner: str | None = None
    check: Callable[[Session], None] | None = None
    # What is told of a change of the dataset that comes without a new version: what was, and what is.
    changed: Callable[[Session, dict[str, Any] | None, dict[str, Any]], None] | None = None

    @property
    def any_reading(self) -> bool:
        """Whether a version of the same bytes will do, however it is read."""
        return not self.options.said and self.reread_from is None


def known_version(session: Session, incoming: Incoming, found: Inspection | None = None) -> CatalogEntry | None:
    """The newest version of the dataset, archived or not, if it holds the bytes of the file.

    Where how they are read matters, they have to be read as was `found`, too.
    """
    dataset = session.scalar(
        select(DatasetRow).where(DatasetRow.name == incoming.name, DatasetRow.location.is_not(None))
    )
    if dataset is None:
        return None
    newest = find_version(session, dataset, None)
    if newest.sha256 != incoming.file.sha256:
        return None
    if not incoming.any_reading and (found is None or not _reads_alike(newest, found)):
        return None
    return CatalogEntry(dataset, newest)


def take_again(session: Session, incoming: Incoming, found: Inspection | None = None) -> CatalogEntry | None:
    """As `known_version`; an upload brings an archived dataset back and may describe it anew."""
    known = known_version(session, incoming, found)
    if known is None or incoming.reread_from is not None:
        return known
    dataset, newest = known
    # A release that did not keep this digest may have stored the version.
    newest.head_sha256 = incoming.file.head_sha256
    was_archived, description = dataset.archived_at is not None, incoming.description
    is_described = description is not None and description != dataset.description
    if was_archived or is_described:
        dataset.archived_at = None
        dataset.description = description if is_described else dataset.description
        dataset.updated_at = Now()
        session.flush()
        session.refresh(dataset)
        if incoming.changed is not None:
            after = ({"archived": False} if was_archived else {}) | (
                {"fields": ["description"]} if is_described else {}
            )
            incoming.changed(session, {"archived": True} if was_archived else None, after)
    return known


def stage(session: Session, key: str, incoming: Incoming, found: Inspection) -> Staged:
    """Insert the row of a file that is under way; the dataset's row too if it is the first of that name.

    Raises:
        UploadOvertaken: when the dataset that the bytes come from was deleted.
        QuotaReached: when its owner has too much stored.
    """
    if incoming.check is not None and incoming.owner is not None:
        lock_share(session, incoming.owner)
        incoming.check(session)
    dataset_id = _lock_dataset(session, incoming)
    version = DatasetVersionRow(
        dataset_id=dataset_id,
        object_key=key,
        format=found.reading.format,
        options=incoming.options.model_dump(mode="json", exclude_none=True),
        reading=found.reading.model_dump(mode="json"),
        sha256=incoming.file.sha256,
        head_sha256=incoming.file.head_sha256,
        size_bytes=incoming.file.size_bytes,
        rows=found.rows,
        columns=[column.model_dump(mode="json") for column in found.columns],
        findings=[finding.model_dump(mode="json") for finding in found.findings],
        profile=found.profile.model_dump(mode="json"),
        owner=incoming.owner,
    )
    session.add(version)
    session.flush()
    return Staged(dataset_id, version.id)


def publish(session: Session, staged: Staged, incoming: Incoming, found: Inspection, *, only_if_new: bool) -> Ingestion:
    """Make a version whose file is stored the newest one of its dataset, unless somebody else was faster.

    Raises:
        UploadOvertaken: when the dataset was deleted meanwhile.
        ExampleNameTaken: with `only_if_new`, when the dataset holds other data.
    """
    dataset = session.scalar(select(DatasetRow).where(DatasetRow.id == staged.dataset_id).with_for_update())
    version = session.get(DatasetVersionRow, staged.version_id)
    if dataset is None or version is None:
        raise UploadOvertaken
    if dataset.location is not None:
        # Somebody else was faster with the same bytes, or with others.
        known = take_again(session, incoming, found)
        if known is not None:
            session.delete(version)
            discard(session, Shelf.DATASETS, [version.object_key])
            return Ingestion(known, created=False)
        if only_if_new:
            raise name_taken(dataset.name)
    version.number = next_number(session, dataset.name)
    version.state = VersionState.READY
    session.execute(
        update(DatasetRow)
        .where(DatasetRow.id == dataset.id)
        .values(
            location=f"datasets/{version.object_key}",
            description=dataset.description if incoming.description is None else incoming.description,
            archived_at=dataset.archived_at if incoming.reread_from is not None else None,
            updated_at=Now(),
        )
    )
    session.flush()
    session.refresh(dataset)
    return Ingestion(CatalogEntry(dataset, version), created=True)


def name_taken(name: str) -> ExampleNameTaken:
    """The error for an example whose name somebody gave to other data."""
    return ExampleNameTaken(
        f"The dataset '{name}' holds other data than the bundled example of that name. Train on it without "
        f"'use_example', or delete it first with DELETE /datasets/{name}."
    )


def _reads_alike(version: DatasetVersionRow, found: Inspection) -> bool:
    columns = [Column.model_validate(column) for column in version.columns]
    return Reading.model_validate(version.reading) == found.reading and columns == found.columns


def _lock_dataset(session: Session, incoming: Incoming) -> int:
    """The id of the dataset; locked, so that its row stays until the version that refers to it is there."""
    if incoming.reread_from is not None:
        there = select(DatasetRow.id).where(DatasetRow.id == incoming.reread_from).with_for_update()
        if session.scalar(there) is None:
            raise UploadOvertaken
        return incoming.reread_from
    while True:
        session.execute(insert_missing(session, DatasetRow).values(name=incoming.name))
        # Whether it may be seen is asked before the version becomes visible.
        with whole(session):
            dataset_id = session.scalar(select(DatasetRow.id).where(DatasetRow.name == incoming.name).with_for_update())
        if dataset_id is not None:
            return dataset_id
