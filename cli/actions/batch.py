"""Batch predictions: a job on the platform, waited for, and its output as a file here."""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

from cli.actions.predicting import Question, predict_table
from cli.actions.session import connected
from cli.actions.waiting import Job, check_success, tell_warnings, wait_for
from cli.actions.written_file import STANDARD, opened_bytes
from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.errors import CommandFailed, WrongUsage
from cli.client.hints import in_verbs
from cli.client.streamed import streamed_bytes
from cli.render import jobs as job_tables
from cli.render.output import Output

DEFAULT_COLUMN = "prediction"


@dataclass(frozen=True)
class BatchChoices:
    """What only a batch prediction is asked with; what is not given is left to the API."""

    keep: Sequence[str] | None
    format: str | None
    input_version: int | None
    neutralise_formulas: bool
    job: Mapping[str, Any]
    limits: dict[str, float | None]
    detach: bool
    key: str | None

    def of_batch(self, batch: bool) -> Self | None:
        """These choices with --batch, and nothing without; what was given without it is refused.

        Raises:
            WrongUsage: naming the option.
        """
        if batch:
            return self
        given = {
            "--keep": self.keep,
            "--format": self.format,
            "--input-version": self.input_version,
            "--neutralise-formulas": self.neutralise_formulas or None,
            "--priority": self.job["priority"],
            "--pool": self.job["pool"],
            "--time-limit": self.limits["seconds"],
            "--memory-limit": self.limits["memory_mb"],
            "--cpus": self.limits["cpus"],
            "--detach": self.detach or None,
            "--idempotency-key": self.key,
        }
        for option, value in given.items():
            if value is not None and value != []:
                raise WrongUsage(f"{option} is for --batch only.")
        return None

    def request(self, question: Question, source: str) -> dict[str, Any]:
        """The body of the request."""
        chosen: dict[str, Any] = {
            "dataset_name": question.dataset_name,
            "environment": question.environment,
            "version": question.version,
            "target": question.target,
            "input": _given({"dataset_name": source, "dataset_version": self.input_version}),
            "keep": list(self.keep) if self.keep else None,
            "format": self.format,
            "return": ["label", *wanted] if (wanted := _wanted(question)) else None,
            "neutralise_formulas": self.neutralise_formulas or None,
            "priority": self.job["priority"],
            "pool": self.job["pool"],
            "limits": _given(self.limits) or None,
        }
        return _given(chosen)


def ask(
    url: str | None, question: Question, choices: BatchChoices | None, *, source: str, target: str, as_json: bool
) -> None:
    """Predict for the rows of a file, or with choices for those of a dataset by a job.

    Raises:
        CommandFailed, WrongUsage: as both do.
    """
    with connected(url, as_json=as_json) as (client, output):
        if choices is None:
            predict_table(client, output, question, source=source, target=target)
        else:
            if question.column != DEFAULT_COLUMN:
                raise WrongUsage("--column is not for --batch: the output has a column 'prediction'.")
            request = choices.request(question, source)
            predict_batch(client, output, request, key=choices.key, detach=choices.detach, target=target)


def predict_batch(
    client: Client, output: Output, request: dict[str, Any], *, key: str | None, detach: bool, target: str
) -> None:
    """Have the job accepted, wait for it, and write its output; with `detach`, only the first.

    Raises:
        CommandFailed: when the job does not succeed, or its output cannot be fetched or written.
        WrongUsage: when a file that is no text would go to a terminal.
    """
    if target == STANDARD and request.get("format") == "parquet" and sys.stdout.isatty():
        raise WrongUsage("Parquet is no text. Name a file with --output.")
    job: Job = client.get(calls.predict_batch(request, key=key))
    if detach:
        output.give(job, job_tables.accepted)
        return
    tell_warnings(output, job)
    (job,) = wait_for(client, output, [job], [job_tables.title(job)])
    if output.as_json:
        output.write(job)
    check_success(job)
    # Standard output holds one thing, and with --json that is the job.
    if not (output.as_json and target == STANDARD):
        with opened_bytes(target) as file:
            _fetch(client, job["job_id"], file)
    if not output.as_json:
        _tell(output, job, target)


def _fetch(client: Client, job_id: str, file: BinaryIO) -> None:
    """Write the output while it comes; what comes is held against its digest."""
    digest, call = hashlib.sha256(), calls.output(job_id)
    with streamed_bytes(client, call) as answer:
        for piece in answer.pieces:
            digest.update(piece)
            file.write(piece)
    if answer.headers.get("ETag", "").strip('"') != digest.hexdigest():
        raise CommandFailed(f"What came is not the output of the job. Fetch it again: GET {call.path}.")


def _tell(output: Output, job: Job, target: str) -> None:
    result = job["result"]
    for warning in result.get("warnings", []):
        output.tell(f"Warning: {in_verbs(warning)}")
    errors = f", {result['errors']:,} of them with an error" if result["errors"] else ""
    where = "" if target == STANDARD else f", written to {target}"
    output.tell(f"{result['rows']:,} rows predicted by version {result['version']}{errors}{where}.")


def _wanted(question: Question) -> list[str]:
    """The words for what is wanted beside the label."""
    wanted = {"probability": question.probabilities, "interval": question.intervals}
    return [word for word, asked in wanted.items() if asked]


def _given(choices: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in choices.items() if value is not None}
