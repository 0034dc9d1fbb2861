"""Datasets: upload a file, read the file of a version anew."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Body, Query, Request, Response, status
from sqlalchemy.orm import Session

from api.access.callers import Caller, CallerDep
from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.http.reading_fields import READING_FIELDS, described_fields, reading_options
from api.http.uploads import FILE, ReceivedFile, received_upload
from api.parts import Parts
from api.quotas import upload_check
from api.routes.dataset_holders import check_membership
from api.routes.datasets import Name
from api.schemas.datasets import Dataset, RehearsedDataset, RereadRequest
from shared.audit.actions import Action
from shared.datasets.catalog import find_entry
from shared.datasets.ingestion import Ingestor
from shared.datasets.naming import normalise_name
from shared.datasets.publishing import Incoming, Ingestion
from shared.datasets.rehearsal import rehearse
from shared.datasets.rereading import reread
from shared.errors import InvalidName
from shared.registry.teams import check_name, hold_name

router = APIRouter(tags=["Datasets"], route_class=StrictRoute)

# The fields beside the file, with the most bytes of each.
_FIELDS = {"name": 1024, "description": 8192, "team": 256, **READING_FIELDS}

_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FILE],
                    "properties": {
                        FILE: {
                            "type": "string",
                            "format": "binary",
                            "description": "CSV or TSV, JSON Lines, also .gz, Parquet, or the first sheet of an Excel "
                            "workbook (.xlsx). What it is and how it is to be "
                            "read is told from its bytes, unless the fields below say it.",
                        },
                        # Swagger UI would fill in words of its own, and name the dataset so.
                        "name": {
                            "type": "string",
                            "description": "The dataset's name; by default that of the file.",
                            "example": "",
                        },
                        "description": {
                            "type": "string",
                            "description": "What the table is about. Left empty, the description that there is stays.",
                            "example": "",
                        },
                        "team": {
                            "type": "string",
                            "description": "The team whose members alone see the dataset, and all that is made of it: "
                            "one that you are in. Left empty, a new dataset is for everybody.",
                            "example": "",
                        },
                        **described_fields(),
                    },
                }
            }
        },
    }
}


DryRun = Annotated[
    bool, Query(description="Only look, and leave nothing behind: tell how the file is read, and show its first rows.")
]


@router.post(
    "/datasets/upload",
    status_code=201,
    response_model=None,
    summary="Upload a dataset",
    openapi_extra=_FORM,
    responses={
        200: {
            "model": Dataset | RehearsedDataset,
            "description": "The newest version has these very bytes already; or what `dry_run` tells",
        },
        201: {"model": Dataset},
        **responses(409, 413, 415, 422, 503),
    },
)
async def upload_dataset(
    *, request: Request, response: Response, parts: PartsDep, caller: CallerDep, dry_run: DryRun = False
) -> Dataset | Response:
    """Add a table to the catalog, or a new version to the dataset of that name. The whole file is checked first.

    The name is normalised: `My DataSet.csv` becomes `my_dataset`. An archived dataset of that name comes back. The same
    bytes again are the version that is there, however it is read; with fields that say how the file is read, they are
    a new version if they are read otherwise than the newest one.
    """
    received = received_upload(
        request,
        folder=parts.reader.folder,
        max_bytes=parts.settings.upload_max_bytes,
        fields=_FIELDS,
        threads=parts.lanes.spooling,
    )
    async with received as upload:
        incoming, team = _incoming(upload), _team(upload, caller)
        await to_thread.run_sync(_check_name, parts, incoming.name, team)
        act = _act(caller, dry_run, team)
        done = await to_thread.run_sync(act, incoming, parts, limiter=parts.lanes.upload_of(upload.file.size_bytes))
    return done if isinstance(done, Response) else _told(done, response)


@router.post(
    "/datasets/{name}/reread",
    status_code=201,
    response_model=None,
    summary="Read a dataset anew",
    responses={
        200: {
            "model": Dataset | RehearsedDataset,
            "description": "The newest version is read in this very way already; or what `dry_run` tells",
        },
        201: {"model": Dataset},
        **responses(404, 409, 413, 415, 422, 503),
    },
)
async def reread_dataset(
    *,
    name: Name,
    response: Response,
    parts: PartsDep,
    caller: CallerDep,
    body: Annotated[RereadRequest | None, Body()] = None,
    dry_run: DryRun = False,
) -> Dataset | Response:
    """Make a new version of the same bytes, read in another way, without a second upload.

    The body has the fields of an upload that say how a file is read. Without any, the file is read by today's rules, as
    an upload of it would be: so a version that an older release took becomes one of today.
    """
    asked = body or RereadRequest()
    size = await to_thread.run_sync(_size_of, parts, name, asked.version)
    act = _act(caller, dry_run, None)
    done = await to_thread.run_sync(_reread, name, asked, parts, act, limiter=parts.lanes.upload_of(size))
    return done if isinstance(done, Response) else _told(done, response)


def _act(caller: Caller, dry_run: bool, team: str | None) -> Callable[[Incoming, Parts], Ingestion | Response]:
    return _rehearsed if dry_run else partial(_ingested, caller, team)


def _told(done: Ingestion, response: Response) -> Dataset:
    response.status_code = status.HTTP_201_CREATED if done.created else status.HTTP_200_OK
    response.headers["Location"] = f"/datasets/{done.entry.dataset.name}"
    return Dataset.of_entry(done.entry)


def _ingestor(parts: Parts) -> Ingestor:
    return Ingestor(parts.database, parts.store, parts.reader, parts.settings)


def _ingested(caller: Caller, team: str | None, incoming: Incoming, parts: Parts) -> Ingestion:
    subject, told = f"dataset {incoming.name}", {"sha256": incoming.file.sha256}
    owner = caller.user_name
    told |= {} if team is None else {"team": team}

    def hold(session: Session) -> None:
        hold_name(session, incoming.name, owner=owner, team=team)

    def mark(session: Session) -> None:
        # Last: everybody writes to the audit record, and must not wait for whoever holds up this upload.
        caller.note(session, Action.DATASET_UPLOADED, subject, after=told)

    def changed(session: Session, before: dict[str, Any] | None, after: dict[str, Any]) -> None:
        caller.note(session, Action.DATASET_CHANGED, subject, before=before, after=after)

    check = upload_check(owner, incoming.file.size_bytes, parts.settings)
    owned = replace(incoming, owner=owner, check=check, changed=changed)
    return _ingestor(parts).ingest(owned, hold=hold, mark=mark)


def _rehearsed(incoming: Incoming, parts: Parts) -> Response:
    told = RehearsedDataset.of_rehearsal(rehearse(incoming, _ingestor(parts)))
    # Written here: it may be long, and the event loop must not stand still meanwhile.
    return Response(told.model_dump_json(), media_type="application/json")


def _reread(
    name: str, asked: RereadRequest, parts: Parts, act: Callable[[Incoming, Parts], Ingestion | Response]
) -> Ingestion | Response:
    return reread(
        name, asked.version, asked.options, ingestor=_ingestor(parts), then=lambda incoming: act(incoming, parts)
    )


def _size_of(parts: Parts, name: str, number: int | None) -> int:
    with parts.database.read() as session:
        return find_entry(session, name, number).version.size_bytes


def _team(upload: ReceivedFile, caller: Caller) -> str | None:
    team = upload.fields.get("team") or None
    check_membership(caller, team)
    return team


def _check_name(parts: Parts, name: str, team: str | None) -> None:
    with parts.database.read() as session:
        check_name(session, name, team)


def _incoming(upload: ReceivedFile) -> Incoming:
    wanted = upload.fields.get("name") or upload.file_name
    if not wanted:
        raise InvalidName(
            f"The part '{FILE}' came without a file name, as a text does. With curl, a file is written with an @: "
            f"`-F {FILE}=@table.csv`. Or name the dataset in the field 'name'."
        )
    return Incoming(
        upload.file,
        normalise_name(wanted),
        reading_options(upload.fields),
        description=upload.fields.get("description") or None,
    )
