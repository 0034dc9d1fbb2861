"""Starts, watches, caps and kills the computing process of an attempt."""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from shared.errors import ComputationCrashed, InternalError, OutOfMemory, PlatformError, ScratchFull, TimeLimitExceeded
from shared.fail_points import fail_point
from shared.jobs.claims import Claim
from shared.jobs.limits import NO_LIMITS, RunLimits, limits_of, told_cores, told_memory, told_seconds
from shared.jobs.states import Kind
from shared.logging import get_logger
from shared.sandbox import Ending, ProcessLimits, SandboxProcess
from shared.sandbox.limits import FAILED, SYSTEM_FAULT, memory_kills
from shared.settings import Settings
from worker.attempt import Attempt
from worker.handover import LINES_FILE
from worker.lines import Tail
from worker.pace import Pace

log = get_logger(__name__)

# How often the supervisor looks whether it has to stop.
_TICK_SECONDS = 0.2
_KILL_SECONDS = 10


# What a person can do about a job that takes too much, by its kind.
_SMALLER = {
    Kind.TRAIN: "Train on fewer rows or with a smaller model",
    Kind.PREDICT: "Predict for fewer rows at a time or with a smaller model",
    Kind.COMPILE: "Train a smaller model",
    Kind.REPRODUCE: "Train on fewer rows or with a smaller model",
}
_LESS_AT_ONCE = {Kind.TRAIN: ", in 'batches' of few rows"}
_OTHERWISE = {
    Kind.TRAIN: "Libraries may stumble over these data: try another estimator or other parameters.",
    Kind.PREDICT: "Libraries may stumble over these data: predict for a part of the rows to find out which.",
    Kind.COMPILE: "Libraries may stumble over this model: it goes on being served without a compiled form.",
    Kind.REPRODUCE: "Libraries may stumble over these data: the model that is registered is not touched.",
}
# The steps in the middle of which tests have something happen.
_LONG_STEPS = {"fitting", "searching", "predicting", "compiling"}


@dataclass(frozen=True)
class Allowance:
    """The limits of one computation beside those of the settings: which of the two is met is told."""

    limits: RunLimits
    highest: RunLimits
    smaller: str = _SMALLER[Kind.TRAIN]
    less_at_once: str = ""

    @classmethod
    def granted(cls, claim: Claim, settings: Settings) -> Self:
        """What the request names, but never more than the settings."""
        return cls(
            limits=limits_of(claim.limits, settings),
            highest=limits_of(NO_LIMITS, settings),
            smaller=_SMALLER[claim.kind],
            less_at_once=_LESS_AT_ONCE.get(claim.kind, ""),
        )

    def too_long(self) -> TimeLimitExceeded:
        """What a computation that took longer ends with."""
        seconds = f"{told_seconds(self.limits.seconds)} s"
        if self.limits.seconds < self.highest.seconds:
            whose, hint = f"the {seconds} that its request allows", "send it again with a higher 'limits.seconds'"
        else:
            whose, hint = f"the {seconds} that a job may take here", "have MLMINI_JOB_SECONDS raised"
        return TimeLimitExceeded(f"The job ran longer than {whose} and was stopped. {self.smaller}, or {hint}.")

    def too_much(self, room_mb: int | None = None) -> OutOfMemory:
        """What a computation that needed more ends with; `room_mb` is all that the system gives it, where it limits."""
        granted = self.limits.memory_mb if room_mb is None else min(room_mb, self.limits.memory_mb)
        memory = f"{told_memory(granted)} MiB of memory"
        if granted < self.limits.memory_mb:
            whose, hint = f"the {memory} that the system leaves it", "have its limit of address space raised"
        elif self.limits.memory_mb < self.highest.memory_mb:
            whose, hint = f"the {memory} that its request allows", "send it again with a higher 'limits.memory_mb'"
        else:
            whose, hint = f"the {memory} that a job may use here", "have MLMINI_JOB_MEMORY_MB raised"
        smaller = f"{self.smaller}{self.less_at_once}"
        return OutOfMemory(f"The job needed more than {whose}. {smaller}, or {hint}.")


