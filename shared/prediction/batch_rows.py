"""Predicts for some rows of a table at a time: a row that cannot be predicted gets its reasons, and the others go on.

Cells are checked and taken as those of `POST /predict` are, so that equal rows get equal predictions.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.estimators.signature import InputColumn, Signature
from shared.logging import get_logger
from shared.prediction.cells import shown
from shared.prediction.computing import Answers, Computes
from shared.prediction.extras import Extras
from shared.prediction.incomputable import LARGEST_SINGLE
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.intervals import intervals_of
from shared.prediction.json_cells import take_cells
from shared.prediction.problems import InputProblems

if TYPE_CHECKING:
    from numpy.typing import NDArray

log = get_logger(__name__)

_NUMERIC = frozenset({"integer", "number"})
_OF_ONE_TYPE = {"boolean": pa.types.is_boolean, "datetime": pa.types.is_timestamp}
_NOT_FINITE = "The prediction is not a finite number. Give values such as those the model was trained on."
_ENDLESS = "An end of the interval is not a finite number. Give values such as those the model was trained on."
_REFUSED = "The model cannot compute a prediction from these values. Give values such as those it was trained on."


@dataclass
class Outcomes:
    """What came of some rows, by their place: predictions, with what else is wanted of each, or errors.

    A row with an error has no prediction and no interval, and its probabilities mean nothing.
    """

    predictions: list[Any]
    probabilities: "NDArray[np.float64] | None"
    intervals: list[list[Any] | None] | None = None
    errors: dict[int, str] = field(default_factory=dict)


class RowProblems(InputProblems):
    """All problems of each row, by its number."""

    def __init__(self) -> None:
        super().__init__()
        self.of_row: dict[int, list[str]] = defaultdict(list)

    def add(self, place: tuple[str | int, ...], sentence: str | Callable[[], str], *, missing: bool = False) -> None:
        """Note a problem of the row that the place names."""
        del missing
        self.of_row[int(place[1])].append(sentence if isinstance(sentence, str) else sentence())


@dataclass(frozen=True)
class RowPredictor:
    """A model that is ready to predict, and the warnings about what it was given.

    `refused` is the first row that the model refused, if there was one.
    """

    model: Computes
    wanted: Extras
    warnings: InputWarnings = field(default_factory=lambda: InputWarnings("row"))
    refused: list[int] = field(default_factory=list)

    @property
    def signature(self) -> Signature:
        """What the model takes and gives."""
        return self.model.signature

    def predict(self, values: Mapping[str, pa.Array], rows: int, *, first: int) -> Outcomes:
        """The outcomes of rows, of which `first` is the number of the first; `values` are by used input."""
        classes = len(self.signature.classes or [])
        outcomes = Outcomes(
            predictions=[None] * rows,
            probabilities=np.full((rows, classes), np.nan) if self.wanted.probabilities else None,
            intervals=[None] * rows if self.wanted.intervals else None,
        )
        plain = self._plain(values)
        if plain is not None:
            self._compute(plain, range(rows), outcomes, first)
            return outcomes
        taken = self._rows(values, rows)
        problems = RowProblems()
        take_cells(self.signature, taken, "records", problems, self.warnings, numbers=range(first, first + rows))
        outcomes.errors = {number - first: " ".join(found) for number, found in problems.of_row.items()}
        good = [at for at in range(rows) if at not in outcomes.errors]
        columns = {
            column.name: [taken[at][position] for at in good]
            for position, column in enumerate(self.signature.inputs)
            if column.used
        }
        self._compute(columns, good, outcomes, first)
        return outcomes

    def _plain(self, values: Mapping[str, pa.Array]) -> dict[str, Any] | None:
        """The columns as they are, if it is plain that nothing is wrong with any cell, and no row is empty."""
        if self.signature.gap_numbers or not any(array.null_count == 0 for array in values.values()):
            return None
        if not all(_is_plain(column, values.get(column.name)) for column in self._used):
            return None
        return {name: _as_they_are(array) for name, array in values.items()}

    def _rows(self, values: Mapping[str, pa.Array], rows: int) -> list[list[Any]]:
        """Rows in the order of the signature, with the values that JSON would give."""
        nothing = [None] * rows
        columns = [
            _as_json(values[column.name], column) if column.name in values else nothing
            for column in self.signature.inputs
        ]
        return [list(row) for row in zip(*columns, strict=True)]

    def _compute(self, columns: Mapping[str, Any], places: Sequence[int], outcomes: Outcomes, first: int) -> None:
        """Predict for rows that were checked. Where the model refuses some, they are found by halving."""
        if not places:
            return
        try:
            asked = self.wanted.takes_probabilities(self.signature)
            answers = self.model.compute(dict(columns), probabilities=asked)
        except (ValueError, FloatingPointError, OverflowError) as error:
            # With these errors estimators refuse values.
            if len(places) == 1:
                self._log_first(first + places[0], error)
                outcomes.errors[places[0]] = self._refusal(columns, first + places[0])
                return
        else:
            _put(answers, places, outcomes, self.signature)
            return
        middle = len(places) // 2
        for half in (slice(0, middle), slice(middle, len(places))):
            part = {name: column[half] for name, column in columns.items()}
            self._compute(part, places[half], outcomes, first)

    def _log_first(self, row: int, error: Exception) -> None:
        """Tell of one refused row; there may be as many as the table has, and each has its reason in the output."""
        if not self.refused:
            self.refused.append(row)
            log.warning("prediction_refused", row=row, reason=str(error))

    def _refusal(self, columns: Mapping[str, Any], row: int) -> str:
        large = [
            f"Column '{column.name}' ({column.kind}), row {row}: {shown(value)} is too large for this model, which "
            f"computes with numbers up to {LARGEST_SINGLE:.2g}."
            for column in self._used
            if isinstance(value := columns[column.name][0], int | float) and abs(value) > LARGEST_SINGLE
        ]
        return " ".join(large) or _REFUSED

    @property
    def _used(self) -> list[InputColumn]:
        return [column for column in self.signature.inputs if column.used]


def _put(answers: Answers, places: Sequence[int], outcomes: Outcomes, signature: Signature) -> None:
    """Put what was predicted for rows into their places."""
    predicted = np.asarray(answers.predictions)
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    finite, found = _finite(predicted), predicted.tolist()
    if answers.probabilities is not None:
        shares = np.asarray(answers.probabilities)
        finite &= _finite(shares)
        if outcomes.probabilities is not None:
            outcomes.probabilities[places] = shares
    if len(places) == len(outcomes.predictions):
        outcomes.predictions = found
    else:
        for place, prediction in zip(places, found, strict=True):
            outcomes.predictions[place] = prediction
    refused = dict.fromkeys(np.flatnonzero(~finite).tolist(), _NOT_FINITE)
    if outcomes.intervals is not None:
        intervals = intervals_of(signature, *answers)
        refused = dict.fromkeys(intervals.not_finite, _ENDLESS) | refused
        for place, interval in zip(places, intervals.values, strict=True):
            outcomes.intervals[place] = interval
    for at, reason in refused.items():
        outcomes.predictions[places[at]] = None
        outcomes.errors[places[at]] = reason
        if outcomes.intervals is not None:
            outcomes.intervals[places[at]] = None


def _is_plain(column: InputColumn, values: pa.Array | None) -> bool:
    if values is None or not (values.null_count == 0 or column.missing_allowed):
        return False
    if column.kind in _NUMERIC:
        return bool(pa.types.is_integer(values.type) or pa.types.is_floating(values.type))
    if column.kind in _OF_ONE_TYPE:
        return bool(_OF_ONE_TYPE[column.kind](values.type))
    known = column.all_categories
    if not known or not pa.types.is_string(values.type) or not all(isinstance(each, str) for each in known):
        return False
    return pc.all(pc.is_in(values, value_set=pa.array([*sorted(known), None], pa.string()))).as_py() is True


def _as_they_are(values: pa.Array) -> Any:
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return values.to_numpy(zero_copy_only=False).astype(np.float64)
    return values.to_pylist()


def _as_json(values: pa.Array, column: InputColumn) -> list[Any]:
    found: list[Any] = values.to_pylist()
    if pa.types.is_timestamp(values.type) and column.kind != "datetime":
        return [value.isoformat() if isinstance(value, datetime) else value for value in found]
    return found


def _finite(values: Any) -> Any:
    """By row, whether all numbers in it are finite; labels that are no floats are."""
    if values.dtype.kind != "f":
        return np.ones(len(values), dtype=bool)
    finite = np.isfinite(values)
    return finite if finite.ndim == 1 else finite.all(axis=1)
