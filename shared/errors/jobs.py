"""Errors of jobs."""

from shared.errors.tree import Conflict, Permanent, PlatformError, Unknown


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


class InternalError(PlatformError):
    """Something unexpected happened; the log has it under the request id."""
