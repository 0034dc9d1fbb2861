"""How long a computation may take and how much memory it may use, and what it hears when it goes beyond."""

from dataclasses import dataclass
from typing import Self

from shared.errors import OutOfMemory, TimeLimitExceeded
from shared.jobs.lifecycle import Claim
from shared.jobs.limits import Limits, limits_of, told_memory, told_seconds
from shared.settings import Settings

_SMALLER = "Train on fewer rows or with a smaller model"


@dataclass(frozen=True)
class Allowance:
    """The limits of one computation beside those of the settings: which of the two is met is told."""

    limits: Limits
    highest: Limits

    @classmethod
    def of(cls, claim: Claim, settings: Settings) -> Self:
        """What the request names, but never more than the settings."""
        return cls(
            limits=limits_of(claim.time_limit_seconds, claim.memory_limit_mb, settings),
            highest=limits_of(None, None, settings),
        )

    def too_long(self) -> TimeLimitExceeded:
        """What a computation that took longer ends with."""
        seconds = f"{told_seconds(self.limits.seconds)} s"
        if self.limits.seconds < self.highest.seconds:
            whose, remedy = f"the {seconds} that its request allows", "send it again with a higher 'limits.seconds'"
        else:
            whose, remedy = f"the {seconds} that a job may take here", "have MLMINI_JOB_SECONDS raised"
        return TimeLimitExceeded(f"The job ran longer than {whose} and was stopped. {_SMALLER}, or {remedy}.")

    def too_much(self, room_mb: int | None = None) -> OutOfMemory:
        """What a computation that needed more ends with; `room_mb` is all that the system gives it, where it limits."""
        granted = self.limits.memory_mb if room_mb is None else min(room_mb, self.limits.memory_mb)
        memory = f"{told_memory(granted)} MiB of memory"
        if granted < self.limits.memory_mb:
            whose, remedy = f"the {memory} that the system leaves it", "have its limit of address space raised"
        elif self.limits.memory_mb < self.highest.memory_mb:
            whose, remedy = f"the {memory} that its request allows", "send it again with a higher 'limits.memory_mb'"
        else:
            whose, remedy = f"the {memory} that a job may use here", "have MLMINI_JOB_MEMORY_MB raised"
        return OutOfMemory(f"The job needed more than {whose}. {_SMALLER}, or {remedy}.")
