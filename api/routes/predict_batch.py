"""Batch prediction: a job that predicts for all rows of a dataset, and its output."""

from typing import BinaryIO

from fastapi import APIRouter, Request, Response, status

from api.accepting import AcceptingDep, NewJob
from api.dependencies import PartsDep, ReadSession
from api.http.downloads import ARTIFACT_RESPONSES, Download, send
from api.http.json_body import StrictRoute
from api.http.problems import responses
from api.lanes import in_lane
from api.parts import Parts
from api.routes.jobs import JobId
from api.schemas.jobs import Job
from api.schemas.predict import BatchRequest
from shared.jobs.acceptance import find_job
from shared.jobs.limits import RequestedLimits, problems_of_limits
from shared.jobs.states import Kind
from shared.object_store.shelves import Shelf, bucket_of
from shared.prediction.batch_resolution import BatchWish, ResolvedBatch, resolve_batch
from shared.registry.outputs import copy_output, find_output

router = APIRouter(route_class=StrictRoute)


@router.post(
    "/predict/batch",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["Predict"],
    summary="Predict for all rows of a dataset",
    responses=responses(404, 409, 413, 415, 422, 503),
)
@in_lane("accepting")
def predict_batch(*, body: BatchRequest, parts: PartsDep, accepting: AcceptingDep) -> Job:
    """Predict in the background for every row of a dataset, by the version that answers now.

    The output has a row for each row of the input, in the same order: its number `row`, the columns of `keep`, the
    `prediction`, `probability_<class>` and intervals where asked for, and `error` where a row could not be predicted,
    whose prediction is empty then; the job succeeds and counts them. Columns that the model uses must be there.
    `GET /jobs/{id}/output` is the file.
    """
    key = accepting.key(Kind.PREDICT, body.model_dump(by_alias=True))
    return accepting.answered(key) or accepting.accept(_checked(body, parts), key)


@router.get(
    "/jobs/{job_id}/output",
    tags=["Jobs"],
    summary="Download the output of a batch prediction",
    response_class=Response,
    responses={**responses(404, 409, 410, 503), **ARTIFACT_RESPONSES},
)
@in_lane("store")
def download_output(*, job_id: JobId, request: Request, parts: PartsDep, session: ReadSession) -> Response:
    """The file that a predict job made, as long as it is kept (`MLMINI_KEEP_PREDICTION_DAYS`).

    Answers `If-None-Match` with 304 and single ranges with 206.
    """
    output = find_output(session, find_job(session, job_id))
    session.expunge(output)
    session.close()  # The file may take long; the transaction must not.
    bucket = bucket_of(Shelf.PREDICTIONS, parts.settings)

    def copy(target: BinaryIO) -> None:
        copy_output(parts.store, bucket, output, target)

    dataset, _, file = output.object_key.partition("/")
    name = f"{dataset}_predictions_v{output.version}.{file.rpartition('.')[2]}"
    download = Download(name, output.size_bytes, output.sha256, copy)
    return send(request, download, scratch=parts.settings.scratch, threads=parts.lanes.store)


def _checked(body: BatchRequest, parts: Parts) -> NewJob:
    asked = RequestedLimits(**body.limits.model_dump())
    for problem in problems_of_limits(asked, parts.settings):
        raise problem
    resolved = _resolve(body, parts)
    return NewJob(
        Kind.PREDICT,
        resolved.spec.to_store(),
        body.dataset_name,
        resolved.dataset_version_id,
        priority=body.priority,
        pool=body.pool,
        limits=asked,
    )


def _resolve(body: BatchRequest, parts: Parts) -> ResolvedBatch:
    wish = BatchWish(
        dataset_name=body.dataset_name,
        environment=body.environment,
        version=body.version,
        target=body.target,
        source_name=body.input.dataset_name,
        source_version=body.input.dataset_version,
        keep=body.keep,
        format=body.format,
        returned=body.return_,
        neutralise_formulas=body.neutralise_formulas,
    )
    with parts.database.read() as session:
        return resolve_batch(session, wish, stages=parts.settings.stages)
