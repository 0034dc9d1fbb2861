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
from api.http.no_body import check_no_body
from api.http.query import check_query
from api.http.reading_fields import READING_FIELDS
from api.http.request_limits import BodyLimit
from api.http.surroundings import surroundings
from api.lifespan import lifespan
from api.processes.board import Seat
from api.protocols.forms import FORMS
from api.routes import (
    api_keys,
    audit,
    auth,
    auth_refresh,
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

# What a form adds to its file: boundaries, headers and the other fields.
_MULTIPART_BYTES = 64 * 2**10 + sum(READING_FIELDS.values())


def create_app(settings: Settings, *, warm_up: bool = False, seat: Seat | None = None) -> FastAPI:
    """Wire the application up; nothing is opened before its lifespan begins.

    `seat` is the place of this process among those that share an address.
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
        # We serve Swagger UI ourselves: FastAPI's own page loads it from another site.
        docs_url=None,
        # The document, too: it changes with the models that serve.
        openapi_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan(settings, seat, warm_up=warm_up, beside=grpc_serving),
        dependencies=[Depends(check_query), Depends(check_no_body)],
        middleware=_middleware(settings, metrics, names),
    )
    # The short way leaves out the gate, which counts predictions where they are limited.
    if not settings.predict_rate_limit:
        app.begin_with(_short_way(settings, metrics, lines, names))
    app.state.seat = seat
    app.state.metrics = metrics
    app.state.access_lines = lines
    # The most lists and objects of a JSON body: a row for each cell, and what is around the rows.
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
    # The routes for CSV come first: they have the same addresses as those for JSON, and take nothing else.
    catalog = (uploads, datasets, dataset_diffs, dataset_holders, train, estimators, jobs, job_events)
    registry = (models, model_artifacts, model_reports, model_reproductions, model_cards, promote)
    predictions = (predict_csv, predict, predict_typed, predict_batch, v2, v2_platform, v2_infer, mlflow_csv, mlflow)
    accounts = (auth, auth_refresh, own_password, own_logins, users, api_keys, audit, login, login_provider)
    for noun in (*catalog, *registry, *predictions, *accounts, health, errors, findings):
        app.include_router(noun.router)


def _middleware(settings: Settings, metrics: Metrics, names: Container[str | None]) -> list[Middleware]:
    files = _limits_of_files(settings.upload_max_bytes)
    gate = Middleware(Gate)
    return surroundings(settings, metrics=metrics, names=names, forms=FORMS, gate=gate, file_limits=files)


def _limits_of_files(most_bytes: int) -> dict[tuple[str, str], BodyLimit]:
    setting = "MLMINI_UPLOAD_MAX_BYTES"
    return {
        ("/datasets/upload", ""): BodyLimit(most_bytes + _MULTIPART_BYTES, setting),
        ("/predict", CSV): BodyLimit(most_bytes, setting),
        ("/serve/{model}/invocations", CSV): BodyLimit(most_bytes, setting),
    }


async def _to_docs(_request: Request) -> RedirectResponse:
    return RedirectResponse("/docs")
