"""Errors of jobs."""

from shared.errors.tree import Conflict, Permanent, PlatformError, Unavailable, Unknown


class UnknownJob(Unknown):
    """No job has that id."""


class JobEnded(Conflict):
    """The job has ended; what it did stays."""


class JobNotEnded(Conflict):
    """The job is queued or running; wait for its end or cancel it first."""


class DatasetDeleted(Permanent):
    """The dataset of the job was deleted before the job could finish."""


class UnreadableRequest(Permanent):
    """The stored request of the job no longer fits this version of the platform."""


class FitFailed(Permanent):
    """The estimator refused the data or the parameters."""


class OutOfMemory(Permanent):
    """The job needed more memory than it may use."""


class TimeLimitExceeded(Permanent):
    """The job took longer than it may."""


class ComputationCrashed(Permanent):
    """The computing process of the job died, most often for want of memory; use fewer rows or a smaller model."""


class Cancelled(Permanent):
    """The job was cancelled on request and made nothing; POST /jobs/{id}/retry runs it as a new job."""


class WorkerLost(Unavailable):
    """The worker that ran the job stopped without a word, and the job was taken away from it."""


class WorkerNotReady(Unavailable):
    """The worker cannot start computing processes at present; the job is tried again."""


class ScratchFull(Unavailable):
    """The disk of MLMINI_HOME, where files are put for a while, is full: make room on it, then try again."""


class ScratchUnavailable(Unavailable):
    """The folder of MLMINI_HOME where files are put for a while cannot be used: mend it, then try again."""


class InternalError(PlatformError):
    """Something unexpected happened; the log has it under the request id."""
