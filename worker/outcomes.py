"""What the end of an attempt means: the one table from errors to the steps of the job protocol."""

from enum import Enum, auto

from shared.errors import (
    Conflict,
    InternalError,
    Invalid,
    Permanent,
    PlatformError,
    TooLarge,
    Unavailable,
    Unknown,
    WrongMediaType,
    WrongSettings,
)
from shared.jobs.lifecycle import Fenced
from shared.jobs.retries import Failure
from shared.sandbox import SandboxFailed
from worker.compute import ComputationCrashed
from worker.heartbeat import CancelRequested
from worker.runtime import Stopping


class Verdict(Enum):
    """What to do with the job."""

    FAIL = auto()
    RETRY = auto()
    CRASH = auto()
    HAND_BACK = auto()
    CONFIRM_CANCEL = auto()


VERDICTS: dict[type[Exception], Verdict] = {
    # A commit is also refused because a cancel was requested. Then the job is still this attempt's to end;
    # when it is not, confirming writes nothing.
    Fenced: Verdict.CONFIRM_CANCEL,
    CancelRequested: Verdict.CONFIRM_CANCEL,
    Stopping: Verdict.HAND_BACK,
    ComputationCrashed: Verdict.CRASH,
    SandboxFailed: Verdict.RETRY,
    Unavailable: Verdict.RETRY,
    Permanent: Verdict.FAIL,
    Invalid: Verdict.FAIL,
    Unknown: Verdict.FAIL,
    Conflict: Verdict.FAIL,
    TooLarge: Verdict.FAIL,
    WrongMediaType: Verdict.FAIL,
    WrongSettings: Verdict.FAIL,
    InternalError: Verdict.FAIL,
}


def verdict_of(error: Exception) -> Verdict:
    """The verdict on an error by its closest known class; what is not known will not mend itself."""
    for kind in type(error).__mro__:
        if kind in VERDICTS:
            return VERDICTS[kind]
    return Verdict.FAIL


def failure_of(error: Exception) -> Failure:
    """The error as the client sees it; the unexpected gives nothing away."""
    if isinstance(error, PlatformError):
        return Failure(error.code, error.detail)
    if isinstance(error, ComputationCrashed):
        return Failure("computation_crashed", f"The computing process died ({error}) before it was done.")
    if isinstance(error, SandboxFailed):
        return Failure("worker_not_ready", "The worker cannot start computing processes; its log has the cause.")
    return Failure(InternalError.code, "Something unexpected happened; the worker's log has it under the job id.")
