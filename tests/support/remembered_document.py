"""The OpenAPI document of the routes, made once for all applications of this process."""

import functools
from typing import Any

from fastapi import FastAPI

from api import docs


@functools.cache
def remember_document() -> None:
    """Have an application tell what another one of the same routes has told: it takes longer than a hundred requests.

    What is served tells of the models, too; that is a document of its own, which each application makes of this one.
    """
    describe = docs.describe
    known: dict[tuple[int, ...], dict[str, Any]] = {}

    def remembered(app: FastAPI) -> dict[str, Any]:
        # Each application includes the same routers, which their modules hold; what has none is not in the document.
        routes = tuple(id(getattr(route, "original_router", None)) for route in app.routes)
        if routes not in known:
            known[routes] = describe(app)
        return known[routes]

    docs.describe = remembered
