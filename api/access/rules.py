"""What each address demands of its callers. An address that is missing from this table is for administrators only."""

from collections.abc import Sequence
from enum import Enum, StrEnum
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.types import Scope

from shared.accounts.permissions import Permission


class Need(Enum):
    """A demand that is no permission."""

    NOTHING = "nothing"
    A_LOGIN = "a login"


class Budget(StrEnum):
    """The limit that a request counts against; clients read the name in the headers of the answer."""

    NONE = "none"
    REQUESTS = "requests"
    PREDICTIONS = "predictions"


# Of several permissions, any one is enough.
Rule = Need | frozenset[Permission]

_OPEN = Need.NOTHING
_READ = frozenset({Permission.READ})
_PREDICT = frozenset({Permission.PREDICT})
_TRAIN = frozenset({Permission.TRAIN})
_MANAGE = frozenset({Permission.MANAGE})
# What clients look up before they ask for a prediction.
_SERVED = _READ | _PREDICT
# The stage decides which of the two is needed, and it is in the body.
_PROMOTE = frozenset({Permission.PROMOTE, Permission.PROMOTE_LAST})
_RETIRE = frozenset({Permission.RETIRE})
_DELETE = frozenset({Permission.DELETE})

RULES: dict[str, Rule] = {
    "GET /": _OPEN,
    "GET /docs": _OPEN,
    "GET /docs/assets/{digest}/{name}": _OPEN,
    "GET /openapi.json": _OPEN,
    "GET /healthz": _OPEN,
    "GET /readyz": _OPEN,
    "GET /version": _OPEN,
    "GET /errors": _OPEN,
    "GET /errors/{code}": _OPEN,
    "GET /findings": _OPEN,
    "GET /findings/{code}": _OPEN,
    "GET /v2/health/live": _OPEN,
    "GET /v2/health/ready": _OPEN,
    "GET /login": _OPEN,
    "POST /login": _OPEN,
    "GET /login/oidc": _OPEN,
    "GET /login/oidc/callback": _OPEN,
    "POST /logout": _OPEN,
    "POST /auth/token": _OPEN,
    "POST /auth/refresh": _OPEN,
    "POST /auth/logout": Need.A_LOGIN,
    "GET /me": Need.A_LOGIN,
    "POST /me/password": Need.A_LOGIN,
    "GET /me/logins": Need.A_LOGIN,
    "DELETE /me/logins/{login_id}": Need.A_LOGIN,
    "GET /metrics": _READ,
    "GET /estimators": _READ,
    "GET /estimators/{module}/{class}": _READ,
    "GET /datasets": _READ,
    "GET /datasets/{name}": _READ,
    "GET /datasets/{name}/versions": _READ,
    "GET /datasets/{name}/preview": _READ,
    "GET /datasets/{name}/profile": _READ,
    "GET /datasets/{name}/diff": _READ,
    "POST /datasets/upload": _TRAIN,
    "POST /datasets/{name}/reread": _TRAIN,
    "PATCH /datasets/{name}": _TRAIN,
    "DELETE /datasets/{name}": _DELETE,
    "POST /train": _TRAIN,
    "GET /jobs": _READ,
    "GET /jobs/{job_id}": _READ,
    "GET /jobs/{job_id}/events": _READ,
    "GET /jobs/{job_id}/logs": _READ,
    "GET /jobs/{job_id}/output": _READ,
    "POST /jobs/{job_id}/cancel": _TRAIN | _PROMOTE,
    "POST /jobs/{job_id}/retry": _TRAIN | _PROMOTE,
    "GET /models": _READ,
    "GET /models/compare": _READ,
    "GET /models/{version}": _READ,
    "GET /models/{version}/artifact": _READ,
    "GET /models/{version}/report": _READ,
    "GET /models/{version}/card": _READ,
    "PATCH /models/{version}": _TRAIN,
    "POST /models/{version}/reproduce": _TRAIN,
    "DELETE /models/{version}": _DELETE,
    "POST /models/{version}/retire": _RETIRE,
    "POST /promote": _PROMOTE,
    "POST /predict": _PREDICT,
    "POST /predict/batch": _TRAIN,
    "POST /models/{dataset}/{environment}/predict": _PREDICT,
    "GET /v2": _SERVED,
    "GET /v2/models/{model}": _SERVED,
    "GET /v2/models/{model}/ready": _SERVED,
    "GET /v2/models/{model}/versions/{version}": _SERVED,
    "GET /v2/models/{model}/versions/{version}/ready": _SERVED,
    "POST /v2/repository/index": _SERVED,
    "POST /v2/models/{model}/infer": _PREDICT,
    "POST /v2/models/{model}/versions/{version}/infer": _PREDICT,
    "GET /serve/{model}/health": _SERVED,
    "GET /serve/{model}/ping": _SERVED,
    "GET /serve/{model}/version": _SERVED,
    "POST /serve/{model}/invocations": _PREDICT,
    "GET /users": _MANAGE,
    "POST /users": _MANAGE,
    "PATCH /users/{name}": _MANAGE,
    "DELETE /users/{name}": _MANAGE,
    "GET /api-keys": Need.A_LOGIN,
    "POST /api-keys": Need.A_LOGIN,
    "DELETE /api-keys/{key_id}": Need.A_LOGIN,
    "GET /audit": _MANAGE,
    "GET /audit/export": _MANAGE,
}


# Never limited: probes ask for these all the time, and pages load their assets from here.
_UNCOUNTED = {
    "GET /healthz",
    "GET /readyz",
    "GET /docs/assets/{digest}/{name}",
    "GET /v2/health/live",
    "GET /v2/health/ready",
    "GET /v2/models/{model}/ready",
    "GET /v2/models/{model}/versions/{version}/ready",
    "GET /serve/{model}/health",
    "GET /serve/{model}/ping",
}


class Demand(NamedTuple):
    """What a request needs: a permission, and room in a budget."""

    rule: Rule
    budget: Budget


class RouteDemands(NamedTuple):
    """A route of the application, and its demand for each method."""

    route: RouteContext
    demands: dict[str, Demand]


def demand_at(address: str) -> Demand:
    """The demand of a method and the template of an address, such as `GET /models/{version}`."""
    rule = RULES.get(address, _MANAGE)
    if address in _UNCOUNTED:
        return Demand(rule, Budget.NONE)
    return Demand(rule, Budget.PREDICTIONS if rule is _PREDICT else Budget.REQUESTS)


def demands_of_routes(app: FastAPI) -> list[RouteDemands]:
    """The demands of every route of an application, in the order in which requests are matched."""
    found = []
    for route in iter_route_contexts(app.routes):
        methods = (route.methods or set()) - {"HEAD"}
        found.append(RouteDemands(route, {method: demand_at(f"{method} {route.path_format}") for method in methods}))
    return found


def demand_of(scope: Scope, routes: Sequence[RouteDemands]) -> Demand:
    """The demand of a request. Only those who have logged in are told that an address leads nowhere."""
    method = "GET" if scope["method"] == "HEAD" else scope["method"]
    for each in routes:
        if method in each.demands and each.route.path_regex.match(scope["path"]):
            return each.demands[method]
    return Demand(Need.A_LOGIN, Budget.REQUESTS)