def compute(attempt: Attempt, *, expected_fit_seconds: Sequence[float | None] = ()) -> None:
    """Run the computation in the attempt's folder to its end; the attempt notes how it ended and what it used.

    Raises:
        OutOfMemory, TimeLimitExceeded: when it went over a limit.
        ScratchFull: when its disk was full.
        ComputationCrashed: when it died.
        InternalError: when it failed in a way that it does not explain itself.
        Fenced, CancelRequested, Stopping: when it was killed because the attempt may not go on.
    """
    allowance = Allowance.granted(attempt.claim, attempt.runtime.settings)
    if attempt.claim.limits.cpus is not None:
        attempt.say(f"may use {told_cores(attempt.threads)}, of {attempt.claim.limits.cpus} asked for")
    pace = Pace(attempt.folder, expected_fit_seconds=expected_fit_seconds)
    kills = memory_kills()
    with Tail(attempt.folder / LINES_FILE) as tail:
        process = attempt.runtime.sandbox.run(attempt.folder, ProcessLimits(memory_mb=allowance.limits.memory_mb))
        try:
            ending = _supervise(attempt, process, tail, pace=pace, allowance=allowance)
        except BaseException:
            attempt.ending = _kill(process)
            raise
        finally:
            _say(attempt, tail.read_rest())
    attempt.ending = ending
    if not ending.ok:
        log.warning("computation_failed", ending=str(ending), said=ending.said)
        if ending.out_of_memory:
            raise allowance.too_much(attempt.runtime.sandbox.room_mb)
        raise _failure(ending, attempt.claim.kind, out_of_memory_kill=memory_kills() != kills)


def _supervise(attempt: Attempt, process: SandboxProcess, tail: Tail, *, pace: Pace, allowance: Allowance) -> Ending:
    deadline = attempt.began_at + allowance.limits.seconds
    while (ending := process.wait(timeout=_TICK_SECONDS)) is None:
        attempt.check()
        if progress := pace.now():
            attempt.heartbeat.show(*progress)
        # Of several trainings, their number follows the step.
        if attempt.heartbeat.progress.step.partition(" ")[0] in _LONG_STEPS:
            fail_point("fit.running")
        _say(attempt, tail.read())
        if time.monotonic() > deadline:
            raise allowance.too_long()
    return ending


def _say(attempt: Attempt, lines: list[str]) -> None:
    for line in lines:
        attempt.say(line)


def _kill(process: SandboxProcess) -> Ending | None:
    process.kill()
    ending = process.wait(timeout=_KILL_SECONDS)
    if ending is None:
        log.error("computation_survives_its_kill", pid=process.pid)
    return ending


def _failure(ending: Ending, kind: Kind, *, out_of_memory_kill: bool) -> PlatformError:
    """What the end of a computation means that was not asked to end."""
    if ending.disk_full:
        return ScratchFull()
    if ending.exit_code in {FAILED, SYSTEM_FAULT}:
        return InternalError("The computation failed in an unexpected way; the worker's log has the cause.")
    return ComputationCrashed(
        f"The computing process died before it was done: {_cause(ending, kind, out_of_memory_kill)}"
    )


def _cause(ending: Ending, kind: Kind, out_of_memory_kill: bool) -> str:
    """As much as can be known: who sent a signal is not among it."""
    smaller = f"{_SMALLER[kind]}, or give the worker's machine more memory."
    if ending.signal is None and ending.exit_code is None:
        return "the process that had started it died, too."
    if ending.crashed:
        return f"{ending}. {_OTHERWISE[kind]}"
    if ending.signal != signal.SIGKILL:
        return f"something outside of it ended it ({ending}), such as a limit of the system that the worker runs under."
    if out_of_memory_kill:
        return f"its machine ran out of memory and the system killed processes (signal 9). {smaller}"
    return f"something killed it (signal 9), and want of memory is the usual reason. {smaller}"
