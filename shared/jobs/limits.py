"""What the computation of a job may use: what its request allows, if it says so, but never more than the settings."""

from collections.abc import Iterator
from typing import NamedTuple

from shared.errors import InvalidRequest
from shared.jobs.rows import JobRow
from shared.settings import Settings

# No fit works with less than this.
LEAST_MEMORY_MB = 64


class RequestedLimits(NamedTuple):
    """What a request allows its computation: a time, MiB of memory, and cores. None leaves it to the settings."""

    seconds: float | None = None
    memory_mb: int | None = None
    cpus: int | None = None


NO_LIMITS = RequestedLimits()


class RunLimits(NamedTuple):
    """A time, an amount of memory in MiB, and a number of cores: None is a slot's share of those of the worker."""

    seconds: float
    memory_mb: int
    cpus: int | None = None


def limits_of(asked: RequestedLimits, settings: Settings) -> RunLimits:
    """The limits that hold. The settings may have become stricter since the job was accepted."""
    return RunLimits(
        settings.job_seconds if asked.seconds is None else min(asked.seconds, settings.job_seconds),
        settings.job_memory_mb if asked.memory_mb is None else min(asked.memory_mb, settings.job_memory_mb),
        None if asked.cpus is None else min(asked.cpus, settings.job_cpus),
    )


def cores_of(limits: RunLimits, *, machine_cores: int, slots: int) -> int:
    """How many cores a computation may use on a machine that runs `slots` of them at once.

    Without a word of it, full slots use no more than the cores. What a request names may be more than that share.
    """
    if limits.cpus is None:
        return max(1, machine_cores // slots)
    return min(limits.cpus, machine_cores)


def requested_limits(job: JobRow) -> RequestedLimits:
    """What the request of a job allows it."""
    return RequestedLimits(job.time_limit_seconds, job.memory_limit_mb, job.cpu_limit)


def limits_of_job(job: JobRow, settings: Settings) -> RunLimits:
    """The limits that hold for a job."""
    return limits_of(requested_limits(job), settings)


def told_seconds(seconds: float) -> str:
    """A time as people write it, without an exponent."""
    return f"{seconds:.0f}" if seconds % 1 == 0 else f"{seconds}"


def told_memory(memory_mb: int) -> str:
    """An amount of memory as people write it, without its unit."""
    return f"{memory_mb:,}"


def told_cores(cores: int) -> str:
    """A number of cores with its word."""
    return "1 core" if cores == 1 else f"{cores} cores"


def problems_of_limits(asked: RequestedLimits, settings: Settings) -> Iterator[InvalidRequest]:
    """One error per limit of a request that is above that of the settings."""
    seconds, memory_mb, cpus = asked
    if seconds is not None and seconds > settings.job_seconds:
        yield _beyond("seconds", told_seconds(seconds), settings.job_seconds, "MLMINI_JOB_SECONDS")
    if memory_mb is not None and memory_mb > settings.job_memory_mb:
        yield _beyond("memory_mb", told_memory(memory_mb), settings.job_memory_mb, "MLMINI_JOB_MEMORY_MB")
    if cpus is not None and cpus > settings.job_cpus:
        yield _beyond("cpus", str(cpus), settings.job_cpus, "MLMINI_JOB_CPUS")


def _beyond(name: str, asked: str, most: float, variable: str) -> InvalidRequest:
    told = told_memory(most) if isinstance(most, int) else told_seconds(most)
    sentence = f"'limits.{name}' must be at most {told}, which is the limit that {variable} sets, not {asked}."
    errors = [{"loc": ["body", "limits", name], "msg": sentence}]
    return InvalidRequest(sentence, errors=errors, limit=most, setting=variable)
