"""Explanations of error codes; the `type` of every problem points here."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from api.http.errors import NotFound
from api.http.problems import explain, known_codes, responses
from api.pages.errors import page_of_code, page_of_codes
from api.pages.frame import WantsPage
from api.schemas.problems import ErrorCode, ErrorCodes
from shared.errors import closest, meant

router = APIRouter(tags=["Errors"])


@router.get("/errors", response_model=ErrorCodes, summary="List all error codes")
def list_error_codes(wants_page: WantsPage) -> ErrorCodes | HTMLResponse:
    """Every code that a problem or a failed job can carry, in alphabetical order; as a page for browsers."""
    codes = ErrorCodes(items=[explain(error) for error in known_codes().values()])
    return page_of_codes(codes) if wants_page else codes


@router.get("/errors/{code}", response_model=ErrorCode, summary="Explain an error code", responses=responses(404))
def explain_error_code(
    wants_page: WantsPage,
    code: Annotated[str, Path(description="The `code` of a problem.", examples=["unknown_column"])],
) -> ErrorCode | HTMLResponse:
    """What a code means, how to fix it, and which status comes with it; as a page for browsers."""
    codes = known_codes()
    if code not in codes:
        near = closest(code, codes)
        raise NotFound(f"There is no error code '{code}'.{meant(near)} GET /errors lists them all.", did_you_mean=near)
    explained = explain(codes[code])
    return page_of_code(explained) if wants_page else explained
