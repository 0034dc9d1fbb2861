"""Compares a compiled model with the fitted one: on the rows that were kept back, and on made-up ones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shared.compiled.making.rows import made_up
from shared.compiled.model import CompiledModel
from shared.compiled.parts import Floats
from shared.estimators.signature import Signature

# How far numbers and probabilities may be from scikit-learn's, as a share of them.
TOLERANCE = 1e-12
# Rows that are predicted one by one, too: scikit-learn may add them up in another order than many at once.
_SINGLE_ROWS = 5
# Columns into which infinite and very large numbers are put.
_MOST_REFUSALS = 4
_BLOCK = 5_000
_NUMBERS = frozenset({"integer", "number", "datetime"})

# What a model takes of a table: an array, or the table itself.
Takes = Callable[[pd.DataFrame], Any]


class FormDiffers(Exception):
    """A compiled model does not answer as the fitted one; the message says where."""


@dataclass(frozen=True)
class Agreement:
    """On how many rows both were compared, and how far apart they were at most, as a share of the number."""

    rows: int
    bit_for_bit: bool
    worst: float


def check_model(
    compiled: CompiledModel, model: Any, signature: Signature, rows: pd.DataFrame, *, as_taken: Takes
) -> Agreement:
    """Compare on `rows`, which the fit has not seen, and on made-up ones; `as_taken` makes of rows what `model` takes.

    Raises:
        FormDiffers: when a label differs, or a number by more than `TOLERANCE`.
    """
    gaps = all(column.missing_allowed for column in signature.inputs if column.used)
    comparison = _Comparison(compiled, model, signature, as_taken)
    special = made_up(rows, compiled, gaps=gaps)
    for table in (rows, special):
        for start in range(0, len(table), _BLOCK):
            comparison.compare(table.iloc[start : start + _BLOCK])
    for table in (rows, special):
        for position in range(min(_SINGLE_ROWS, len(table))):
            comparison.compare(table.iloc[position : position + 1])
    comparison.compare_refusals(special.iloc[:1])
    return Agreement(comparison.rows, comparison.worst == 0, comparison.worst)


class _Comparison:
    def __init__(self, compiled: CompiledModel, model: Any, signature: Signature, as_taken: Takes) -> None:
        self._compiled = compiled
        self._model = model
        self._classes = signature.classes
        self._kinds = {column.name: column.kind for column in signature.inputs}
        self._as_taken = as_taken
        self._asks_probabilities = signature.task == "classification" and hasattr(model, "predict_proba")
        if compiled.gives_probabilities != self._asks_probabilities:
            raise FormDiffers("one of the two gives probabilities, the other does not")
        self.rows = 0
        self.worst = 0.0

    def compare(self, table: pd.DataFrame) -> None:
        """Compare what both say of these rows; what scikit-learn refuses, the compiled model must refuse, too."""
        expected = self._expected(table)
        found = self._found(table)
        if (expected is None) != (found is None):
            raise FormDiffers("one of the two refuses rows that the other takes")
        if expected is None or found is None:
            if len(table) > 1:
                # Some row is refused, and the others are not compared yet.
                middle = len(table) // 2
                self.compare(table.iloc[:middle])
                self.compare(table.iloc[middle:])
            return
        self.rows += len(table)
        self._compare_predictions(expected[0], found[0])
        if expected[1] is not None and found[1] is not None:
            self._compare_numbers(expected[1], found[1])

    def compare_refusals(self, row: pd.DataFrame) -> None:
        """Put numbers into a row that scikit-learn may refuse: what it refuses must be refused."""
        names = [name for name in row.columns if self._kinds[name] in _NUMBERS]
        for name in names[:_MOST_REFUSALS]:
            for number in (np.inf, 1e300):
                self.compare(row.assign(**{name: number}))

    def _expected(self, table: pd.DataFrame) -> tuple[Any, Any] | None:
        taken = self._as_taken(table)
        try:
            with np.errstate(all="ignore"):
                probabilities = self._model.predict_proba(taken) if self._asks_probabilities else None
                return self._model.predict(taken), probabilities
        except (ValueError, FloatingPointError, OverflowError, IndexError):
            return None

    def _found(self, table: pd.DataFrame) -> tuple[Any, Any] | None:
        try:
            return self._compiled.compute(columns_of(self._compiled, table), probabilities=self._asks_probabilities)
        except ValueError:
            return None

    def _compare_predictions(self, expected: Any, found: Any) -> None:
        if self._classes is None:
            self._compare_numbers(np.asarray(expected, dtype=np.float64).reshape(-1), found)
            return
        labels = np.array(self._classes, dtype=object)[found]
        differ = np.asarray(expected, dtype=object) != labels
        if differ.any():
            # Which one is something of the data.
            raise FormDiffers(f"{np.count_nonzero(differ)} labels are other ones")

    def _compare_numbers(self, expected: Floats, found: Floats) -> None:
        if expected.shape != found.shape:
            raise FormDiffers(f"the shape is {found.shape} instead of {expected.shape}")
        finite = np.isfinite(expected)
        if (finite != np.isfinite(found)).any():
            raise FormDiffers("a number is finite in one of the two only")
        first, second = expected[finite], found[finite]
        size = np.maximum(np.abs(first), np.abs(second))
        away = np.abs(first - second)
        worst = float(np.max(np.divide(away, size, out=np.zeros_like(away), where=away > 0), initial=0.0))
        if worst > TOLERANCE:
            raise FormDiffers(f"a number differs by a share of {worst:.2g}")
        self.worst = max(self.worst, worst)


def columns_of(compiled: CompiledModel, table: pd.DataFrame) -> Floats:
    """The rows of a table as a compiled model takes them."""
    columns = [
        table[name].to_numpy(dtype=np.float64) if words is None else compiled.coded(position, table[name].tolist())
        for position, (name, words) in enumerate(zip(table.columns, compiled.categories, strict=True))
    ]
    return np.ascontiguousarray(np.column_stack(columns))
