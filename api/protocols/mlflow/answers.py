"""Predictions as MLflow's protocol answers them, in JSON or, for those who want it, as lines of CSV."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from fastapi import Response

from api.http.media_types import CSV, JSON
from shared.prediction.csv_input import CsvBatch
from shared.prediction.csv_output import cell_of
from shared.prediction.predictor import Prediction


def predictions_in_json(values: list[Any]) -> Response:
    """One object with one list."""
    return Response(_json({"predictions": values}), media_type=JSON)


def predictions_in_csv(values: list[Any]) -> Response:
    """A line for each row, without a line of names, as containers for SageMaker answer."""
    return Response(_lines(values), media_type=CSV)


class PredictionsOutput:
    """The same as `predictions_in_json`, piece by piece: a label or number for each row, or its probabilities."""

    media_type = JSON

    def __init__(self, *, probabilities: bool) -> None:
        self._probabilities = probabilities
        self._any = False

    def begin(self) -> str:
        """What comes before all rows."""
        return '{"predictions":['

    def add(self, batch: CsvBatch, prediction: Prediction) -> str:
        """What comes for some rows."""
        del batch
        comma = "," if self._any else ""
        self._any = True
        return comma + _json(_chosen(prediction, probabilities=self._probabilities))[1:-1]

    def end(self) -> Iterator[str]:
        """What comes after all rows."""
        yield "]}"

    def close(self) -> None:
        """Nothing was kept."""


class LinesOutput:
    """The same as `predictions_in_csv`, piece by piece."""

    media_type = CSV

    def __init__(self, *, probabilities: bool) -> None:
        self._probabilities = probabilities

    def begin(self) -> str:
        """Nothing: there is no line of names."""
        return ""

    def add(self, batch: CsvBatch, prediction: Prediction) -> str:
        """The lines of some rows."""
        del batch
        return _lines(_chosen(prediction, probabilities=self._probabilities))

    def end(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def close(self) -> None:
        """Nothing was kept."""


def _chosen(prediction: Prediction, *, probabilities: bool) -> list[Any]:
    return (prediction.probabilities if probabilities else prediction.predictions) or []


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _lines(values: list[Any]) -> str:
    text = io.StringIO()
    rows = (value if isinstance(value, list) else [value] for value in values)
    csv.writer(text, lineterminator="\n").writerows(map(cell_of, row) for row in rows)
    return text.getvalue()
