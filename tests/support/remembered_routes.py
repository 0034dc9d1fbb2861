"""What FastAPI makes of a route, made once for all applications of this process."""

from collections import defaultdict
from dataclasses import fields
from typing import Any

from fastapi import routing

_Context = routing._EffectiveRouteContext


def remember_routes() -> None:
    """Have an application use what another one has made of the same route: it takes longer than most requests.

    Both include it alike, and none replaces dependencies: that alone would tell them apart.
    """
    make = _Context.from_api_route
    # A route is held as a value, too: so nothing else gets its number.
    known: dict[int, list[tuple[Any, dict[str, Any], _Context]]] = defaultdict(list)

    def from_api_route(*, original_route: Any, include_context: Any) -> _Context:
        wanted = _described(include_context)
        of_route = known[id(original_route)]
        for _, described, made in of_route:
            if described == wanted:
                return made
        made = make(original_route=original_route, include_context=include_context)
        of_route.append((original_route, wanted, made))
        return made

    _Context.from_api_route = from_api_route  # type: ignore[method-assign] # it is asked for by the class alone


def _described(include_context: Any) -> dict[str, Any]:
    names = {field.name for field in fields(include_context)} - {"dependency_overrides_provider"}
    return {name: getattr(include_context, name) for name in names}
