"""What the codes of errors mean; `type` of every problem points here."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.http.errors import NotFound
from api.http.problems import explain, known_codes, responses
from api.schemas.problems import ErrorCode, ErrorCodes
from shared.errors import closest, meant

router = APIRouter(tags=["Errors"])


@router.get("/errors", summary="List all error codes")
def list_error_codes() -> ErrorCodes:
    """Every code that a problem or a failed job can carry, in alphabetical order."""
    return ErrorCodes(items=[explain(error) for error in known_codes().values()])


@router.get("/errors/{code}", summary="Explain an error code", responses=responses(404))
def explain_error_code(
    code: Annotated[str, Path(description="The `code` of a problem.", examples=["unknown_column"])],
) -> ErrorCode:
    """What a code means, and which status comes with it."""
    codes = known_codes()
    if code not in codes:
        near = closest(code, codes)
        raise NotFound(f"There is no error code '{code}'.{meant(near)} GET /errors lists them all.", did_you_mean=near)
    return explain(codes[code])
