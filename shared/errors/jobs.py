"""Errors of jobs."""

from shared.errors.tree import Conflict, Gone, Permanent, PlatformError, Unavailable, Unknown


class UnknownJob(Unknown):
    """There is no job of that id."""

    hint = "Look at `GET /jobs`. An id may be shortened to its first eight characters, not to fewer."


class AmbiguousJob(Conflict):
    """Several jobs have ids that begin like this."""

    hint = "Give more characters of the id; `available` lists the ids that begin so."


class JobEnded(Conflict):
    """The job has ended; what it did stays."""

    hint = "Look at its result with `GET /jobs/{id}`; `POST /jobs/{id}/retry` runs it as a new job."


class JobErased(Conflict):
    """The request of the job was erased with the data that it was about, so it cannot run again."""

    hint = "Send a new request; upload the data again first, if it is gone."


class JobNotEnded(Conflict):
    """The job is queued or running."""

    hint = "Wait for its end with `GET /jobs/{id}?wait=60`, or cancel it first."


class NoOutput(Unknown):
    """The job has no file as its output: it is of another kind, or it ended without success."""

    hint = "Look at `GET /jobs` for a predict job that succeeded."


class OutputNotReady(Conflict):
    """The job has not ended, so that its output is not there yet."""

    hint = "Wait for its end with `GET /jobs/{id}?wait=60`."


class OutputRemoved(Gone):
    """The output was removed: because of its age, or because the data that it was made of was erased."""

    hint = "Send the request again, with POST /predict/batch."


class OutputUnavailable(Unavailable):
    """The stored file of the output is missing, or is not the one that the job made."""

    hint = "Bring the file back from a backup of the bucket, or run the job again with `POST /jobs/{id}/retry`."


class DatasetDeleted(Permanent):
    """The dataset of the job was deleted before the job could finish."""

    hint = "Upload the dataset again, then send the request again."


class UnreadableRequest(Permanent):
    """The stored request of the job does not fit this version of the platform."""

    hint = "Send the request again, in the form that /docs shows."


class FitFailed(Permanent):
    """The estimator refused the data or the parameters while it was fitted."""

    hint = "The error of the job says what the estimator said; change the parameter or the columns that it names."


class SearchTooShort(Permanent):
    """The time of a search for parameters was over before one trial was done."""

    hint = "Allow more with `search.time_limit`, or make a trial faster: fewer `split.folds`, fewer rows, `halving`."


class OutOfMemory(Permanent):
    """The job needed more memory than it may use."""

    hint = "Use fewer rows or a smaller model, or allow more with `limits.memory_mb` or MLMINI_JOB_MEMORY_MB."


class TimeLimitExceeded(Permanent):
    """The job took longer than it may."""

    hint = "Train on fewer rows or choose a smaller model, or allow more with `limits.seconds` or MLMINI_JOB_SECONDS."


class ComputationCrashed(Permanent):
    """The computing process of the job died, most often for want of memory."""

    hint = "Use fewer rows or a smaller model; the log of the worker has what the system said."


class Cancelled(Permanent):
    """The job was cancelled on request and made nothing."""

    hint = "`POST /jobs/{id}/retry` runs it as a new job."


class WorkerLost(Unavailable):
    """The worker that ran the job stopped without a word, and the job was taken away from it."""

    hint = "The job is tried again by itself. If workers are lost often, look at the memory of their machine."


class WorkerNotReady(Unavailable):
    """The worker cannot start computing processes at present."""

    hint = "The job is tried again by itself; the log of the worker says what keeps it from starting them."


class DaskUnreachable(Unavailable):
    """The Dask cluster of MLMINI_DASK_SCHEDULER does not answer, has no workers, or went away during a fit."""

    hint = "The job is tried again by itself. Start the scheduler and its workers; `mlmini doctor` looks for them."


class DaskWorkersDiffer(Permanent):
    """The Dask cluster computes with other releases than the platform, or does not have the platform installed."""

    hint = (
        "Run scheduler and workers of the cluster from the same image as the workers of the platform, then try again."
    )


class ScratchFull(Unavailable):
    """The disk of MLMINI_HOME, where files are put for a while, is full."""

    hint = "Make room on it, then try again."


class ScratchUnavailable(Unavailable):
    """The folder of MLMINI_HOME where files are put for a while cannot be used."""

    hint = "Give the platform a folder that it can write, then try again."


class InternalError(PlatformError):
    """Something happened that the platform does not expect."""

    hint = "Send it again. If it fails again, look for its request id in the log of the API, and report what is there."
