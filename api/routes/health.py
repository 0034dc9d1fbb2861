"""Health, readiness, versions and metrics of the platform."""

import platform
from importlib.metadata import version

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from api.access.callers import CallerDep
from api.dependencies import PartsDep
from api.http import metrics
from api.http.errors import NotReady
from api.http.problems import problem, responses
from api.live.under_way import tell_what_is_under_way
from api.schemas.health import DependencyState, Health, Processes, Readiness, Version
from shared.accounts.permissions import Permission

router = APIRouter(tags=["Operations"])


@router.get("/healthz", summary="Is the process up?")
async def get_health() -> Health:
    """Answers as long as the process does."""
    return Health()


@router.get("/readyz", summary="Can requests be served?", response_model=Readiness, responses=responses(503))
async def get_readiness(request: Request, parts: PartsDep, caller: CallerDep) -> Response | Readiness:
    """Each part with its state and a hint. Database and object store are needed; without the others jobs may wait.

    It is told as the process that answers sees it, with the number of those that take requests at this address. Once
    there are accounts, hints are for those who are logged in.
    """
    found = await parts.readiness.look()
    if Permission.READ not in caller.identity.permissions:
        found = {name: part.model_copy(update={"hint": None}) for name, part in found.items()}
    board = request.app.state.seat.board
    processes = Processes(up=board.serving, wanted=len(board.slates))
    states = {dependency.state for dependency in found.values()}
    if DependencyState.DOWN in states:
        absent = {
            name: part.hint or "It is down." for name, part in found.items() if part.state is DependencyState.DOWN
        }
        error = NotReady(
            "Not ready: " + " ".join(f"{name}: {hint}" for name, hint in absent.items()),
            errors=[{"loc": [name], "msg": hint} for name, hint in absent.items()],
        )
        dependencies = {name: part.model_dump(mode="json") for name, part in found.items()}
        shown = processes.model_dump(mode="json")
        return problem(error, request.scope["request_id"], dependencies=dependencies, processes=shown)
    degraded = DependencyState.DEGRADED in states or processes.up < processes.wanted
    status = DependencyState.DEGRADED if degraded else DependencyState.OK
    return Readiness(status=status, dependencies=found, processes=processes)


@router.get("/version", summary="What runs here?")
def get_version() -> Version:
    """The releases of the platform and of what its models depend on."""
    return Version(
        platform=version("ml-mini-platform"), python=platform.python_version(), scikit_learn=version("scikit-learn")
    )


@router.get("/metrics", summary="Metrics for Prometheus", response_class=PlainTextResponse)
def get_metrics(request: Request, parts: PartsDep) -> Response:
    """Requests by method, route and status with their duration, of all processes of this address; jobs by kind and
    status; the oldest due job.
    """
    # The numbers of this process are those of now; the others tell theirs once a second.
    tell_what_is_under_way(request.app)
    return Response(request.app.state.metrics.render_with_jobs(parts.whole_database), media_type=metrics.MEDIA_TYPE)
