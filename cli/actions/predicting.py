"""Predictions for a whole table: in requests that the API takes, all by the same version."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

from cli.client import requests as calls
from cli.client.connection import Client
from cli.client.errors import CommandFailed, Refused, WrongUsage
from cli.render.output import Output
from cli.render.progress import watching_bytes
from cli.tables.cells import Convert, WrongCell, converter
from cli.tables.sink import STANDARD, CsvSink, JsonSink, Sink, opened
from cli.tables.source import Source, read_source

# The limits that the API has unless it was set up with others; where they are lower, it says so and gets less.
MOST_CELLS = 200_000
MOST_BYTES = 4 * 2**20 - 2**16
_MOST_FAULTS = 10
_COUNTED = re.compile(r"The input has (\d+) faults")


@dataclass(frozen=True)
class Question:
    """What is asked for all rows of a table."""

    dataset_name: str
    environment: str
    version: int | None
    target: str | None
    probabilities: bool
    column: str = "prediction"


@dataclass(frozen=True)
class _Batch:
    """Rows of a table, with the line of each, and what is sent for them."""

    lines: list[int]
    rows: list[list[str]]
    features: list[list[Any]]


def predict_table(client: Client, output: Output, question: Question, *, source: str, target: str) -> None:
    """Predict for each row of a CSV file and write the rows with their predictions; `-` is a standard stream.

    Raises:
        CommandFailed: when the table does not fit the model, or a file cannot be read or written.
        Refused, Unreachable: as `Client.send`.
    """
    model = find_model(client, question)
    inputs = model["signature"]["inputs"]
    with ExitStack() as stack:
        try:
            file = sys.stdin.buffer if source == STANDARD else stack.enter_context(Path(source).open("rb"))
        except OSError as error:
            raise CommandFailed(f"{source} cannot be read: {error.strerror}.") from None
        name = "standard input" if source == STANDARD else Path(source).name
        table = read_source(cast("Any", file), name=name, columns=[column["name"] for column in inputs])
        _check_columns(output, table, model)
        header = _header(table, question, model)
        writer = stack.enter_context(opened(target))
        sink: Sink = JsonSink(writer) if output.as_json else CsvSink(writer, delimiter=table.delimiter, header=header)
        total = 0 if source == STANDARD else Path(source).stat().st_size
        meter = stack.enter_context(watching_bytes(output, f"Predicting {name}", total))
        count = 0
        for batch, answer in _answers(client, question, model["version"], table, inputs):
            sink.add(batch.rows, answer)
            count += len(batch.rows)
            meter.set(file.tell() if total else 0)
        sink.finish()
    if target != STANDARD:
        output.tell(f"{count:,} rows predicted by version {model['version']} and written to {target}.")


def find_model(client: Client, question: Question) -> Any:
    """The model that is asked: the version that was named, else the newest one of the environment.

    Raises:
        Refused: when there is none.
    """
    if question.version is not None:
        return client.get(calls.model(question.version))
    page = client.get(calls.serving(question.dataset_name, question.environment, question.target))
    if not page["items"]:
        # The API knows best what is missing: the dataset, the environment, or a model there.
        asked = calls.predict(
            dataset_name=question.dataset_name,
            environment=question.environment,
            target=question.target,
            input_data={"features": []},
        )
        client.send(asked)
        raise CommandFailed("The model was retired at this very moment. Try again.")
    return page["items"][0]


def _answers(
    client: Client, question: Question, version: int, table: Source, inputs: Sequence[dict[str, Any]]
) -> Iterator[tuple[_Batch, Any]]:
    most_rows = max(1, MOST_CELLS // len(inputs))
    for whole in _batches(table, inputs):
        start = 0
        while start < len(whole.lines):
            batch = _part(whole, start, min(start + most_rows, len(whole.lines)))
            try:
                answer = client.get(_call(question, version, batch.features))
            except Refused as refusal:
                if not _asks_for_fewer_rows(refusal) or len(batch.lines) == 1:
                    raise _placed(refusal, batch, table.name) from None
                most_rows = len(batch.lines) // 2
                continue
            yield batch, answer
            start += len(batch.lines)


def _asks_for_fewer_rows(refusal: Refused) -> bool:
    too_large = refusal.problem.get("status") == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    return too_large or refusal.code == "prediction_too_slow"


def _call(question: Question, version: int, features: list[list[Any]]) -> Any:
    return calls.predict(
        dataset_name=question.dataset_name,
        environment=question.environment,
        # All rows by one version, though a newer one may come to serve meanwhile.
        version=version,
        target=question.target,
        probabilities=question.probabilities,
        input_data={"features": features},
    )


def _batches(table: Source, inputs: Sequence[dict[str, Any]]) -> Iterator[_Batch]:
    """Rows converted to what the signature asks for, as many at a time as one request may hold.

    Raises:
        CommandFailed: naming the cells that are wrong.
    """
    read = _reader(table, inputs)
    batch, size, faults = _Batch([], [], []), 0, list[str]()
    for line, row in table.rows:
        values = read(line, row, faults)
        if len(faults) > _MOST_FAULTS:
            break
        length = len(json.dumps(values)) + 1
        if batch.lines and (size + length > MOST_BYTES or (len(batch.lines) + 1) * len(inputs) > MOST_CELLS):
            _refuse(faults, table.name)
            yield batch
            batch, size = _Batch([], [], []), 0
        batch.lines.append(line)
        batch.rows.append(row)
        batch.features.append(values)
        size += length
    _refuse(faults, table.name)
    if batch.lines:
        yield batch


def _reader(table: Source, inputs: Sequence[dict[str, Any]]) -> Callable[[int, list[str], list[str]], list[Any]]:
    positions = {name: position for position, name in enumerate(table.header)}
    plan: list[tuple[str, int | None, Convert]] = [
        (column["name"], positions.get(column["name"]), converter(column, decimal_comma=table.delimiter != ","))
        for column in inputs
    ]

    def read(line: int, row: list[str], faults: list[str]) -> list[Any]:
        values: list[Any] = []
        for name, position, convert in plan:
            try:
                values.append(None if position is None else convert(row[position]))
            except WrongCell as wrong:
                faults.append(f"line {line}, column '{name}': {wrong}")
        return values

    return read


def _part(batch: _Batch, start: int, end: int) -> _Batch:
    return _Batch(batch.lines[start:end], batch.rows[start:end], batch.features[start:end])


def _refuse(faults: list[str], name: str) -> None:
    if faults:
        more = ["and more"] if len(faults) > _MOST_FAULTS else []
        shown = faults[:_MOST_FAULTS]
        raise CommandFailed("\n  ".join([f"{name} has cells that the model cannot take:", *shown, *more]))


def _placed(refusal: Refused, batch: _Batch, name: str) -> Refused:
    """The refusal with the lines of the file beside the rows of the request."""
    faults = refusal.problem.get("errors", [])
    places = []
    for fault in faults:
        row = next((part for part in fault["loc"] if isinstance(part, int)), None)
        if fault["loc"][:2] != ["body", "input_data"] or row is None or row >= len(batch.lines):
            return refusal
        places.append(f"  line {batch.lines[row]}: {_without_row(fault['msg'], row)}")
    if not places:
        return refusal
    # The API lists the first of many faults, and says how many there are.
    told = _COUNTED.match(str(refusal.problem.get("detail")))
    total = int(told[1]) if told else len(places)
    shown = places[:_MOST_FAULTS]
    if total > len(shown):
        shown.append(f"  and {total - len(shown):,} more")
    if request := refusal.problem.get("request_id"):
        shown.append(f"  (request {request})")
    return Refused(refusal.problem, "\n".join([f"{name} has rows that the model cannot take:", *shown]))


def _without_row(sentence: str, row: int) -> str:
    """The sentence without the number of the row in the request, which is none of the file."""
    sentence = sentence.removeprefix(f"Row {row}: ")
    return sentence.replace(f" is missing in row {row};", " is missing;").replace(f"), row {row}: ", "): ")


def _check_columns(output: Output, table: Source, model: dict[str, Any]) -> None:
    absent = [one for one in model["signature"]["inputs"] if one["used"] and one["name"] not in table.header]
    needed = [column["name"] for column in absent if not column["missing_allowed"]]
    if needed:
        raise CommandFailed(
            f"{table.name} lacks {', '.join(needed)}, which version {model['version']} needs in every row."
        )
    if absent:
        names = ", ".join(column["name"] for column in absent)
        output.tell(f"{table.name} lacks {names}: the values there are taken as missing.")


def _header(table: Source, question: Question, model: dict[str, Any]) -> list[str]:
    added = [question.column]
    if question.probabilities:
        added += [f"probability_{label}" for label in model["signature"]["classes"] or []]
    taken = sorted(set(added) & set(table.header))
    if taken:
        raise WrongUsage(
            f"{table.name} has a column '{taken[0]}' already. Remove it, or name the new column with --column."
        )
    return [*table.header, *added]
