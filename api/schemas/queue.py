"""What a job may ask of the queue, and where it stands in it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from api.schemas.base import Moment, RequestBody, ResponseBody
from shared.jobs.limits import LEAST_MEMORY_MB
from shared.jobs.rows import PRIORITIES
from shared.settings import DEFAULT_POOL, POOL

Priority = Annotated[
    int,
    Field(
        ge=PRIORITIES[0],
        le=PRIORITIES[-1],
        description="Of the jobs that wait, those with the lowest number go first, and of equal ones the oldest.",
    ),
]


def _check_pool(name: str) -> str:
    if not POOL.fullmatch(name):
        raise ValueError("It must be the name of a pool: 1 to 32 of a-z, 0-9, _ and -")
    return name


# The pattern is only told: what pydantic would say of it is the pattern.
Pool = Annotated[
    str,
    AfterValidator(_check_pool),
    Field(
        json_schema_extra={"pattern": f"^{POOL.pattern}$"},
        exclude_if=lambda pool: pool == DEFAULT_POOL,
        description="Only workers with this name in `MLMINI_POOLS` run it; it waits until there is one.",
        examples=[DEFAULT_POOL],
    ),
]


class LimitsRequest(RequestBody):
    """Stricter limits than those of the platform, which are in its settings; what is left out is limited by them."""

    seconds: float | None = Field(
        default=None,
        gt=0,
        description="How long after the beginning of an attempt its computation is stopped and the job fails. Fetching "
        "the table counts, waiting in the queue does not. At most `MLMINI_JOB_SECONDS`.",
        examples=[600],
    )
    memory_mb: int | None = Field(
        default=None,
        ge=LEAST_MEMORY_MB,
        description="MiB that it may add to what the libraries take; at most `MLMINI_JOB_MEMORY_MB`.",
        examples=[2048],
    )
    cpus: int | None = Field(
        default=None,
        ge=1,
        exclude_if=lambda cpus: cpus is None,
        description="How many cores it may use: of these as many as the machine of its worker has. At most "
        "`MLMINI_JOB_CPUS`. Without it, it gets a share, so that full slots have no more than all cores.",
        examples=[4],
    )


class JobLimits(ResponseBody):
    """The limits that hold: those of the request where it names them, else those of the platform."""

    seconds: float = Field(
        description="How long after the beginning of an attempt its computation is stopped.", examples=[3600.0]
    )
    memory_mb: int = Field(description="MiB that it may add to what the libraries take.", examples=[4096])
    cpus: int | None = Field(
        default=None,
        exclude_if=lambda cpus: cpus is None,
        description="The most cores that it may use, where the request names a number; else it gets a share.",
        examples=[4],
    )


class QueuePlace(ResponseBody):
    """Where a queued job stood when this was answered."""

    position: int | None = Field(
        description="1 is the next one of its pool; null while it waits for another try, see `run_at`.",
        ge=1,
        examples=[3],
    )
    running: int = Field(description="How many jobs of its pool run, on all workers together.", examples=[2])
    waiting_seconds: float = Field(description="For how long it could have been begun.", examples=[4.2])
    run_at: Moment = Field(description="From when on it may be begun; in the future while it waits for another try.")
