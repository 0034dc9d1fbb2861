"""Predicts for some rows of a table at a time: a row that cannot be predicted gets its reasons, and the others go on.

Cells are checked and taken as those of `POST /predict` are, so that equal rows get equal predictions.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shared.estimators.signature import InputColumn, Signature
from shared.logging import get_logger
from shared.prediction.cells import shown
from shared.prediction.incomputable import LARGEST_SINGLE
from shared.prediction.input_warnings import InputWarnings
from shared.prediction.json_cells import take_cells
from shared.prediction.problems import InputProblems
from shared.training.frame import model_input

log = get_logger(__name__)

_NUMERIC = frozenset({"integer", "number"})
_OF_ONE_TYPE = {"boolean": pa.types.is_boolean, "datetime": pa.types.is_timestamp}
_NOT_FINITE = "The prediction is not a finite number. Give values such as those the model was trained on."
_REFUSED = "The model cannot compute a prediction from these values. Give values such as those it was trained on."


class RowOutcome(NamedTuple):
    """What came of one row: a prediction, with the probability of each class if they are asked for, or an error."""

    prediction: Any = None
    probabilities: list[float] | None = None
    error: str | None = None


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
    """A model that is ready to predict, and the warnings about what it was given."""

    model: Any
    signature: Signature
    probabilities: bool
    warnings: InputWarnings = field(default_factory=lambda: InputWarnings("row"))

    def predict(self, values: Mapping[str, pa.Array], rows: int, *, first: int) -> list[RowOutcome]:
        """The outcome of each row, of which `first` is the number of the first; `values` are by used input."""
        plain = self._plain(values)
        if plain is not None:
            return self._computed(plain, range(first, first + rows))
        taken = self._rows(values, rows)
        problems = RowProblems()
        take_cells(self.signature, taken, "records", problems, self.warnings, first=first)
        good = [at for at in range(rows) if first + at not in problems.of_row]
        columns = {
            column.name: [taken[at][position] for at in good]
            for position, column in enumerate(self.signature.inputs)
            if column.used
        }
        outcomes = iter(self._computed(columns, [first + at for at in good]))
        return [
            RowOutcome(error=" ".join(problems.of_row[number])) if number in problems.of_row else next(outcomes)
            for number in range(first, first + rows)
        ]

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

    def _computed(self, columns: Mapping[str, Any], numbers: Sequence[int]) -> list[RowOutcome]:
        """The outcomes of rows that were checked. Where the model refuses some, they are found by halving."""
        if not numbers:
            return []
        try:
            return self._outcomes(columns, len(numbers))
        except (ValueError, FloatingPointError, OverflowError):
            # With these errors estimators refuse values.
            if len(numbers) == 1:
                log.warning("prediction_refused", row=numbers[0], exc_info=True)
                return [RowOutcome(error=self._refusal(columns, numbers[0]))]
        middle = len(numbers) // 2
        halves = (slice(0, middle), slice(middle, len(numbers)))
        parts = ({name: column[half] for name, column in columns.items()} for half in halves)
        return [
            outcome for part, half in zip(parts, halves, strict=True) for outcome in self._computed(part, numbers[half])
        ]

    def _outcomes(self, columns: Mapping[str, Any], rows: int) -> list[RowOutcome]:
        taken = model_input(columns, self._used, numeric=self.signature.numeric)
        # Overflows show in the result, which is looked at.
        with np.errstate(all="ignore"):
            predicted = np.asarray(self.model.predict(taken))
            shares = np.asarray(self.model.predict_proba(taken)) if self.probabilities else None
        if predicted.ndim == 2 and predicted.shape[1] == 1:
            predicted = predicted[:, 0]
        finite = _finite(predicted) if shares is None else _finite(predicted) & _finite(shares)
        each: list[Any] = [None] * rows if shares is None else shares.tolist()
        return [
            RowOutcome(prediction, share) if good else RowOutcome(error=_NOT_FINITE)
            for prediction, share, good in zip(predicted.tolist(), each, finite.tolist(), strict=True)
        ]

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
