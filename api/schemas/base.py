"""What all bodies have in common."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

# As large as the database keeps them; a larger number is a mistake that must not reach it.
LARGEST_VERSION = 2**31 - 1
VersionNumber = Annotated[int, Field(ge=1, le=LARGEST_VERSION)]

# A version in an address: read by hand, because one that cannot be is not found rather than wrong.
WrittenVersion = Annotated[
    str, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": LARGEST_VERSION, "examples": [1]})
]


def read_version(text: str) -> int | None:
    """The version number that a part of an address stands for; None when it stands for none."""
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST_VERSION))):
        return None
    number = int(text)
    return number if 1 <= number <= LARGEST_VERSION else None


def written(moment: datetime, *, digits: str = "microseconds") -> str:
    """A moment as clients read it: in UTC, with `digits` of the second as `isoformat` names them."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=digits) + "Z"


# In UTC and always of the same length, so that moments sort as texts do.
Moment = Annotated[
    datetime,
    PlainSerializer(written, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T12:00:00.000000Z"]}),
]


class RequestBody(BaseModel):
    """A body that clients send: unknown fields are refused, and nothing is converted silently (no "1" for 1)."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True, frozen=True)


class ResponseBody(BaseModel):
    """A body that clients get; `from_attributes` lets rows be read as they are."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)
