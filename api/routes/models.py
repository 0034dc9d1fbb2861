"""Registered models: look, compare, download, retire."""

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Query, Request, Response

from api.dependencies import PartsDep, ReadSession, WriteSession
from api.downloads import ARTIFACT_RESPONSES, Download, send
from api.json_body import StrictRoute
from api.pagination import Page, PageQueryDep, make_page
from api.problems import responses
from api.schemas.base import VersionNumber
from api.schemas.models import Comparison, Model, Retirement, RetireRequest
from shared.datasets.catalog import find_dataset
from shared.errors import InvalidRequest
from shared.registry import comparison, deployments, versions

router = APIRouter(tags=["Models"], route_class=StrictRoute)

Version = Annotated[VersionNumber, Path(examples=[1])]

_MOST_COMPARED = 10
_LARGEST_VERSION = 2**31 - 1


@router.get("/models", summary="List models", responses=responses(404, 422, 503))
def list_models(
    parts: PartsDep,
    session: ReadSession,
    page: PageQueryDep,
    dataset_name: Annotated[str | None, Query(description="Only the models of this dataset.")] = None,
    stage: Annotated[str | None, Query(description="Only the models that are active in this stage.")] = None,
) -> Page[Model]:
    """Registered models, the newest version first."""
    position = page.position(int)
    if stage is not None:
        deployments.check_stage(stage, parts.settings.stages)
    dataset = None if dataset_name is None else find_dataset(session, dataset_name, include_archived=True)
    found = versions.list_models(
        session,
        dataset_id=None if dataset is None else dataset.id,
        stage=stage,
        before=None if position is None else int(position[0]),
        limit=page.limit + 1,
    )
    return make_page(found, page, item=Model.of, position=lambda model: [model.row.version])


# Before the routes with a version in the path, which would take this word for one.
@router.get("/models/compare", summary="Compare models", responses=responses(404, 422, 503))
def compare_models(
    session: ReadSession,
    wanted: Annotated[
        str, Query(alias="versions", description="2 to 10 versions, separated by commas.", examples=["1,2"])
    ],
) -> Comparison:
    """Facts, metrics and parameters side by side, each with one value per version; `differs` marks differences."""
    return Comparison.model_validate(comparison.compare(versions.find_models(session, _read_versions(wanted))))


@router.get("/models/{version}", summary="Get a model", responses=responses(404, 503))
def get_model(version: Version, session: ReadSession) -> Model:
    """One registered model with its metrics, its signature, its report and its deployments."""
    return Model.of(versions.find_model(session, version))


@router.head("/models/{version}/artifact", include_in_schema=False)
@router.get(
    "/models/{version}/artifact",
    summary="Download the file of a model",
    response_class=Response,
    responses={**responses(404, 409, 422, 503), **ARTIFACT_RESPONSES},
)
def download_artifact(
    version: Version,
    request: Request,
    parts: PartsDep,
    session: ReadSession,
    stage: Annotated[str | None, Query(description="The stage; the furthest one that it reached by default.")] = None,
) -> Response:
    """The fitted model as scikit-learn pickled it. Load it only if you trust who trained it.

    Answers `If-None-Match` with 304 and single ranges with 206.
    """
    if stage is not None:
        deployments.check_stage(stage, parts.settings.stages)
    deployment = versions.find_model(session, version).deployment(stage)
    session.close()  # The file may take long; the transaction must not.
    download = Download(
        bucket=parts.settings.models_bucket,
        key=deployment.artifact_path,
        size_bytes=deployment.size_bytes,
        sha256=deployment.sha256,
    )
    return send(request, parts.store, download)


@router.post(
    "/models/{version}/retire",
    summary="Retire a model from a stage",
    responses=responses(404, 409, 413, 415, 422, 503),
)
def retire_model(
    version: Version, body: RetireRequest, parts: PartsDep, session: WriteSession, background: BackgroundTasks
) -> Retirement:
    """Let a version no longer serve in a stage; the next lower active version serves there from now on."""
    retirement = deployments.retire(
        session, version=version, stage=body.stage, reason=body.reason, stages=parts.settings.stages
    )
    background.add_task(parts.cache.notice)
    return Retirement.model_validate(retirement)


def _read_versions(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    wanted = [int(part) for part in parts if part.isascii() and part.isdecimal() and len(part) <= 10]
    valid = len(wanted) == len(parts) and len(set(wanted)) == len(wanted) and 2 <= len(wanted) <= _MOST_COMPARED
    if not valid or not all(1 <= version <= _LARGEST_VERSION for version in wanted):
        sentence = f"'versions' must be 2 to {_MOST_COMPARED} different version numbers, such as 'versions=1,2'."
        raise InvalidRequest(sentence, errors=[{"loc": ["query", "versions"], "msg": sentence}])
    return wanted
