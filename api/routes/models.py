"""Registered models: list, show, compare, annotate, retire, erase."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query
from fastapi.responses import HTMLResponse

from api.access.callers import CallerDep
from api.dependencies import PartsDep, ReadSession, RegistrySession, WriteSession, remove_afterwards
from api.http.json_body import StrictRoute
from api.http.pagination import Page, PageQuery, PageQueryDep, Position, make_page
from api.http.problems import responses
from api.http.query import read_versions
from api.pages.comparison import page_of_comparison
from api.pages.frame import WantsPage
from api.pages.models import page_of_model, page_of_models
from api.schemas.base import WrittenVersion, read_version
from api.schemas.models import Comparison, Model, ModelChange, Retirement, RetireRequest
from shared.audit.actions import Action
from shared.errors import InvalidCursor, UnknownModel
from shared.evaluation.metric_names import BETTER
from shared.jobs.acceptance import API
from shared.registry import comparison, deployments, erasure, listing, versions
from shared.registry.assessments import find_intervals
from shared.registry.listing import ListedAt, ModelFilter, check_metric
from shared.registry.notes import put_note, put_tags
from shared.registry.versions import RegisteredModel

router = APIRouter(tags=["Models"], route_class=StrictRoute)


def version_of(
    version: Annotated[WrittenVersion, Path(description="The version of a model.")],
) -> int:
    """The version in the path; what is not a version does not name a model.

    Raises:
        UnknownModel: when it is not a version.
    """
    number = read_version(version)
    if number is None:
        raise UnknownModel(
            f"There is no model of version '{version}': a version is a whole number from 1; GET /models lists them."
        )
    return number


Version = Annotated[int, Depends(version_of)]


def model_filter(
    *,
    parts: PartsDep,
    dataset_name: Annotated[str | None, Query(description="Only the models of this dataset.")] = None,
    stage: Annotated[str | None, Query(description="Only the models that are active in this stage.")] = None,
    target: Annotated[str | None, Query(description="Only the models that predict this column.")] = None,
    estimator: Annotated[
        str | None, Query(description="Only the models of this class, such as `RandomForestClassifier`.")
    ] = None,
    tag: Annotated[str | None, Query(description="Only the models with this tag.")] = None,
) -> ModelFilter:
    """Read which models are asked for.

    Raises:
        UnknownStage: when there is no such stage.
    """
    if stage is not None:
        deployments.check_stage(stage, parts.settings.stages)
    return ModelFilter(dataset_name=dataset_name, stage=stage, target=target, estimator=estimator, tag=tag)


@router.get(
    "/models",
    response_model=Page[Model],
    summary="List models",
    operation_id="list_models",
    responses=responses(404, 422, 503),
)
def list_some_models(
    *,
    parts: PartsDep,
    session: ReadSession,
    page: PageQueryDep,
    wants_page: WantsPage,
    wanted: Annotated[ModelFilter, Depends(model_filter)],
    sort: Annotated[
        str | None,
        Query(
            description="The metric by which the best come first; models without it are left out.",
            json_schema_extra={"enum": list(BETTER)},
        ),
    ] = None,
) -> Page[Model] | HTMLResponse:
    """Registered models, the newest version first, or the best one; as a page for browsers.

    Compare metrics within one dataset only.
    """
    if sort is not None:
        check_metric(sort)
    found = listing.list_models(session, wanted, limit=page.limit + 1, sort=sort, after=_place(page, sort))
    models = make_page(found, page, item=Model.from_registered, position=lambda model: _position(model, sort))
    return page_of_models(models, asdict(wanted), sort=sort, stages=parts.settings.stages) if wants_page else models


# Before the routes with a version in the path, which would take "compare" for one.
@router.get(
    "/models/compare",
    response_model=Comparison,
    summary="Compare models",
    responses=responses(404, 410, 422, 503),
)
def compare_models(
    session: ReadSession,
    wants_page: WantsPage,
    wanted: Annotated[
        str, Query(alias="versions", description="2 to 10 versions, separated by commas.", examples=["1,2"])
    ],
) -> Comparison | HTMLResponse:
    """Facts, metrics and parameters side by side, one value per version; `differs` marks differences, a page draws."""
    models = versions.find_models(session, read_versions(wanted))
    compared = Comparison.model_validate(comparison.compare(models))
    return page_of_comparison(compared, find_intervals(session, compared.versions)) if wants_page else compared


@router.get("/models/{version}", response_model=Model, summary="Get a model", responses=responses(404, 410, 503))
def get_model(version: Version, session: ReadSession, wants_page: WantsPage) -> Model | HTMLResponse:
    """One registered model with its metrics, its signature, its report and its deployments; as a page for browsers."""
    model = Model.from_registered(versions.find_model(session, version))
    return page_of_model(model) if wants_page else model


@router.patch("/models/{version}", summary="Set tags and note of a model", responses=responses(404, 413, 415, 422, 503))
def annotate_model(version: Version, body: ModelChange, session: WriteSession, caller: CallerDep) -> Model:
    """Put tags and a note on a model: what is left out stays, `tags` replaces all of them, null takes either away."""
    versions.find_model(session, version)
    # Notes are people's own words, which stay out of a record that nobody can empty.
    caller.note(session, Action.MODEL_CHANGED, f"model {version}", after={"fields": sorted(body.model_fields_set)})
    if "tags" in body.model_fields_set:
        put_tags(session, version, body.tags or [])
    if "note" in body.model_fields_set:
        put_note(session, version, body.note)
    return Model.from_registered(versions.find_model(session, version))


@router.delete(
    "/models/{version}",
    status_code=204,
    summary="Erase a model",
    operation_id="erase_model",
    responses=responses(404, 409, 410, 422, 503),
)
def remove_model(
    version: Version, parts: PartsDep, session: RegistrySession, caller: CallerDep, background: BackgroundTasks
) -> None:
    """Erase a model for good: its files of all stages, all that is registered about it, and what its jobs said.

    It must not be active in any stage. Its number, the digest of its file and the times and stages of its history stay
    in the database; the number is never given again, and this address answers 410 from now on.
    """
    erasure.erase_model(session, version, stages=parts.settings.stages, actor=API)
    caller.note(session, Action.MODEL_DELETED, f"model {version}")
    remove_afterwards(background, parts)


@router.post(
    "/models/{version}/retire",
    summary="Retire a model from a stage",
    responses=responses(404, 409, 410, 413, 415, 422, 503),
)
def retire_model(
    version: Version, body: RetireRequest, parts: PartsDep, session: RegistrySession, caller: CallerDep
) -> Retirement:
    """Let a version no longer serve in a stage; the next lower active version serves there from now on.

    Where that one predicts another column, the retirement is refused unless `replace_target` asks for it.

    Promotion brings it back into any stage but the first, which a version enters by being trained. To undo a
    retirement from the first stage, train the same again as a new version with `POST /jobs/{job_id}/retry`; `job_id` of
    the model is the job.
    """
    retirement = deployments.retire(
        session,
        version=version,
        stage=body.stage,
        reason=body.reason,
        stages=parts.settings.stages,
        replace_target=body.replace_target,
    )
    retired = Retirement.model_validate(retirement)
    told = {"stage": body.stage, "serving_version": retired.serving_version}
    caller.note(session, Action.MODEL_RETIRED, f"model {version}", before={"stage": body.stage}, after=told)
    return retired


def _position(model: RegisteredModel, sort: str | None) -> Position:
    if sort is None:
        return [model.row.version]
    # As text, because a cursor holds whole numbers; it is read back exactly.
    return [sort, repr(float(model.row.metrics[sort])), model.row.version]


def _place(page: PageQuery, sort: str | None) -> ListedAt | None:
    if sort is None:
        after = page.after_number()
        return None if after is None else ListedAt(after)
    position = page.position(str, str, int)
    if position is None:
        return None
    metric, value, version = position
    if metric != sort:
        raise InvalidCursor
    try:
        return ListedAt(int(version), float(value))
    except ValueError:
        raise InvalidCursor from None
