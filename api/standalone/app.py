"""The application that serves one exported model: a part of the routes of the platform, and scoring at the root."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.metadata import version

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware

from api.fast.application import QuickApplication
from api.fast.predictions import FastPredictions
from api.http import middleware, problems
from api.http.access_lines import AccessLines
from api.http.json_body import MAX_DEPTH
from api.http.media_types import CSV
from api.http.metrics import Metrics
from api.http.query import check_query
from api.http.request_limits import BodyLimit
from api.http.surroundings import surroundings
from api.lanes import Lanes
from api.predicting import Predicting
from api.protocols.error_forms import ErrorForm
from api.protocols.mlflow.errors import MLFLOW_ERRORS
from api.protocols.v2.errors import V2_ERRORS
from api.routes import errors, predict, predict_csv, v2, v2_infer
from api.standalone import metrics as metrics_alone
from api.standalone import scoring
from api.standalone import v2 as v2_alone
from api.standalone.gate import KeyGate
from api.standalone.keys import ServeKeys
from api.standalone.parts import StandaloneParts
from shared.exported.serving import ExportedModel
from shared.hosts import known_names
from shared.settings import Settings

_SCORING = ("/ping", "/health", "/version", "/invocations")
_FORMS: tuple[ErrorForm, ...] = (V2_ERRORS, *(MLFLOW_ERRORS._replace(prefix=path) for path in _SCORING))


class AnyName:
    """Holds every host name: a server that is open to a network does not know by which names it is reached."""

    def __contains__(self, name: object) -> bool:
        return name is not None


def create_standalone_app(model: ExportedModel, settings: Settings, *, keys: ServeKeys, of_any_name: bool) -> FastAPI:
    """Wire the application up; with `of_any_name` it answers to any host name, unless MLMINI_ALLOWED_HOSTS has some."""
    metrics, lines = Metrics(), AccessLines(middleware.__name__)
    known = known_names(host=settings.host, allowed=settings.allowed_hosts)
    names = AnyName() if of_any_name and not settings.allowed_hosts else known
    of_files = BodyLimit(settings.upload_max_bytes, "MLMINI_UPLOAD_MAX_BYTES")
    app = QuickApplication(
        version=version("ml-mini-platform"),
        # It serves no docs: those of the platform describe all that it takes.
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(model, settings, keys),
        dependencies=[Depends(check_query)],
        middleware=surroundings(
            settings,
            metrics=metrics,
            names=names,
            forms=_FORMS,
            gate=Middleware(KeyGate, keys=keys),
            file_limits={("/predict", CSV): of_files, ("/invocations", CSV): of_files},
        ),
    )
    app.begin_with(
        partial(FastPredictions, metrics=metrics, lines=lines, names=names, body_seconds=settings.body_seconds)
    )
    app.state.metrics = metrics
    app.state.access_lines = lines
    app.state.most_lists = settings.predict_max_cells + MAX_DEPTH
    app.state.listed = "This server has /ping, /version, /invocations, /predict, /v2 and /metrics."
    problems.install(app)
    # The routes for CSV come first: they have the same addresses as those for JSON, and take nothing else.
    routers = (scoring.csv_router, scoring.router, predict_csv.router, predict.router)
    for router in (*routers, v2_alone.router, v2.router, v2_infer.router, metrics_alone.router, errors.router):
        app.include_router(router)
    return app


def _lifespan(
    model: ExportedModel, settings: Settings, keys: ServeKeys
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        app.state.parts = StandaloneParts(
            settings=settings,
            keys=keys,
            cache=model,
            predicting=Predicting(model, seconds=settings.predict_seconds),
            lanes=Lanes(settings),
            spool_folder=settings.scratch,
        )
        yield
        app.state.access_lines.write()

    return live
