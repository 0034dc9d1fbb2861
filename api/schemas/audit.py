"""Bodies of the audit record."""

from typing import Any

from pydantic import Field

from api.schemas.base import Moment, ResponseBody
from shared.audit.actions import Action, AuditOutcome, Via


class AuditItem(ResponseBody):
    """One entry of the record."""

    seq: int = Field(description="Its number: there are no gaps.")
    at: Moment = Field(description="When it was recorded.")
    actor: str = Field(description="Who did it; `system` is the platform itself, `anonymous` nobody who is known.")
    via: Via = Field(description="By what the platform knew who it was.")
    action: Action = Field(description="What was done.")
    subject: str = Field(description="What it was done to.")
    before: Any = Field(description="What was there before, as far as that matters.")
    after: Any = Field(description="What is there since; of refusals that were counted, how many `more`.")
    outcome: AuditOutcome = Field(description="Whether it was done, or refused.")
    request_id: str | None = Field(description="The `X-Request-ID` of the request.")
    address: str | None = Field(description="Where the request came from.")
    previous_hash: str = Field(description="The `hash` of the entry before it.")
    hash: str = Field(description="Binds the entry to all before it; only the platform's key can make one.")
