"""Problems of training and of jobs."""

from api.docs.refusals.common import DATASET, JOB, JOB_ID, JSON_BODY, KEY_REUSED, PAGE, VERSION, at, query
from shared.errors import (
    EstimatorNotListed,
    ExampleNameTaken,
    InvalidParameter,
    InvalidRequest,
    JobEnded,
    JobNotEnded,
    PlatformError,
    TaskMismatch,
    UnknownColumn,
    UnknownEstimator,
    UnknownExample,
    UnknownParameter,
)

REFUSALS: dict[str, list[PlatformError]] = {
    "train_model": [
        DATASET,
        VERSION,
        UnknownExample(
            "There is no example 'iriss'. Did you mean 'iris'? The examples are: breast_cancer, diabetes, iris, wine."
        ),
        ExampleNameTaken(
            "The dataset 'iris' holds other data than the bundled example of that name. Train on it without "
            "'use_example', or delete it first with DELETE /datasets/iris."
        ),
        at(
            UnknownColumn,
            "Target column 'targets' is not in dataset 'iris'. Did you mean 'target'?",
            "body",
            "target_column",
        ),
        at(
            UnknownEstimator,
            "There is no estimator 'ensemble.RandomForestClassifer'. Did you mean 'ensemble.RandomForestClassifier'?",
            "body",
            "model",
        ),
        at(
            UnknownParameter,
            "ensemble.RandomForestClassifier has no parameter 'n_estimator'. Did you mean 'n_estimators'?",
            *("body", "model", "params", "n_estimator"),
        ),
        at(
            InvalidParameter,
            "'n_estimators' of ensemble.RandomForestClassifier must be a whole number of at least 1 and at most 10000, "
            'not "many". The default is 100.',
            *("body", "model", "params", "n_estimators"),
        ),
        at(
            TaskMismatch,
            "ensemble.RandomForestRegressor predicts numbers, but target column 'target' is of the kind category. Use "
            "a classifier such as 'ensemble.RandomForestClassifier'.",
            *("body", "target_column"),
        ),
        KEY_REUSED,
        *JSON_BODY,
    ],
    "list_estimators": [query("task", "It must be 'classification' or 'regression', not 'clustering'."), *PAGE],
    "get_estimator": [
        EstimatorNotListed(
            "There is no estimator 'ensemble.RandomForestClassifer'. Did you mean 'ensemble.RandomForestClassifier'?"
        )
    ],
    "get_job": [JOB, query("wait", "It must be less than or equal to 60, not '100'.")],
    "follow_job": [
        JOB,
        at(
            InvalidRequest,
            "The header Last-Event-ID is not the id of an event of this job. Send the id of the last event that came, "
            "or leave the header out to get all events.",
            *("header", "Last-Event-ID"),
        ),
    ],
    "read_job_log": [JOB],
    "list_jobs": [
        query(
            "status",
            "It must be 'queued', 'running', 'succeeded', 'failed', 'cancelled' or 'quarantined', not 'done'.",
        ),
        *PAGE,
    ],
    "cancel_job": [JOB, JobEnded("The job has ended as 'succeeded' and cannot be cancelled any more.")],
    "retry_job": [
        JOB,
        JobNotEnded(f"The job is running. Wait for its end, or cancel it with POST /jobs/{JOB_ID}/cancel."),
        KEY_REUSED,
    ],
}
