"""What all bodies have in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# As large as the database keeps them; a larger number is a mistake that must not reach it.
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class RequestBody(BaseModel):
    """A body that clients send: unknown fields are refused, and nothing is converted silently (no "1" for 1)."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True, frozen=True)


class ResponseBody(BaseModel):
    """A body that clients get; `from_attributes` lets rows be read as they are."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)
