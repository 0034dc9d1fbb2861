"""Looking datasets up, listing and deleting them.

An archived dataset is hidden: it is in no list, and nothing new is trained on it, but the models made from it go on.
Uploading its name again brings it back.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.accounts.rows import DatasetHolderRow
from shared.clock import Now, in_words
from shared.datasets.naming import nearest_name
from shared.datasets.rows import DatasetRow, DatasetVersionRow, ErasedDatasetVersionRow, VersionState
from shared.discarded import discard
from shared.errors import DatasetInUse, UnknownDataset, UnknownDatasetVersion, closest, meant
from shared.jobs.erasure import lock_jobs, open_jobs
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind
from shared.object_store.shelves import Shelf

_SUGGESTED_FROM = 1_000
_SHOWN_CHARACTERS = 80

# Built once: every training that is accepted begins with it.
_ENTRY = (
    select(DatasetRow, DatasetVersionRow)
    .join(DatasetVersionRow, DatasetVersionRow.dataset_id == DatasetRow.id)
    .where(DatasetRow.name == bindparam("name"), DatasetRow.location.is_not(None), DatasetRow.archived_at.is_(None))
    .where(DatasetVersionRow.state == VersionState.READY)
    .where(DatasetVersionRow.number == func.coalesce(bindparam("number", type_=Integer()), DatasetVersionRow.number))
    .order_by(DatasetVersionRow.number.desc())
    .limit(1)
)


class CatalogEntry(NamedTuple):
    """A dataset with one of its versions."""

    dataset: DatasetRow
    version: DatasetVersionRow


def find_dataset(session: Session, name: str, *, include_archived: bool = False) -> DatasetRow:
    """The dataset of exactly that name.

    Raises:
        UnknownDataset: when there is none, suggesting what may be meant.
    """
    dataset = session.scalar(select(DatasetRow).where(DatasetRow.name == name, DatasetRow.location.is_not(None)))
    if dataset is None:
        raise _unknown(session, name)
    if dataset.archived_at is not None and not include_archived:
        raise UnknownDataset(
            f"The dataset '{name}' is archived. Upload its file again under that name to bring it back."
        )
    return dataset


def check_name(session: Session, name: str) -> None:
    """Make sure that a name is, or was, that of a dataset: a list that is empty because of a typo says nothing.

    Raises:
        UnknownDataset: when neither a dataset nor a job has it.
    """
    if session.scalar(select(JobRow.id).where(JobRow.dataset_name == name).limit(1)) is None:
        find_dataset(session, name, include_archived=True)


def find_version(session: Session, dataset: DatasetRow, number: int | None) -> DatasetVersionRow:
    """The version of that number, or the newest one.

    Raises:
        UnknownDatasetVersion: when it has no such version.
    """
    query = select(DatasetVersionRow).where(_ready(dataset.id)).order_by(DatasetVersionRow.number.desc()).limit(1)
    version = session.scalar(query if number is None else query.where(DatasetVersionRow.number == number))
    if version is None:
        newest = session.scalar(select(func.max(DatasetVersionRow.number)).where(_ready(dataset.id)))
        raise UnknownDatasetVersion(
            f"The dataset '{dataset.name}' has no version {number}; its newest is {newest}. "
            f"GET /datasets/{dataset.name}/versions lists them."
        )
    return version


def find_entry(session: Session, name: str, number: int | None = None) -> CatalogEntry:
    """A dataset that is not archived, and its newest version or the one of that number.

    Raises:
        UnknownDataset: when there is no such dataset.
        UnknownDatasetVersion: when it has no version of that number.
    """
    found = session.execute(_ENTRY, {"name": name, "number": number}).one_or_none()
    if found is not None:
        return CatalogEntry(*found)
    # One step at a time, so that the sentence tells what is missing.
    dataset = find_dataset(session, name)
    return CatalogEntry(dataset, find_version(session, dataset, number))


def list_datasets(session: Session, *, limit: int, after: str | None = None) -> list[CatalogEntry]:
    """Datasets that are not archived with their newest versions, by name, those after `after`."""
    newest = (
        select(func.max(DatasetVersionRow.number))
        .where(DatasetVersionRow.dataset_id == DatasetRow.id)
        .correlate(DatasetRow)
        .scalar_subquery()
    )
    query = (
        select(DatasetRow, DatasetVersionRow)
        .join(DatasetVersionRow, DatasetVersionRow.dataset_id == DatasetRow.id)
        .where(DatasetVersionRow.number == newest, DatasetRow.archived_at.is_(None), DatasetRow.location.is_not(None))
        .order_by(DatasetRow.name)
        .limit(limit)
    )
    if after is not None:
        query = query.where(DatasetRow.name > after)
    return [CatalogEntry(*row) for row in session.execute(query)]


def list_versions(
    session: Session, dataset: DatasetRow, *, limit: int, before: int | None = None
) -> Sequence[DatasetVersionRow]:
    """The ready versions of a dataset, the newest first, those with a number below `before`."""
    query = select(DatasetVersionRow).where(_ready(dataset.id)).order_by(DatasetVersionRow.number.desc()).limit(limit)
    if before is not None:
        query = query.where(DatasetVersionRow.number < before)
    return session.scalars(query).all()


def archive_dataset(session: Session, name: str) -> None:
    """Hide a dataset; one that is hidden stays so.

    Raises:
        UnknownDataset: when there is no such dataset.
    """
    dataset = find_dataset(session, name, include_archived=True)
    hidden_at = func.coalesce(DatasetRow.archived_at, Now())
    session.execute(update(DatasetRow).where(DatasetRow.id == dataset.id).values(archived_at=hidden_at))


def delete_dataset(session: Session, name: str) -> None:
    """Delete a dataset, archived or not, and discard its objects, which are to be removed once this is committed.

    Its name, and the jobs that were on it, stay those of its team.

    Raises:
        UnknownDataset: when there is no such dataset.
        DatasetInUse: when a model was made from it, or a job is to predict for its rows.
    """
    dataset = lock_dataset(session, name)
    _refuse_open_predictions(session, dataset)
    keys = session.scalars(select(DatasetVersionRow.object_key).where(DatasetVersionRow.dataset_id == dataset.id)).all()
    try:
        session.execute(delete(DatasetRow).where(DatasetRow.id == dataset.id))
    except IntegrityError:
        # The foreign key of the registry is the one judge, so no model can be registered in between.
        raise DatasetInUse(
            f"Models were trained on the dataset '{name}', so it stays. "
            f"DELETE /datasets/{name}?archive=true hides it and lets them go on."
        ) from None
    nobodys = (DatasetHolderRow.dataset_name == name, DatasetHolderRow.team.is_(None))
    session.execute(delete(DatasetHolderRow).where(*nobodys))
    session.execute(update(DatasetHolderRow).where(DatasetHolderRow.dataset_name == name).values(owner=None))
    discard(session, Shelf.DATASETS, keys)


def lock_dataset(session: Session, name: str) -> DatasetRow:
    """Lock a dataset, archived or not, with its jobs and versions, for a transaction that deletes it.

    Raises:
        UnknownDataset: when there is no such dataset.
    """
    dataset = find_dataset(session, name, include_archived=True)
    # Jobs first, in the order of a job's commit, which locks its job before the version that it used.
    lock_jobs(session, jobs_of(dataset))
    # An upload or a job that commits now is either seen here, or waits until this transaction ends.
    session.execute(select(DatasetRow.id).where(DatasetRow.id == dataset.id).with_for_update())
    versions = select(DatasetVersionRow.id).where(DatasetVersionRow.dataset_id == dataset.id)
    session.execute(versions.order_by(DatasetVersionRow.id).with_for_update())
    return dataset


def jobs_of(dataset: DatasetRow) -> ColumnElement[bool]:
    """The jobs on a dataset, or on an earlier one of its name, and all others that read a version of it."""
    versions = select(DatasetVersionRow.id).where(DatasetVersionRow.dataset_id == dataset.id)
    # A batch prediction is listed under the dataset of its model, and may have read another one.
    read_it = and_(JobRow.kind == Kind.PREDICT, JobRow.request["input", "dataset_name"].as_string() == dataset.name)
    return or_(JobRow.dataset_name == dataset.name, JobRow.dataset_version_id.in_(versions), read_it)


def _refuse_open_predictions(session: Session, dataset: DatasetRow) -> None:
    waiting = open_jobs(session, and_(JobRow.kind == Kind.PREDICT, jobs_of(dataset)))
    if waiting:
        raise DatasetInUse(
            f"The job {waiting[0]} predicts for the rows of the dataset '{dataset.name}'. Wait for its end, or cancel "
            f"it with POST /jobs/{waiting[0]}/cancel; then delete the dataset."
        )


def next_number(session: Session, name: str) -> int:
    """The number of the next version under a name: the numbers of erased versions are not used again."""
    there = select(func.max(DatasetVersionRow.number)).join(DatasetRow).where(DatasetRow.name == name)
    erased = select(func.max(ErasedDatasetVersionRow.number)).where(ErasedDatasetVersionRow.dataset_name == name)
    return max(session.scalar(there) or 0, session.scalar(erased) or 0) + 1


def _ready(dataset_id: int) -> ColumnElement[bool]:
    return (DatasetVersionRow.dataset_id == dataset_id) & (DatasetVersionRow.state == VersionState.READY)


def _unknown(session: Session, name: str) -> UnknownDataset:
    visible = (DatasetRow.location.is_not(None), DatasetRow.archived_at.is_(None))
    near = nearest_name(name)
    if not near or near == name or not session.scalar(select(DatasetRow.id).where(DatasetRow.name == near, *visible)):
        known = session.scalars(
            select(DatasetRow.name).where(*visible).order_by(DatasetRow.name).limit(_SUGGESTED_FROM)
        )
        near = closest(near or name[:_SHOWN_CHARACTERS], known)
    hint = meant(near) or " GET /datasets lists them."
    erased_at = session.scalar(
        select(func.max(ErasedDatasetVersionRow.erased_at)).where(ErasedDatasetVersionRow.dataset_name == name)
    )
    if erased_at is not None:
        near, hint = None, f" One of that name was erased on {in_words(erased_at)}; the name is free for another."
    return UnknownDataset(f"There is no dataset '{name[:_SHOWN_CHARACTERS]}'.{hint}", did_you_mean=near)
