"""Datasets: list, show, preview, profile, delete."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Query, Response

from api.access.callers import CallerDep
from api.dependencies import PartsDep, ReadSession, WriteSession, remove_afterwards
from api.http.pagination import Page, PageQueryDep, make_page
from api.http.problems import responses
from api.pages.frame import WantsPage
from api.pages.profile import page_of_profile
from api.parts import Parts
from api.schemas.base import WrittenVersion, read_version
from api.schemas.datasets import Dataset, DatasetVersion
from api.schemas.profile import DatasetProfile
from shared.audit.actions import Action
from shared.datasets import preview as previews
from shared.datasets.catalog import (
    archive_dataset,
    delete_dataset,
    find_dataset,
    find_entry,
    list_datasets,
    list_versions,
)
from shared.datasets.profiling import profile_of, relations_of
from shared.errors import InvalidRequest, UnknownDatasetVersion
from shared.jobs.acceptance import API
from shared.registry.erasure import erase_dataset
from shared.tables.inspected import Preview

router = APIRouter(tags=["Datasets"])

Name = Annotated[str, Path(description="The name of a dataset.", examples=["iris"])]

_HIDE_OR_ERASE = "Either hide the dataset with 'archive' or erase it with 'erase'; what is erased cannot be hidden."


@router.get("/datasets", summary="List datasets", operation_id="list_datasets", responses=responses(422, 503))
def list_all_datasets(session: ReadSession, page: PageQueryDep) -> Page[Dataset]:
    """Datasets by name, without the archived ones."""
    rows = list_datasets(session, limit=page.limit + 1, after=page.after_text())
    return make_page(rows, page, item=Dataset.of_entry, position=lambda entry: [entry.dataset.name])


@router.get("/datasets/{name}", summary="Get a dataset", responses=responses(404, 503))
def get_dataset(name: Name, session: ReadSession) -> Dataset:
    """A dataset as its newest version has it; an archived one is not found."""
    return Dataset.of_entry(find_entry(session, name))


@router.get("/datasets/{name}/versions", summary="List the versions of a dataset", responses=responses(404, 422, 503))
def list_dataset_versions(name: Name, session: ReadSession, page: PageQueryDep) -> Page[DatasetVersion]:
    """All versions, the newest first."""
    before = page.after_number()
    rows = list_versions(session, find_dataset(session, name), limit=page.limit + 1, before=before)
    return make_page(rows, page, item=DatasetVersion.from_row, position=lambda row: [row.number or 0])


@router.get(
    "/datasets/{name}/preview",
    summary="Show the first rows",
    response_model=Preview,
    responses=responses(404, 413, 422, 503),
)
async def preview_dataset(
    name: Name,
    parts: PartsDep,
    rows: Annotated[int, Query(ge=1, le=1000, description="The most rows to show.")] = 20,
    version: Annotated[WrittenVersion | None, Query(description="By default the newest.")] = None,
) -> Response:
    """The first rows of a dataset, typed as its columns are."""
    number = None if version is None else number_of(name, version)
    return await parts.lanes.preview(lambda: _preview(parts, name, number, rows))


@router.get(
    "/datasets/{name}/profile",
    summary="Show what is in each column",
    response_model=DatasetProfile,
    responses=responses(404, 413, 422, 503),
)
async def profile_dataset(
    name: Name,
    parts: PartsDep,
    wants_page: WantsPage,
    version: Annotated[WrittenVersion | None, Query(description="By default the newest.")] = None,
    target: Annotated[str | None, Query(description="A column that a model would predict.")] = None,
) -> Response:
    """How the values of each column are spread, what the reading tells, and the first rows; as a page for browsers.

    With a `target`, the file is read once more for how columns go together, and for what makes that target doubtful:
    a column that predicts it alone, rare classes, rows that come again.
    """
    number = None if version is None else number_of(name, version)
    return await parts.lanes.preview(lambda: _profile(parts, name, number, target, wants_page=wants_page))


@router.delete(
    "/datasets/{name}",
    status_code=204,
    summary="Delete a dataset",
    operation_id="delete_dataset",
    responses=responses(404, 409, 422, 503),
)
def remove_dataset(
    *,
    name: Name,
    session: WriteSession,
    parts: PartsDep,
    caller: CallerDep,
    background: BackgroundTasks,
    archive: Annotated[bool, Query(description="Hide it instead: models made from it go on.")] = False,
    erase: Annotated[bool, Query(description="Erase what its jobs said about it, too.")] = False,
) -> None:
    """Delete a dataset with all its versions; refused while a model refers to it, unless `archive` hides it.

    `erase` also empties the requests, results, errors and logs of all jobs that ever were about a dataset of that name;
    it is refused while one of them has not ended. Numbers, digests and times of the versions stay in the database, so
    that the history can be read, and the versions of a later dataset of that name are counted on from them.
    """
    if archive and erase:
        raise InvalidRequest(_HIDE_OR_ERASE, errors=[{"loc": ["query", "erase"], "msg": _HIDE_OR_ERASE}])
    done = Action.DATASET_CHANGED if archive else Action.DATASET_DELETED
    if archive:
        archive_dataset(session, name)
        caller.note(session, done, f"dataset {name}", after={"archived": True})
        return
    if erase:
        erase_dataset(session, name, actor=API)
    else:
        delete_dataset(session, name)
    caller.note(session, done, f"dataset {name}", after={"erased": erase})
    remove_afterwards(background, parts)


def _preview(parts: Parts, name: str, number: int | None, rows: int) -> Response:
    # The transaction ends before the object store is asked.
    with parts.database.read() as session:
        entry = find_entry(session, name, number)
    shown = previews.preview(
        entry.version, rows, store=parts.store, bucket=parts.settings.datasets_bucket, reader=parts.reader
    )
    # Written here: it may be long, and the event loop must not stand still meanwhile.
    return Response(shown.model_dump_json(), media_type="application/json")


def _profile(parts: Parts, name: str, number: int | None, target: str | None, *, wants_page: bool) -> Response:
    with parts.database.read() as session:
        entry = find_entry(session, name, number)
        kept = entry.version.profile
        dataset = Dataset.of_entry(entry)
    bucket, store, reader = parts.settings.datasets_bucket, parts.store, parts.reader
    relations = None
    if target is not None:
        relations = relations_of(entry.version, target, name=name, store=store, bucket=bucket, reader=reader)
    found = profile_of(entry.version, kept, store=store, bucket=bucket, reader=reader)
    told = DatasetProfile.of_version(dataset, found, relations)
    if wants_page:
        return page_of_profile(told)
    return Response(told.model_dump_json(), media_type="application/json", headers={"Vary": "Accept"})


def number_of(name: str, version: str) -> int:
    """The number of a version as an address has it.

    Raises:
        UnknownDatasetVersion: when it is none.
    """
    number = read_version(version)
    if number is None:
        raise UnknownDatasetVersion(
            f"The dataset '{name}' has no version '{version}': a version is a whole number from 1; "
            f"GET /datasets/{name}/versions lists them."
        )
    return number
