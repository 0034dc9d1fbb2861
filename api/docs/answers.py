"""Samples of answers, as a real platform gave them: `answers.json` and `problems.json` are recorded, not written."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

from api.http.problems import problem, unexpected
from api.protocols.error_forms import ErrorForm
from shared.errors import (
    BodyTooLarge,
    DefaultSecrets,
    InvalidExpiry,
    LastAdmin,
    LoginTooOld,
    ModelBusy,
    NoAccounts,
    NotAllowed,
    NotAuthenticated,
    PlatformError,
    PredictionTooSlow,
    PredictorEnded,
    QueueFull,
    QuotaReached,
    RateLimited,
    ReaderBusy,
    ScopeBeyondRole,
    TableTooLarge,
    TooManyLogins,
    UnknownApiKey,
    UnknownLogin,
    UnknownUser,
    UploadOvertaken,
    UserChanged,
    UserExists,
    WeakPassword,
    WrongPassword,
)

# As it is in the recorded problems.
REQUEST_ID = "1b981bb4-8461-4521-906d-8c679ec14e75"

Samples = dict[str, Any]

# What makes jobs, and what makes files, of which there may be so many.
_MAKE_JOBS = ("train_model", "promote_model", "predict_batch", "retry_job", "reproduce_model")
_MAKE_FILES = ("upload_dataset", "reread_dataset")

# What comes of a race or under load only, by operation and status: shown with the sentence of its class.
_RARE: dict[str, list[PlatformError]] = {
    "upload_dataset 409": [UploadOvertaken()],
    "reread_dataset 409": [UploadOvertaken()],
    "preview_dataset 413": [TableTooLarge()],
    "profile_dataset 413": [TableTooLarge()],
    "profile_dataset 503": [ReaderBusy()],
    "compare_dataset_versions 413": [TableTooLarge()],
    "compare_dataset_versions 503": [ReaderBusy()],
    "log_in 413": [BodyTooLarge()],
    "log_in 429": [TooManyLogins()],
    "add_user 403": [NotAllowed(), LoginTooOld()],
    "change_user 403": [NotAllowed(), LoginTooOld()],
    "delete_user 403": [NotAllowed(), LoginTooOld()],
    "make_api_key 403": [LoginTooOld(), NotAllowed()],
    "end_login 403": [LoginTooOld()],
    "add_user 409": [UserExists(), NoAccounts(), DefaultSecrets()],
    "add_user 429": [TooManyLogins()],
    "change_user 404": [UnknownUser()],
    "change_user 409": [LastAdmin(), UserChanged()],
    "change_user 429": [TooManyLogins()],
    "change_password 409": [UserChanged()],
    "change_password 422": [WrongPassword(), WeakPassword()],
    "change_password 429": [TooManyLogins()],
    "end_login 404": [UnknownLogin()],
    "delete_user 404": [UnknownUser()],
    "delete_user 409": [LastAdmin()],
    "make_api_key 404": [UnknownUser()],
    "make_api_key 409": [NoAccounts()],
    "make_api_key 422": [ScopeBeyondRole(), InvalidExpiry()],
    "revoke_api_key 404": [UnknownApiKey()],
    **{
        f"{operation} 429": [RateLimited(retry_after=7), QuotaReached(), QueueFull(retry_after=7)]
        for operation in _MAKE_JOBS
    },
    **{f"{operation} 429": [RateLimited(retry_after=7), QuotaReached()] for operation in _MAKE_FILES},
    "predict 503": [ModelBusy(), PredictionTooSlow(), PredictorEnded()],
    "predict_typed 503": [ModelBusy(), PredictionTooSlow(), PredictorEnded()],
}
# What any operation answers that is not open to all; the platform of the recorded samples is, except for accounts.
_OF_ACCESS: dict[str, PlatformError] = {
    "401": NotAuthenticated(),
    "403": NotAllowed(),
    "429": RateLimited(retry_after=7),
}
_BINARY = "application/octet-stream"


def add_samples(operation: dict[str, Any], form: ErrorForm | None) -> None:
    """Put samples into each response of an operation that has a body; `form` is that of its errors."""
    name = operation["operationId"]
    for status, response in operation["responses"].items():
        if int(status) < 400:
            samples = _recorded("answers").get(f"{name} {status}")
        else:
            samples = _problems_of(name, status) if form is None else _errors_of(name, status, form)
        if samples and "content" in response:
            # Contents are shared between responses, so each gets one of its own.
            response["content"] = {
                # What is not JSON has samples of its own.
                kind: content if kind == _BINARY else {"examples": samples, **content}
                for kind, content in response["content"].items()
            }


def _problems_of(operation: str, status: str) -> Samples:
    """The samples of an operation's problems with a status, by their codes; the likeliest first."""
    recorded, key = _recorded("problems"), f"{operation} {status}"
    if status == "500":
        return _sample(unexpected(Exception(), REQUEST_ID).body)
    samples = dict(recorded.get(key, {}))
    for error in _RARE.get(key, []):
        samples |= _sample(problem(error, REQUEST_ID).body)
    if status in _OF_ACCESS and not samples:
        return _sample(problem(_OF_ACCESS[status], REQUEST_ID).body)
    if not samples or (status == "503" and "not_ready" not in samples):
        samples = {**samples, **recorded.get(f"any {status}", {})}
    return samples


def _errors_of(operation: str, status: str, form: ErrorForm) -> Samples:
    """The same where errors have another form, in which those of the operation are recorded."""
    recorded = _recorded("problems")
    if samples := recorded.get(f"{operation} {status}"):
        return samples
    anywhere = [sample["value"] for key, each in recorded.items() if key.startswith("any ") for sample in each.values()]
    others = (unexpected(Exception(), REQUEST_ID), *(problem(error, REQUEST_ID) for error in _OF_ACCESS.values()))
    anywhere += [json.loads(bytes(each.body)) for each in others]
    return {
        value["code"]: {"summary": value["title"], "value": form.body_of(value)}
        for value in anywhere
        if form.status_of(value) == int(status)
    }


def _sample(body: bytes | memoryview) -> Samples:
    value = json.loads(bytes(body))
    return {value["code"]: {"summary": value["title"], "value": value}}


@cache
def _recorded(kind: str) -> dict[str, Samples]:
    """The samples by operation and status."""
    recorded: dict[str, Samples] = json.loads((files("api.docs") / f"{kind}.json").read_text(encoding="utf-8"))
    return recorded
