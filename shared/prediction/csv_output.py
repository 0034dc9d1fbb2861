"""Predictions for the rows of a CSV file as text: the rows with columns added, or one answer in JSON."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from shared.prediction.csv_input import CsvBatch
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
    """The rows as they came, with the prediction, and the probabilities if there are any, at their end."""

    media_type = "text/csv"

    def __init__(self, *, header: list[str], delimiter: str) -> None:
        self._header = header
        self._delimiter = delimiter

    def begin(self) -> str:
        """The line with the names."""
        return self._written([self._header])

    def add(self, batch: CsvBatch, prediction: Prediction) -> str:
        """The lines of some rows."""
        shares = prediction.probabilities or [[]] * len(batch.rows)
        return self._written(
            [*row.cells, cell_of(predicted), *map(cell_of, each)]
            for row, predicted, each in zip(batch.rows, prediction.predictions, shares, strict=True)
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

    Probabilities wait in a file until all predictions are out.
    """

    media_type = "application/json"

    def __init__(self, facts: dict[str, Any], *, classes: list[Any] | None, warnings: list[str], scratch: Path) -> None:
        self._facts = facts
        self._classes = classes
        self._warnings = warnings
        self._any = False
        with scratch_errors():
            self._shares = tempfile.TemporaryFile("w+", dir=scratch, encoding="utf-8")  # noqa: SIM115 - closed in `close`

    def begin(self) -> str:
        """The facts."""
        return f'{_json(self._facts)[:-1]},"predictions":['

    def add(self, batch: CsvBatch, prediction: Prediction) -> str:
        """Some predictions."""
        del batch
        comma = "," if self._any else ""
        self._any = True
        if prediction.probabilities is not None:
            with scratch_errors():
                self._shares.write(comma + _json(prediction.probabilities)[1:-1])
        return comma + _json(prediction.predictions)[1:-1]

    def end(self) -> Iterator[str]:
        """The probabilities with their classes, and the warnings."""
        yield "]"
        if self._classes is not None:
            yield ',"probabilities":['
            with scratch_errors():
                self._shares.seek(0)
            while chunk := self._shares.read(_CHUNK_BYTES):
                yield chunk
            yield f'],"classes":{_json(self._classes)}'
        yield f',"warnings":{_json(self._warnings)}}}'

    def close(self) -> None:
        """Remove the file."""
        self._shares.close()


def cell_of(value: Any) -> Any:
    """A prediction as the cell of a table."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
