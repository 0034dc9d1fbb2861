"""Errors as clients see them."""

import re
from typing import Any

from pydantic import Field

from api.schemas.base import ResponseBody

_MAX_DETAIL = 1000
_MAX_QUOTED = 100
_LONG_QUOTE = re.compile(rf"(?<!\w)'([^']{{{_MAX_QUOTED}}})[^']+'")


def readable(value: Any) -> Any:
    """Text that is safe to print and not too long; what clients sent may be neither."""
    if not isinstance(value, str):
        return value
    text = _LONG_QUOTE.sub(r"'\1…'", value)
    if len(text) > _MAX_DETAIL:
        text = text[: _MAX_DETAIL - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class ProblemPart(ResponseBody):
    """One of several things that are wrong with a request, and where it is."""

    loc: list[str | int] = Field(
        description="Where it is: body, query or header, and the way from there.", examples=[["body", "target_column"]]
    )
    msg: str = Field(description="What is wrong there.")


class Problem(ResponseBody):
    """Every error has this form (RFC 9457); `code` never changes, `detail` says how to fix it."""

    type: str = Field(description="Where the code is explained.", examples=["/errors/unknown_column"])
    title: str = Field(description="The code in words.", examples=["Unknown column"])
    status: int = Field(description="The status of the response.", examples=[422])
    code: str = Field(description="What kind of error it is; it never changes.", examples=["unknown_column"])
    detail: str = Field(
        description="What is wrong, and how to fix it.",
        examples=["Target column 'specie' is not in dataset 'penguins'. Did you mean 'species'?"],
    )
    request_id: str = Field(description="The id of the request, as in the header X-Request-ID and in the logs.")
    did_you_mean: str | None = Field(
        default=None, description="The known word that is closest to an unknown one.", examples=["species"]
    )
    available: list[str] | None = Field(
        default=None, description="The words that would be taken, the first hundred.", examples=[["species", "island"]]
    )
    limit: int | float | None = Field(default=None, description="How much is taken, in the unit that `detail` names.")
    used: int | float | None = Field(default=None, description="How much of the limit is used, where it is a quota.")
    setting: str | None = Field(
        default=None, description="The setting that decides that limit.", examples=["MLMINI_JSON_MAX_BYTES"]
    )
    problem_count: int | None = Field(
        default=None,
        description="How many things are wrong, where there are several; `errors` lists the first hundred.",
        examples=[150],
    )
    retry_after: int | None = Field(
        default=None, description="The seconds after which to ask again, as in the header Retry-After."
    )
    errors: list[ProblemPart] = Field(
        default_factory=list, description="What is wrong at each place, where there may be several."
    )


class ErrorCode(ResponseBody):
    """What one error code means."""

    code: str = Field(description="The code.", examples=["unknown_column"])
    title: str = Field(description="The code in words.", examples=["Unknown column"])
    status: int = Field(
        description="The status of responses that carry it; jobs carry codes without one.", examples=[422]
    )
    explanation: str = Field(description="What it means.")
    hint: str = Field(description="How to fix it.")


class ErrorCodes(ResponseBody):
    """All error codes."""

    items: list[ErrorCode] = Field(description="The codes in alphabetical order.")
    next_cursor: None = Field(default=None, description="Always null: all codes are on one page.")


OpenApiResponses = dict[int | str, dict[str, Any]]
