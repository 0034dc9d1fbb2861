"""What the end of an attempt means: the one table from errors to the steps of the job protocol."""

from enum import Enum, auto

from shared.errors import (
    ComputationCrashed,
    Conflict,
    DatabaseDamaged,
    InternalError,
    Invalid,
    LoginTooOld,
    NotAllowed,
    NotAuthenticated,
    Permanent,
    PlatformError,
    ScratchFull,
    TooLarge,
    TooMany,
    Unavailable,
    Unknown,
    WorkerNotReady,
    WrongMediaType,
    WrongSettings,
)
from shared.home import NO_ROOM
from shared.jobs.claims import Fenced
from shared.jobs.endings import Failure
from shared.jobs.states import State
from shared.sandbox import LimitTooLow, SandboxFailed
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
    # A commit is refused when a cancel was requested, or when the attempt has lost the job. In the second case
    # confirming the cancel writes nothing.
    Fenced: Verdict.CONFIRM_CANCEL,
    CancelRequested: Verdict.CONFIRM_CANCEL,
    Stopping: Verdict.HAND_BACK,
    # Neither the job nor more tries can change this. The job waits until somebody repairs the database.
    DatabaseDamaged: Verdict.HAND_BACK,
    ComputationCrashed: Verdict.CRASH,
    Unavailable: Verdict.RETRY,
    Permanent: Verdict.FAIL,
    Invalid: Verdict.FAIL,
    Unknown: Verdict.FAIL,
    Conflict: Verdict.FAIL,
    TooLarge: Verdict.FAIL,
    WrongMediaType: Verdict.FAIL,
    WrongSettings: Verdict.FAIL,
    NotAuthenticated: Verdict.FAIL,
    NotAllowed: Verdict.FAIL,
    LoginTooOld: Verdict.FAIL,
    TooMany: Verdict.FAIL,
    InternalError: Verdict.FAIL,
}


def verdict_of(error: Exception) -> Verdict:
    """The verdict on an error by its closest known class; for what is not known another try does not help."""
    for kind in type(_named(error)).__mro__:
        if kind in VERDICTS:
            return VERDICTS[kind]
    return Verdict.FAIL


def failure_of(error: Exception) -> Failure:
    """The error as the client sees it; the unexpected gives nothing away."""
    named = _named(error)
    if isinstance(named, PlatformError):
        return Failure(named.code, named.detail)
    return Failure(InternalError.code, "Something unexpected happened; the worker's log has it under the job id.")


def _named(error: Exception) -> Exception:
    """The error of the platform for what the system says in its own words, else the error itself."""
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return ScratchFull()
    if isinstance(error, LimitTooLow):
        return WorkerNotReady(str(error))
    if isinstance(error, SandboxFailed):
        return WorkerNotReady("The worker cannot start computing processes; its log has the cause.")
    return error


def told_of_end(state: State, verdict: Verdict, failure: Failure, *, delay_seconds: float) -> str:
    """The last line in the log of an attempt that ended without its effect, and left the job in `state`."""
    match state:
        case State.CANCELLED:
            return "cancelled"
        case State.QUARANTINED:
            return f"not tried again after this crash: {failure.message}"
        case State.FAILED:
            return f"failed: {failure.message}"
    if verdict is Verdict.CRASH or failure.code == DatabaseDamaged.code:
        return f"the job goes back to the queue: {failure.message}"
    if verdict is Verdict.HAND_BACK:
        return "the worker is asked to stop, the job goes back to the queue"
    return f"retry in {delay_seconds:.1f} s: {failure.message}"


def told_of_rescue(state: State) -> str:
    """The line in the log of a job that was taken away from a silent worker, and is in `state` now."""
    match state:
        case State.CANCELLED:
            after = "the job is cancelled, as was asked"
        case State.QUARANTINED:
            after = "the job is not tried again"
        case _:
            after = "the job goes back to the queue"
    return f"the worker stopped without a word, {after}"
