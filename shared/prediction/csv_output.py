"""Predictions for the rows of a CSV file as text: the rows with columns added, or one answer in JSON."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from shared.estimators.signature import Signature
from shared.prediction.csv_input import CsvBatch
from shared.prediction.extras import Extras
from shared.prediction.intervals import interval_cells
from shared.prediction.predictor import Prediction
from shared.scratch import scratch_errors

_CHUNK_BYTES = 2**20


class RowsOutput(Protocol):
    """Makes the text of an answer, piece by piece. Close it in the end."""

    media_type: str

    def begin(self) -> str:
        """What comes before all rows."""

    def add(self, batch: CsvBatch, prediction: Prediction) -> str:
        """What comes for some rows."""

    def end(self) -> Iterator[str]:
        """What comes after all rows."""

    def close(self) -> None:
        """Remove what was kept meanwhile."""


class CsvOutput:
    """The rows as they came, with the prediction, and what else is wanted, at their end."""

    media_type = "text/csv"

    def __init__(self, signature: Signature, *, header: list[str], delimiter: str) -> None:
        self._signature = signature
        self._header = header
        self._delimiter = delimiter

    def begin(self) -> str:
        """The line with the names."""
        return self._written([self._header])

    def add(self, batch: CsvBatch, prediction: Prediction) -> str:
        """The lines of some rows."""
        nothing: list[Any] = [[]] * len(batch.rows)
        shares, intervals = prediction.probabilities or nothing, nothing
        if prediction.intervals is not None:
            intervals = [interval_cells(self._signature, interval) for interval in prediction.intervals]
        return self._written(
            [*row.cells, cell_of(predicted), *map(cell_of, each), *interval]
            for row, predicted, each, interval in zip(
                batch.rows, prediction.predictions, shares, intervals, strict=True
            )
        )

    def end(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def close(self) -> None:
        """Nothing was kept."""

    def _written(self, rows: Any) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self._delimiter, lineterminator="\n").writerows(rows)
        return text.getvalue()


class JsonOutput:
    """One answer for all rows, as requests in JSON get it.

    Probabilities and intervals wait in files until all predictions are out.
    """

    media_type = "application/json"

    def __init__(
        self, facts: dict[str, Any], signature: Signature, wanted: Extras, *, warnings: list[str], scratch: Path
    ) -> None:
        self._facts = facts
        self._classes = signature.classes
        self._warnings = warnings
        self._any = False
        self._shares = _WaitingRows(scratch) if wanted.probabilities else None
        self._intervals = _WaitingRows(scratch) if wanted.intervals else None

    def begin(self) -> str:
        """The facts."""
        return f'{_json(self._facts)[:-1]},"predictions":['

    def add(self, batch: CsvBatch, prediction: Prediction) -> str:
        """Some predictions."""
        del batch
        comma = "," if self._any else ""
        self._any = True
        for waiting, rows in ((self._shares, prediction.probabilities), (self._intervals, prediction.intervals)):
            if waiting is not None and rows is not None:
                waiting.add(comma + _json(rows)[1:-1])
        return comma + _json(prediction.predictions)[1:-1]

    def end(self) -> Iterator[str]:
        """The probabilities with their classes, the intervals, and the warnings."""
        yield "]"
        if self._shares is not None:
            yield ',"probabilities":['
            yield from self._shares.pieces()
            yield f'],"classes":{_json(self._classes)}'
        if self._intervals is not None:
            yield ',"intervals":['
            yield from self._intervals.pieces()
            yield "]"
        yield f',"warnings":{_json(self._warnings)}}}'

    def close(self) -> None:
        """Remove the files."""
        for waiting in (self._shares, self._intervals):
            if waiting is not None:
                waiting.close()


class _WaitingRows:
    """Text that waits in a file until it is its turn."""

    def __init__(self, scratch: Path) -> None:
        with scratch_errors():
            self._file = tempfile.TemporaryFile("w+", dir=scratch, encoding="utf-8")  # noqa: SIM115 - closed in `close`

    def add(self, text: str) -> None:
        with scratch_errors():
            self._file.write(text)

    def pieces(self) -> Iterator[str]:
        with scratch_errors():
            self._file.seek(0)
        while chunk := self._file.read(_CHUNK_BYTES):
            yield chunk

    def close(self) -> None:
        self._file.close()


def cell_of(value: Any) -> Any:
    """A prediction as the cell of a table."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
