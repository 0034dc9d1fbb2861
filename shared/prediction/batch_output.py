"""The output of a batch prediction as a file: of each row the cells to keep, and what was predicted or why nothing."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet

from shared.estimators.signature import Signature
from shared.prediction.batch_rows import Outcomes
from shared.prediction.batch_spec import ERROR, PREDICTION, ROW, BatchSpec, added_columns
from shared.prediction.intervals import interval_cells

# Programs for tables take a cell that begins so for a formula.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"(?=.*\d)[+-]?(?:\d{1,3}(?:[.,' ]\d{3})+|\d+)?(?:[.,]\d+)?(?:[eE][+-]?\d+)?\s?%?")


class RowsDone(NamedTuple):
    """Some rows, of which `first` is the number of the first, with their cells to keep in the order of the request."""

    first: int
    kept: Sequence[pa.Array]
    outcomes: Outcomes


class OutputFile(Protocol):
    """Takes rows in their order. Close it in the end."""

    def add(self, done: RowsDone) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what is still to be written."""


def open_output(path: Path, spec: BatchSpec, signature: Signature, kept: Sequence[pa.DataType]) -> OutputFile:
    """A new file of the format that is asked for; `kept` are the types of the cells to keep, for Parquet."""
    if spec.format == "csv":
        return CsvFile(path, spec, signature)
    return ParquetFile(path, spec, signature, kept)


class CsvFile:
    """UTF-8, comma, a line of names; an empty cell where there is nothing."""

    def __init__(self, path: Path, spec: BatchSpec, signature: Signature) -> None:
        self._signature = signature
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._text = neutralised if spec.neutralise_formulas else None
        self._writer.writerow(self._written([ROW, *spec.keep, *added_columns(signature, spec.wanted)]))

    def add(self, done: RowsDone) -> None:
        """Write the lines of some rows."""
        outcomes = done.outcomes
        rows = len(outcomes.predictions)
        self._writer.writerows(
            zip(
                range(done.first, done.first + rows),
                *(self._written(cells.to_pylist()) for cells in done.kept),
                self._written(outcomes.predictions),
                *_shares(outcomes),
                *self._intervals(outcomes),
                self._written(errors_of(outcomes)),
                strict=True,
            )
        )

    def _intervals(self, outcomes: Outcomes) -> Iterable[Sequence[Any]]:
        """The columns of the intervals; what they hold is never taken for a formula."""
        cells = [interval_cells(self._signature, interval) for interval in outcomes.intervals or []]
        return zip(*cells, strict=True)

    def close(self) -> None:
        """Write what is in the buffer."""
        self._file.close()

    def _written(self, values: list[Any]) -> list[Any]:
        """The values as cells; numbers are written by the file."""
        kinds = set(map(type, values))
        if bool in kinds:
            values = [str(value).lower() if isinstance(value, bool) else value for value in values]
        if self._text is not None and str in kinds:
            values = [self._text(value) if isinstance(value, str) else value for value in values]
        return values


def errors_of(outcomes: Outcomes) -> list[str | None]:
    """The error of each row, or None."""
    return [outcomes.errors.get(at) for at in range(len(outcomes.predictions))]


def _shares(outcomes: Outcomes) -> list[list[float | None]]:
    """The probabilities of each class, one per row; None where the row has an error."""
    if outcomes.probabilities is None:
        return []
    columns: list[list[float | None]] = outcomes.probabilities.T.tolist()
    for at in outcomes.errors:
        for column in columns:
            column[at] = None
    return columns


class ParquetFile:
    """One row group for the rows of each call; null where there is nothing."""

    def __init__(self, path: Path, spec: BatchSpec, signature: Signature, kept: Sequence[pa.DataType]) -> None:
        self._label = _type_of(signature)
        self._written = str if pa.types.is_string(self._label) else _unchanged
        self._numbers = signature.task == "regression"
        interval = pa.float64() if self._numbers else pa.list_(self._label)
        self._schema = pa.schema(
            [
                pa.field(ROW, pa.int64(), nullable=False),
                *map(pa.field, spec.keep, kept),
                pa.field(PREDICTION, self._label),
                *(pa.field(name, pa.float64()) for name in spec.wanted.share_columns(signature)),
                *(pa.field(name, interval) for name in spec.wanted.interval_columns(signature)),
                pa.field(ERROR, pa.string()),
            ]
        )
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema)

    def add(self, done: RowsDone) -> None:
        """Write a row group."""
        outcomes = done.outcomes
        rows = range(done.first, done.first + len(outcomes.predictions))
        arrays = [
            pa.array(rows, pa.int64()),
            *done.kept,
            self._labels(outcomes.predictions),
            *(pa.array(column, pa.float64()) for column in _shares(outcomes)),
            *self._intervals(outcomes),
            pa.array(errors_of(outcomes), pa.string()),
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def _labels(self, values: Sequence[Any]) -> pa.Array:
        return pa.array([None if each is None else self._written(each) for each in values], self._label)

    def _intervals(self, outcomes: Outcomes) -> list[pa.Array]:
        """Both ends as columns, or one of lists of labels."""
        if outcomes.intervals is None:
            return []
        if self._numbers:
            ends = [interval or [None, None] for interval in outcomes.intervals]
            return [pa.array([each[at] for each in ends], pa.float64()) for at in (0, 1)]
        sets = [None if each is None else [self._written(label) for label in each] for each in outcomes.intervals]
        return [pa.array(sets, pa.list_(self._label))]

    def close(self) -> None:
        """Write the footer."""
        self._writer.close()


def neutralised(text: str) -> str:
    """The text with an apostrophe before it where a program for tables would take it for a formula; not numbers."""
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _unchanged(value: Any) -> Any:
    return value


def _type_of(signature: Signature) -> pa.DataType:
    """The type of the predictions: that of all labels, else text."""
    if signature.task == "regression":
        return pa.float64()
    kinds = {type(label) for label in signature.classes or []}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()
