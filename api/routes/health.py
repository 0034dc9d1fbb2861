"""How the platform is."""

import platform
from importlib.metadata import version

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from api.dependencies import PartsDep
from api.http import metrics
from api.http.errors import NotReady
from api.http.problems import problem, responses
from api.schemas.health import DependencyState, Health, Readiness, Version

router = APIRouter(tags=["Operations"])


@router.get("/healthz", summary="Is the process up?")
async def get_health() -> Health:
    """Answers as long as the process does."""
    return Health()


@router.get("/readyz", summary="Can requests be served?", response_model=Readiness, responses=responses(503))
async def get_readiness(request: Request, parts: PartsDep) -> Response | Readiness:
    """Each part with its state and a hint. Database and object store are needed; without the others jobs may wait."""
    found = await parts.readiness.look()
    states = {dependency.state for dependency in found.values()}
    if DependencyState.DOWN in states:
        absent = {name: part.hint for name, part in found.items() if part.state is DependencyState.DOWN}
        error = NotReady(
            "Not ready: " + " ".join(f"{name}: {hint}" for name, hint in absent.items()),
            errors=[{"loc": [name], "msg": hint} for name, hint in absent.items()],
        )
        dependencies = {name: part.model_dump(mode="json") for name, part in found.items()}
        return problem(error, request.scope["request_id"], dependencies=dependencies)
    degraded = DependencyState.DEGRADED in states
    return Readiness(status=DependencyState.DEGRADED if degraded else DependencyState.OK, dependencies=found)


@router.get("/version", summary="What runs here?")
def get_version() -> Version:
    """The releases of the platform and of what its models depend on."""
    return Version(
        platform=version("ml-mini-platform"), python=platform.python_version(), scikit_learn=version("scikit-learn")
    )


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def get_metrics(request: Request, parts: PartsDep) -> Response:
    """Requests by method, route and status with their duration; jobs by kind and status; the oldest due job."""
    text = request.app.state.metrics.render(
        parts.database,
        waits=parts.jobs_watch.waits(),
        streams=parts.following.streams(),
        overdue=parts.predicting.overdue(),
    )
    return Response(text, media_type=metrics.MEDIA_TYPE)
