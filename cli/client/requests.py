"""Everything that the command line asks of the API."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from cli.client.request import READ_SECONDS, Call

# The API reads the whole table before it answers.
_UPLOAD_SECONDS = 1800
# So is every row of a table before the first is predicted.
_PREDICT_SECONDS = 1800
_DRY_RUN = {"dry_run": "true"}


def upload(
    file: Path,
    *,
    name: str | None,
    description: str | None,
    team: str | None = None,
    reading: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> Call:
    """Add a table to the catalog; `reading` has the fields that say how it is read."""
    given = {"name": name, "description": description, "team": team, **(reading or {})}
    return Call(
        "POST",
        "/datasets/upload",
        query=_DRY_RUN if dry_run else {},
        file=file,
        fields={field: value for field, value in given.items() if value is not None},
        # The same bytes make no second version, but a large file should not be sent twice unasked.
        repeatable=False,
        read_seconds=_UPLOAD_SECONDS,
    )


def reread(name: str, reading: Mapping[str, Any], *, version: int | None, dry_run: bool) -> Call:
    """Read the file of a version in another way."""
    body = {**reading, **({} if version is None else {"version": version})}
    query = _DRY_RUN if dry_run else {}
    return Call("POST", f"{_dataset(name)}/reread", query=query, body=body, read_seconds=_UPLOAD_SECONDS)


def dataset(name: str) -> Call:
    """One dataset."""
    return Call("GET", _dataset(name))


def dataset_preview(name: str, *, rows: int, version: int | None) -> Call:
    """The first rows of a dataset."""
    query = {"rows": rows, **({} if version is None else {"version": version})}
    return Call("GET", f"{_dataset(name)}/preview", query=query)


def dataset_diff(name: str, *, before: int | None, after: int | None) -> Call:
    """What has changed between two versions of a dataset; both files are read for it."""
    query = {side: number for side, number in (("from", before), ("to", after)) if number is not None}
    return Call("GET", f"{_dataset(name)}/diff", query=query, read_seconds=_UPLOAD_SECONDS)


def dataset_versions(name: str) -> str:
    """The path of the list of a dataset's versions."""
    return f"{_dataset(name)}/versions"


def delete_dataset(name: str, *, archive: bool, erase: bool) -> Call:
    """Delete a dataset, hide it, or erase it for good."""
    query = {option: "true" for option, wanted in (("archive", archive), ("erase", erase)) if wanted}
    # A second call would be refused, because there is no such dataset any more.
    return Call("DELETE", _dataset(name), query=query, repeatable=False)


def estimator(module: str, class_name: str) -> Call:
    """One estimator."""
    return Call("GET", f"/estimators/{quote(module, safe='')}/{quote(class_name, safe='')}")


def train(request: Mapping[str, Any], *, key: str | None = None, dry_run: bool = False) -> Call:
    """Ask for a training; the key makes it safe to send again."""
    if dry_run:
        return Call("POST", "/train", query=_DRY_RUN, body=request)
    return Call("POST", "/train", headers=_key(key), body=request)


def promote(
    *,
    dataset_name: str,
    version: int,
    target_stage: str,
    replace_target: bool = False,
    priority: int | None = None,
    key: str | None = None,
) -> Call:
    """Ask for a promotion; the key makes it safe to send again."""
    body: dict[str, Any] = {"dataset_name": dataset_name, "version": version, "target_stage": target_stage}
    if replace_target:
        body["replace_target"] = True
    if priority is not None:
        body["priority"] = priority
    return Call("POST", "/promote", headers=_key(key), body=body)


def retire(version: int, *, stage: str, reason: str | None, replace_target: bool = False) -> Call:
    """Stop a version from serving in a stage."""
    body: dict[str, Any] = {"stage": stage}
    if reason is not None:
        body["reason"] = reason
    if replace_target:
        body["replace_target"] = True
    # A second call would be refused, because the version is no longer active there.
    return Call("POST", f"/models/{version}/retire", body=body, repeatable=False)


