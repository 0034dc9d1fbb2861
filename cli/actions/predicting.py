"""Predictions for a whole table: its bytes go to the API as they are, and what comes back is written."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from cli.actions.written_file import STANDARD, copy_text, is_written_to, opened
from cli.client import requests as calls
from cli.client.connection import MOST_ATTEMPTS, Client, pause_after
from cli.client.errors import CommandFailed, Refused, WrongUsage
from cli.client.hints import in_verbs
from cli.client.streamed import StreamedText, streamed_text
from cli.render.output import Output
from cli.render.progress import watching_bytes
from cli.render.text import json_text

_CHUNK_BYTES = 2**18
_MOST_PROBLEMS = 10


@dataclass(frozen=True)
class Question:
    """What is asked for all rows of a table."""

    dataset_name: str
    environment: str
    version: int | None
    target: str | None
    probabilities: bool
    intervals: bool = False
    column: str = "prediction"


def predict_table(client: Client, output: Output, question: Question, *, source: str, target: str) -> None:
    """Predict for each row of a CSV file and write the rows with their predictions; `-` is a standard stream.

    Raises:
        CommandFailed: when a file cannot be read or written, or the answer breaks off.
        WrongUsage: when both are the same file.
        Refused, Unreachable: as `streamed_text`.
    """
    name = "standard input" if source == STANDARD else Path(source).name
    with ExitStack() as stack:
        try:
            file = sys.stdin.buffer if source == STANDARD else stack.enter_context(Path(source).open("rb"))
            total = 0 if source == STANDARD else Path(source).stat().st_size
        except OSError as error:
            raise CommandFailed(f"{source} cannot be read: {error.strerror}.") from None
        if is_written_to(file, target):
            raise WrongUsage(f"{name} would be read and written at the same time. Name another file with --output.")
        writer = stack.enter_context(opened(target))
        meter = stack.enter_context(watching_bytes(output, f"Predicting {name}", total))
        # A stream has no length that it could be counted against, nor a beginning to go back to.
        counted = file if source == STANDARD else meter.reading(file)
        try:
            answer = _asked(client, output, question, counted, stack, repeats=source != STANDARD)
        except Refused as refused:
            raise _placed(refused, name) from None
        if not output.as_json:
            for warning in json.loads(answer.headers.get("X-Warnings", "[]")):
                output.tell(f"Warning: {in_verbs(warning)}")
        _write(answer, writer, as_json=output.as_json)
    if target != STANDARD:
        rows, version = int(answer.headers["X-Row-Count"]), answer.headers["X-Model-Version"]
        output.tell(f"{rows:,} rows predicted by version {version} and written to {target}.")


def _asked(
    client: Client, output: Output, question: Question, file: BinaryIO, stack: ExitStack, *, repeats: bool
) -> StreamedText:
    """The answer, to be read while it comes; asked for again where the file can be read again, and that may help."""
    call = calls.predict_table(
        dataset_name=question.dataset_name,
        environment=question.environment,
        version=question.version,
        target=question.target,
        probabilities=question.probabilities,
        intervals=question.intervals,
        column=question.column,
    )
    accept = "application/json" if output.as_json else "text/csv"
    for attempt in count(1):
        try:
            return stack.enter_context(streamed_text(client, call, accept=accept, content=_chunks(file)))
        except CommandFailed as failure:
            if not (repeats and failure.passes) or attempt == MOST_ATTEMPTS:
                raise
            pause = pause_after(failure, attempt)
            output.tell(f"The API is not ready; trying again in {pause:g} s ...")
            time.sleep(pause)
            file.seek(0)
    raise AssertionError("unreachable: count() never ends")


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    try:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
    except OSError as error:
        raise CommandFailed(f"The table cannot be read: {error.strerror}.") from None


def _write(answer: StreamedText, writer: TextIO, *, as_json: bool) -> None:
    if as_json:
        document = json.loads("".join(answer.pieces))
        writer.write(json_text(document, indent=2 if writer.isatty() else None) + "\n")
    else:
        copy_text(answer.pieces, writer)


def _placed(refused: Refused, name: str) -> Refused:
    """The same with a line for each wrong place in the file, if it is about such."""
    problems = refused.problem.get("errors", [])
    if not problems or not all(_is_line(problem) for problem in problems):
        return refused
    total = refused.problem.get("problem_count", len(problems))
    shown = [f"  {problem['msg']}" for problem in problems[:_MOST_PROBLEMS]]
    if total > len(shown):
        shown.append(f"  and {total - len(shown):,} more")
    if request := refused.problem.get("request_id"):
        shown.append(f"  (request {request})")
    return Refused(refused.problem, "\n".join([f"{name} has rows that the model cannot take:", *shown]))


def _is_line(problem: dict[str, Any]) -> bool:
    return problem["loc"][0] == "body" and len(problem["loc"]) > 1 and isinstance(problem["loc"][1], int)
