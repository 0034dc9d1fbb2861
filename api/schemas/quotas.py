"""What one user may have at a time, and what is used of it."""

from typing import Self

from pydantic import Field

from api.access.rates import RateLimits
from api.access.rules import Budget
from api.quotas import MIB, Used
from api.schemas.base import ResponseBody
from shared.settings import Settings


class Quota(ResponseBody):
    """One quota."""

    used: int = Field(description="How much is used.")
    limit: int | None = Field(description="How much may be used; null where there is no limit.")


class Limits(ResponseBody):
    """How much a user may ask for and have."""

    requests_per_minute: int | None = Field(description="How many requests in all; null where there is no limit.")
    predictions_per_minute: int | None = Field(
        description="How many requests for predictions, which are counted apart; null where there is no limit."
    )
    jobs: Quota = Field(description="Jobs that wait or run.")
    running_jobs: Quota = Field(description="Jobs that run; further ones wait.")
    stored_bytes: Quota = Field(description="Bytes of datasets, models and predictions.")

    @classmethod
    def of_user(cls, used: Used, rates: RateLimits, settings: Settings) -> Self:
        """What the settings allow, and what a user has."""
        return cls(
            requests_per_minute=rates.per_minute(Budget.REQUESTS),
            predictions_per_minute=rates.per_minute(Budget.PREDICTIONS),
            jobs=Quota(used=used.queued + used.running, limit=settings.max_jobs_per_owner or None),
            running_jobs=Quota(used=used.running, limit=settings.max_running_per_owner or None),
            stored_bytes=Quota(used=used.stored_bytes, limit=settings.storage_mb_per_owner * MIB or None),
        )
