"""The application: which parts it has and how they hang together."""

from collections.abc import Callable, Container
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from api import docs
from api.access.gate import Gate
from api.access.refusals import answer_refusal
from api.docs import live
from api.fast.application import QuickApplication
from api.fast.predictions import FastPredictions
from api.http import middleware, problems
from api.http.access_lines import AccessLines
from api.http.json_body import MAX_DEPTH
from api.http.media_types import CSV
from api.http.metrics import Metrics
from api.http.middleware import AccessRecord, HeadRequests, RequestContext
from api.http.no_body import check_no_body
from api.http.origins import origin_checks
from api.http.query import check_query
from api.http.reading_fields import READING_FIELDS
from api.http.request_limits import BodyLimit, RequestLimits
from api.lifespan import lifespan
from api.processes.board import Seat
from api.protocols.error_forms import ErrorForms
from api.protocols.forms import FORMS
from api.routes import (
    api_keys,
    audit,
    auth,
    dataset_diffs,
    dataset_holders,
    datasets,
    errors,
    estimators,
    findings,
    health,
    job_events,
    jobs,
    login,
    login_provider,
    mlflow,
    mlflow_csv,
    model_artifacts,
    model_cards,
    model_reports,
    model_reproductions,
    models,
    own_logins,
    own_password,
    predict,
    predict_batch,
    predict_csv,
    predict_typed,
    promote,
    train,
    uploads,
    users,
    v2,
    v2_infer,
    v2_platform,
)
from api.rpc.opening import grpc_serving
from shared.errors import LoginTooOld, NotAllowed
from shared.hosts import known_names
from shared.settings import Settings

# What multipart adds to a file: boundaries, headers and the other fields.
_MULTIPART_BYTES = 64 * 2**10 + sum(READING_FIELDS.values())


def create_app(settings: Settings, *, warm_up: bool = False, seat: Seat | None = None) -> FastAPI:
    """Wire the application up; nothing is opened before its lifespan begins.

    `seat` is that of its process among those that share an address.
    """
    seat = seat or Seat()
    metrics, lines = Metrics(seat), AccessLines(middleware.__name__)
    names = known_names(host=settings.host, allowed=settings.allowed_hosts)
    app = QuickApplication(
        title=docs.TITLE,
        description=docs.DESCRIPTION,
        version=version("ml-mini-platform"),
        openapi_tags=docs.TAGS,
        generate_unique_id_function=docs.operation_id,
        # Swagger UI is served from here; FastAPI's own pages load theirs from elsewhere.
        docs_url=None,
        # So is the document, which changes with the models that serve.
        openapi_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan(settings, seat, warm_up=warm_up, beside=grpc_serving),
        dependencies=[Depends(check_query), Depends(check_no_body)],
        middleware=_middleware(settings, metrics, names),
    )
    # Where predictions are limited, the gate counts each of them, which the short way leaves out.
    if not settings.predict_rate_limit:
        app.begin_with(_short_way(settings, metrics, lines, names))
    app.state.seat = seat
    app.state.metrics = metrics
    app.state.access_lines = lines
    # A row for each cell, and what is around the rows.
    app.state.most_lists = settings.predict_max_cells + MAX_DEPTH
    app.openapi = lambda: docs.describe(app)  # type: ignore[method-assign]  # the way that FastAPI's manual shows
    problems.install(app)
    app.add_exception_handler(NotAllowed, answer_refusal)
    app.add_exception_handler(LoginTooOld, answer_refusal)
    docs.install(app)
    live.install(app)
    _add_routes(app)
    return app


def _short_way(
    settings: Settings, metrics: Metrics, lines: AccessLines, names: Container[str | None]
) -> Callable[[ASGIApp], ASGIApp]:
    seconds = settings.body_seconds
    return partial(FastPredictions, metrics=metrics, lines=lines, names=names, body_seconds=seconds, typed=True)


def _add_routes(app: FastAPI) -> None:
    app.add_route("/", _to_docs, include_in_schema=False)
    # What is CSV has a route of its own at the address of predictions, which takes nothing else.
    catalog = (uploads, datasets, dataset_diffs, dataset_holders, train, estimators, jobs, job_events)
    registry = (models, model_artifacts, model_reports, model_reproductions, model_cards, promote)
    asked = (predict_csv, predict, predict_typed, predict_batch, v2, v2_platform, v2_infer, mlflow_csv, mlflow)
    accounts = (auth, own_password, own_logins, users, api_keys, audit, login, login_provider)
    for noun in (*catalog, *registry, *asked, *accounts, health, errors, findings):
        app.include_router(noun.router)


def _middleware(settings: Settings, metrics: Metrics, names: Container[str | None]) -> list[Middleware]:
    """What surrounds every request, the outermost first."""
    return [
        Middleware(RequestContext),
        Middleware(AccessRecord, metrics=metrics),
        Middleware(ErrorForms, forms=FORMS),
        *origin_checks(names=names, trusted=settings.cors_origins),
        Middleware(Gate),
        Middleware(HeadRequests),
        Middleware(
            RequestLimits,
            usual=BodyLimit(settings.json_max_bytes, "MLMINI_JSON_MAX_BYTES"),
            exceptions=_limits_of_files(settings.upload_max_bytes),
            body_seconds=settings.body_seconds,
        ),
    ]


def _limits_of_files(most_bytes: int) -> dict[tuple[str, str], BodyLimit]:
    setting = "MLMINI_UPLOAD_MAX_BYTES"
    return {
        ("/datasets/upload", ""): BodyLimit(most_bytes + _MULTIPART_BYTES, setting),
        ("/predict", CSV): BodyLimit(most_bytes, setting),
        ("/serve/{model}/invocations", CSV): BodyLimit(most_bytes, setting),
    }


async def _to_docs(_request: Request) -> RedirectResponse:
    return RedirectResponse("/docs")
