"""The output of a batch prediction as a file: of each row the cells to keep, and what was predicted or why nothing."""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet

from shared.estimators.signature import Signature
from shared.prediction.batch_rows import RowOutcome
from shared.prediction.batch_spec import ERROR, PREDICTION, ROW, BatchSpec, added_columns

# Programs for tables take a cell that begins so for a formula.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_NUMBER = re.compile(r"(?=.*\d)[+-]?(?:\d{1,3}(?:[.,' ]\d{3})+|\d+)?(?:[.,]\d+)?(?:[eE][+-]?\d+)?\s?%?")


class RowsDone(NamedTuple):
    """Some rows, of which `first` is the number of the first, with their cells to keep in the order of the request."""

    first: int
    kept: Sequence[pa.Array]
    outcomes: Sequence[RowOutcome]


class OutputFile(Protocol):
    """Takes rows in their order. Close it in the end."""

    def add(self, done: RowsDone) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what is still to be written."""


def open_output(path: Path, spec: BatchSpec, signature: Signature, kept: Sequence[pa.DataType]) -> OutputFile:
    """A new file of the format that is asked for; `kept` are the types of the cells to keep, for Parquet."""
    classes = signature.classes if spec.with_probabilities else None
    if spec.format == "csv":
        return CsvFile(path, spec, classes)
    return ParquetFile(path, spec, signature, classes, kept)


class CsvFile:
    """UTF-8, comma, a line of names; an empty cell where there is nothing."""

    def __init__(self, path: Path, spec: BatchSpec, classes: list[Any] | None) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._shares = len(classes or [])
        self._text = neutralised if spec.neutralise_formulas else _unchanged
        self._write([[ROW, *spec.keep, *added_columns(classes)]])

    def add(self, done: RowsDone) -> None:
        """Write the lines of some rows."""
        nothing = [None] * self._shares
        kept = [cells.to_pylist() for cells in done.kept]
        numbers = range(done.first, done.first + len(done.outcomes))
        self._write(
            [number, *(cells[at] for cells in kept), each.prediction, *(each.probabilities or nothing), each.error]
            for at, (number, each) in enumerate(zip(numbers, done.outcomes, strict=True))
        )

    def close(self) -> None:
        """Write what is in the buffer."""
        self._file.close()

    def _write(self, rows: Iterable[list[Any]]) -> None:
        self._writer.writerows([self._cell(value) for value in row] for row in rows)

    def _cell(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bool):
            return str(value).lower()
        return value.isoformat() if isinstance(value, datetime) else value


class ParquetFile:
    """One row group for the rows of each call; null where there is nothing."""

    def __init__(
        self,
        path: Path,
        spec: BatchSpec,
        signature: Signature,
        classes: list[Any] | None,
        kept: Sequence[pa.DataType],
    ) -> None:
        self._label = _type_of(signature)
        self._shares = len(classes or [])
        shares = added_columns(classes)[1:-1]
        self._schema = pa.schema(
            [
                pa.field(ROW, pa.int64(), nullable=False),
                *map(pa.field, spec.keep, kept),
                pa.field(PREDICTION, self._label),
                *(pa.field(name, pa.float64()) for name in shares),
                pa.field(ERROR, pa.string()),
            ]
        )
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema)

    def add(self, done: RowsDone) -> None:
        """Write a row group."""
        rows = range(done.first, done.first + len(done.outcomes))
        written = str if pa.types.is_string(self._label) else _unchanged
        predicted = [None if each.prediction is None else written(each.prediction) for each in done.outcomes]
        shares = [
            [None if each.probabilities is None else each.probabilities[at] for each in done.outcomes]
            for at in range(self._shares)
        ]
        arrays = [
            pa.array(rows, pa.int64()),
            *done.kept,
            pa.array(predicted, self._label),
            *(pa.array(column, pa.float64()) for column in shares),
            pa.array([each.error for each in done.outcomes], pa.string()),
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

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
