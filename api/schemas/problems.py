"""Errors as clients see them."""

from typing import Any

from pydantic import Field

from api.schemas.base import ResponseBody


class Fault(ResponseBody):
    """One of several faults of a request, and where it is."""

    loc: list[str | int] = Field(examples=[["body", "target_column"]])
    msg: str


class Problem(ResponseBody):
    """Every error has this form (RFC 9457); `code` never changes, `detail` says how to mend it."""

    type: str = Field(examples=["/errors/unknown_column"])
    title: str = Field(examples=["Unknown column"])
    status: int = Field(examples=[422])
    code: str = Field(examples=["unknown_column"])
    detail: str = Field(
        examples=["Target column 'specie' is not in dataset 'penguins'. Did you mean 'species'?"],
    )
    request_id: str
    errors: list[Fault] = Field(default_factory=list)


class ErrorCode(ResponseBody):
    """What one error code means."""

    code: str = Field(examples=["unknown_column"])
    title: str = Field(examples=["Unknown column"])
    status: int = Field(examples=[422])
    explanation: str


class ErrorCodes(ResponseBody):
    """All error codes."""

    items: list[ErrorCode]
    next_cursor: None = None


OpenApiResponses = dict[int | str, dict[str, Any]]
