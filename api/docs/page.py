"""The page of Swagger UI. All that it loads comes from here: it does not need a network, and may not use one."""

import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from api.http.errors import NotFound
from api.http.problems import problem

_SWAGGER_UI = files("fastapi_swagger") / "resources"
_OWN = files("api.docs") / "static"
_SOURCES = {
    "swagger-ui.css": (_SWAGGER_UI, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER_UI, "text/javascript"),
    "look.css": (_OWN, "text/css"),
    "swagger.js": (_OWN, "text/javascript"),
    "icon.svg": (_OWN, "image/svg+xml"),
}
# Swagger UI's style sheet holds its icons as `data:` images.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_A_YEAR = 365 * 24 * 3600


class Assets(NamedTuple):
    """The files of the page by name, and the digest that is part of their addresses: they may be kept forever."""

    files: dict[str, bytes]
    digest: str


@cache
def assets() -> Assets:
    """Everything that the page loads, from the installed packages."""
    found = {name: (folder / name).read_bytes() for name, (folder, _) in _SOURCES.items()}
    return Assets(found, hashlib.sha256(b"".join(found.values())).hexdigest()[:16])


def install(app: FastAPI) -> None:
    """Serve the page at `/docs`."""
    app.add_route("/docs", _page, include_in_schema=False)
    app.add_route("/docs/assets/{digest}/{name}", _asset, include_in_schema=False)


async def _page(_request: Request) -> Response:
    text = (_OWN / "page.html").read_text(encoding="utf-8").replace("{assets}", f"docs/assets/{assets().digest}")
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})


async def _asset(request: Request) -> Response:
    known, name = assets(), request.path_params["name"]
    if name not in known.files or request.path_params["digest"] != known.digest:
        missing = NotFound("There is no such file of the docs. Load /docs anew: it names the present ones.")
        return problem(missing, request.scope["request_id"])
    _, media_type = _SOURCES[name]
    return Response(
        known.files[name],
        media_type=media_type,
        headers={"Cache-Control": f"public, max-age={_A_YEAR}, immutable"},
    )
