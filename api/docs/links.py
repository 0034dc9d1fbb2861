"""Where to go from an answer: each link names the next operation and where its parameters are in this answer."""

from typing import Any

_JOB = {"job_id": "$response.body#/job_id"}
_DATASET = {"name": "$response.body#/name"}
_MODEL = {"version": "$response.body#/version"}
_MADE = {"version": "$response.body#/result/version"}


def _link(operation: str, description: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
    return {"operationId": operation, "description": description} | ({"parameters": parameters} if parameters else {})


_FROM_JOB = {
    "get_job": _link("get_job", "What has become of the job; `wait` answers when it ends.", _JOB),
    "cancel_job": _link("cancel_job", "Stop it, as long as it has not ended.", _JOB),
}
_FROM_DATASET = {
    "get_dataset": _link("get_dataset", "The dataset as it is later.", _DATASET),
    "preview_dataset": _link("preview_dataset", "Its first rows.", _DATASET),
    "profile_dataset": _link("profile_dataset", "What is in each column; a page in a browser.", _DATASET),
    "reread_dataset": _link("reread_dataset", "The same bytes, read in another way.", _DATASET),
    "train_model": _link("train_model", "Train on it: `name` is the `dataset_name` of the request."),
}
_FROM_VERSION = _FROM_DATASET | {
    "compare_dataset_versions": _link(
        "compare_dataset_versions", "What has changed since the version before; a page in a browser.", _DATASET
    )
}

# By operation and status.
_LINKS: dict[tuple[str, str], dict[str, Any]] = {
    ("upload_dataset", "201"): _FROM_DATASET,
    ("upload_dataset", "200"): _FROM_DATASET,
    ("get_dataset", "200"): _FROM_VERSION,
    ("reread_dataset", "201"): _FROM_VERSION,
    ("train_model", "202"): _FROM_JOB,
    ("promote_model", "202"): _FROM_JOB,
    ("retry_job", "202"): _FROM_JOB,
    ("predict_batch", "202"): _FROM_JOB,
    ("reproduce_model", "202"): _FROM_JOB,
    ("cancel_job", "202"): {"get_job": _FROM_JOB["get_job"]},
    ("get_job", "200"): {
        "get_model": _link("get_model", "The model that it made or promoted, once it has succeeded.", _MADE),
        "report_model": _link("report_model", "What that model is worth.", _MADE),
        "promote_model": _link(
            "promote_model",
            "Bring that model to the next stage: `dataset_name` is that of the job, `version` that of its result.",
        ),
        "retry_job": _link("retry_job", "The same again, once it has ended.", _JOB),
        "download_output": _link("download_output", "The output of a batch prediction.", _JOB),
    },
    ("get_model", "200"): {
        "report_model": _link("report_model", "What it is worth, with pictures in a browser.", _MODEL),
        "show_model_card": _link("show_model_card", "What it is and what it is not, to be passed on.", _MODEL),
        "download_artifact": _link("download_artifact", "Its file.", _MODEL),
        "reproduce_model": _link("reproduce_model", "Train it once more, to see whether that gives the same.", _MODEL),
        "retire_model": _link("retire_model", "Let it no longer serve in a stage.", _MODEL),
    },
}


def add_links(operation: dict[str, Any]) -> None:
    """Put the links of an operation into its responses."""
    for status, response in operation["responses"].items():
        links = _LINKS.get((operation["operationId"], status))
        if links is not None:
            response["links"] = links
