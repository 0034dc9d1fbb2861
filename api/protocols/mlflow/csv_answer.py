"""The predictions for a CSV file as MLflow answers them, piece by piece."""

import json
from collections.abc import Iterator

from shared.prediction.csv_input import CsvBatch
from shared.prediction.predictor import Prediction


class PredictionsOutput:
    """One object with one list: a label or number for each row, or its probabilities."""

    media_type = "application/json"

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
        values = prediction.probabilities if self._probabilities else prediction.predictions
        return comma + json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))[1:-1]

    def end(self) -> Iterator[str]:
        """What comes after all rows."""
        yield "]}"

    def close(self) -> None:
        """Nothing was kept."""
