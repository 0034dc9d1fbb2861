"""Training."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, status

from api.accepting import AcceptingDep, NewJob, warnings_of_pool
from api.dependencies import PartsDep
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.lanes import in_lane
from api.parts import Parts
from api.schemas.dry_run import DryRun
from api.schemas.jobs import Job
from api.schemas.train import TrainRequest
from shared.datasets.examples import TARGET, ensure_example, look_at_example
from shared.errors import Conflict, Invalid, Unknown
from shared.estimators.own.rows import refresh
from shared.jobs.limits import RequestedLimits, limits_of, problems_of_limits
from shared.jobs.rows import JobRow
from shared.jobs.states import Kind, State
from shared.registry.reuse import finished_alike
from shared.registry.teams import check_name
from shared.training.checks.search import problems_of_time
from shared.training.resolution import Asked, Resolved, resolve, resolve_example
from shared.training.spec import EstimatorChoice, SplitChoice, read_stored

REUSED = "X-Reused"

router = APIRouter(tags=["Train"], route_class=StrictRoute)


@router.post(
    "/train",
    status_code=status.HTTP_202_ACCEPTED,
    response_model=None,
    summary="Train a model, or several and rank them",
    responses={
        200: {
            "model": DryRun | Job,
            "description": "With `dry_run`: what would run, or every problem. With `reuse`: the finished job of the "
            "same training.",
            "headers": {REUSED: {"description": "`true` with such a job.", "schema": {"type": "string"}}},
        },
        202: {"model": Job, "description": "The job is accepted and will not be lost."},
        **responses(404, 409, 413, 415, 422, 503),
    },
)
@in_lane("accepting")
def train_model(
    *,
    body: TrainRequest,
    parts: PartsDep,
    accepting: AcceptingDep,
    response: Response,
    dry_run: Annotated[
        bool,
        Query(description="Only look, and leave nothing behind: tell what would run, and everything that is wrong."),
    ] = False,
) -> Job | DryRun:
    """Fit an estimator in the background and register it as a new version in the first stage.

    With `models` instead of `model`, one job fits several to the same rows, registers each and ranks them in the
    `leaderboard` of its result; the best one has the highest version, so it is the one that serves.

    With `search`, good parameters are sought first, on folds of the rows to learn from; the model of the best ones is
    registered, and its report tells of the others.

    Dataset, columns, estimator and parameters are checked before the job is accepted. `GET /jobs/{id}?wait=20` tells
    when it has ended.
    """
    if dry_run:
        response.status_code = status.HTTP_200_OK
        return _rehearse(body, parts)
    key = accepting.key(Kind.TRAIN, body.model_dump(by_alias=True))
    job = accepting.answered(key)
    if job is None:
        new = _checked(body, parts)
        alike = _finished_alike(new, parts) if body.reuse else None
        job = accepting.accept(new, key) if alike is None else accepting.answer_with(alike, key)
    if body.reuse and job.status == State.SUCCEEDED:
        _tell_reuse(response)
    return job


def _finished_alike(new: NewJob, parts: Parts) -> JobRow | None:
    """The job of a training that need not be done again."""
    with parts.database.read() as session:
        return finished_alike(session, read_stored(new.request), new.dataset_version_id or 0)


def _tell_reuse(response: Response) -> None:
    response.status_code = status.HTTP_200_OK
    response.headers[REUSED] = "true"
    del response.headers["Retry-After"]


def _checked(body: TrainRequest, parts: Parts) -> NewJob:
    resolved = _resolve(body, parts)
    resolved.check()
    asked = RequestedLimits(**body.limits.model_dump())
    for problem in _problems_beyond(body, asked, parts):
        raise problem
    return NewJob(
        Kind.TRAIN,
        resolved.spec.to_store(),
        resolved.spec.dataset_name,
        resolved.version_id,
        priority=body.priority,
        pool=body.pool,
        limits=asked,
    )


def _rehearse(body: TrainRequest, parts: Parts) -> DryRun:
    """Look without leaving anything behind: an example that is not catalogued yet stays so."""
    asked = RequestedLimits(**body.limits.model_dump())
    beyond = list(_problems_beyond(body, asked, parts))
    try:
        resolved = _look_at_example(body, parts) if body.use_example else _resolve(body, parts)
    except (Invalid, Unknown, Conflict) as error:
        return DryRun.refused([error, *beyond])
    limits, rehearsal = limits_of(asked, parts.settings), resolved.rehearse()
    notes = [*rehearsal.notes, *warnings_of_pool(parts, body.pool, accepted=False)]
    return DryRun.rehearsed(resolved.spec, rehearsal._replace(notes=notes), limits=limits, beyond=beyond)


def _problems_beyond(body: TrainRequest, asked: RequestedLimits, parts: Parts) -> Iterator[Invalid]:
    """What the request allows itself beyond the limits of the platform or of its own job."""
    yield from problems_of_limits(asked, parts.settings)
    if body.search is not None:
        yield from problems_of_time(body.search.time_limit, limits_of(asked, parts.settings).seconds)


def _look_at_example(body: TrainRequest, parts: Parts) -> Resolved:
    with parts.database.read() as session:
        refresh(session)
        check_name(session, body.dataset_name, None)
    found = look_at_example(body.dataset_name, database=parts.database, reader=parts.reader)
    return resolve_example(found, target_column=body.target_column or TARGET, **_choices(body))


def _resolve(body: TrainRequest, parts: Parts) -> Resolved:
    name, version, target = body.dataset_name, body.dataset_version, body.target_column
    if body.use_example:
        with parts.database.read() as session:
            check_name(session, name, None)
        name, version = ensure_example(
            name, database=parts.database, store=parts.store, reader=parts.reader, settings=parts.settings
        )
        target = target or TARGET
    with parts.database.read() as session:
        return resolve(session, dataset_name=name, dataset_version=version, target_column=target, **_choices(body))


def _choices(body: TrainRequest) -> dict[str, Any]:
    """The fields of a specification that do not depend on the table."""
    return {
        "asked": _asked(body),
        "features": body.features,
        "test_size": body.share_to_measure_on,
        "sample_weight": body.sample_weight,
        "preprocessing": body.preprocessing,
        "split": SplitChoice() if body.split is None else body.split.chosen,
        "threshold": None if body.threshold is None else body.threshold.chosen,
        "learning_curve": body.learning_curve,
        "batches": None if body.batches is None else body.batches.chosen,
        "random_state": body.random_state,
        "search": None if body.search is None else body.search.chosen,
        "tags": sorted(set(body.tags)),
        "note": body.note,
    }


def _asked(body: TrainRequest) -> Asked:
    if isinstance(body.models, str):
        return body.models
    chosen = [EstimatorChoice.model_validate(model.model_dump(by_alias=True)) for model in body.named]
    return chosen[0] if body.models is None else chosen