def job(job_id: str, *, wait: float = 0) -> Call:
    """One job, at its end or after so many seconds."""
    return Call("GET", _job(job_id), query={"wait": wait} if wait else {}, read_seconds=wait + READ_SECONDS)


def cancel(job_id: str) -> Call:
    """Cancel a job."""
    return Call("POST", f"{_job(job_id)}/cancel", repeatable=False)


def retry(job_id: str, *, key: str | None = None) -> Call:
    """Ask for a new job with the request of one that has ended; the key makes it safe to send again."""
    return Call("POST", f"{_job(job_id)}/retry", headers=_key(key))


def logs(job_id: str) -> Call:
    """What a job has written."""
    return Call("GET", f"{_job(job_id)}/logs")


def events(job_id: str) -> Call:
    """What happens to a job, while it happens."""
    return Call("GET", f"{_job(job_id)}/events")


def version(*, read_seconds: float = READ_SECONDS) -> Call:
    """What runs there."""
    return Call("GET", "/version", read_seconds=read_seconds)


def readiness(*, read_seconds: float) -> Call:
    """The state of each part that the API depends on."""
    return Call("GET", "/readyz", read_seconds=read_seconds)


def model(version: int) -> Call:
    """One model."""
    return Call("GET", f"/models/{version}")


def report(version: int) -> Call:
    """What one model is worth."""
    return Call("GET", f"/models/{version}/report")


def card(version: int) -> Call:
    """The card of one model."""
    return Call("GET", f"/models/{version}/card")


def reproduce(version: int, *, key: str | None = None) -> Call:
    """Ask for a model to be trained once more and compared; the key makes it safe to send again."""
    return Call("POST", f"/models/{version}/reproduce", headers=_key(key))


def annotate(version: int, change: Mapping[str, Any]) -> Call:
    """Put tags and a note on a model."""
    return Call("PATCH", f"/models/{version}", body=change)


def erase_model(version: int) -> Call:
    """Erase a model for good."""
    # A second call would be refused, because it is erased.
    return Call("DELETE", f"/models/{version}", repeatable=False)


def compare(versions: Sequence[int]) -> Call:
    """Models side by side."""
    return Call("GET", "/models/compare", query={"versions": ",".join(map(str, versions))})


def listing(path: str, **filters: str | None) -> Call:
    """A list, from its beginning."""
    return Call("GET", path, query={name: value for name, value in filters.items() if value is not None})


def predict(*, dataset_name: str, environment: str, input_data: Mapping[str, Any], probabilities: bool = False) -> Call:
    """Predict for some rows."""
    body: dict[str, Any] = {"dataset_name": dataset_name, "environment": environment}
    if probabilities:
        body["return"] = ["label", "probability"]
    return Call("POST", "/predict", body={**body, "input_data": input_data}, read_seconds=_PREDICT_SECONDS)


def predict_table(
    *,
    dataset_name: str,
    environment: str,
    version: int | None,
    target: str | None,
    probabilities: bool,
    intervals: bool,
    column: str,
) -> Call:
    """Predict for the rows of a CSV file, which is sent as it is."""
    query: dict[str, str | int] = {"dataset_name": dataset_name, "environment": environment, "column": column}
    if version is not None:
        query["version"] = version
    if target is not None:
        query["target"] = target
    if probabilities:
        query["proba"] = "true"
    if intervals:
        query["interval"] = "true"
    headers = {"Content-Type": "text/csv"}
    return Call("POST", "/predict", query=query, headers=headers, read_seconds=_PREDICT_SECONDS)


def predict_batch(request: Mapping[str, Any], *, key: str | None = None) -> Call:
    """Ask for a batch prediction; the key makes it safe to send again."""
    return Call("POST", "/predict/batch", headers=_key(key), body=request)


def output(job_id: str) -> Call:
    """The file that a batch prediction made."""
    return Call("GET", f"{_job(job_id)}/output", read_seconds=_PREDICT_SECONDS)


def _dataset(name: str) -> str:
    return f"/datasets/{quote(name, safe='')}"


def _job(job_id: str) -> str:
    return f"/jobs/{quote(job_id, safe='')}"


def _key(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid4())}
