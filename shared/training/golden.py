"""Golden rows: a model is asked about them when it is trained, and it, or one that was trained alike, again later."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.evaluation.answers import ask
from shared.evaluation.labels import plain
from shared.training.pin import ROUNDING, ComparedRows, GoldenRows

_MOST_ROWS = 20
# Of very wide tables and of long texts, fewer rows are kept.
_MOST_BYTES = 2**18

_Answers = tuple[list[Any] | None, list[list[float | None]] | None]


def keep_rows(model: Any, inputs: pd.DataFrame) -> GoldenRows | None:
    """Ask a fitted model about some of these rows, drawn evenly; None where even one is too large to be kept."""
    count = min(_MOST_ROWS, len(inputs))
    while count:
        rows = inputs.iloc[np.linspace(0, len(inputs) - 1, count).astype(np.intp)]
        columns = [[_kept(value) for value in rows.iloc[:, at].tolist()] for at in range(rows.shape[1])]
        if len(json.dumps(columns)) <= _MOST_BYTES:
            labels, numbers = _answers(model, rows)
            words = [not pd.api.types.is_numeric_dtype(dtype) for dtype in rows.dtypes]
            names = [str(name) for name in rows.columns]
            return GoldenRows(names=names, words=words, columns=columns, labels=labels, numbers=numbers)
        count //= 2
    return None


def compare_rows(kept: GoldenRows, model: Any) -> ComparedRows:
    """Ask a model about the golden rows, and compare its answers with those that were kept."""
    labels, numbers = _answers(model, inputs_of(kept))
    different = np.zeros(kept.count, dtype=np.bool_)
    largest = None
    if kept.labels != labels:
        different |= [then != now for then, now in zip(kept.labels or [], labels or [], strict=True)]
    if kept.numbers is not None and numbers is not None and len(kept.numbers[0]) == len(numbers[0]):
        then, now = np.array(kept.numbers, dtype=np.float64), np.array(numbers, dtype=np.float64)
        different |= differ(then, now).any(axis=1)
        apart = np.abs(then - now)
        largest = float(apart[np.isfinite(apart)].max(initial=0.0))
    elif kept.numbers is not None or numbers is not None:
        different |= True
    return ComparedRows(compared=kept.count, different=int(different.sum()), largest_difference=largest)


def inputs_of(kept: GoldenRows) -> pd.DataFrame:
    """The golden rows as the model takes them."""
    made = zip(kept.names, kept.words, kept.columns, strict=True)
    return pd.DataFrame({name: _column(values, words=words) for name, words, values in made})


def differ(then: Any, now: Any) -> NDArray[np.bool_]:
    """Which numbers are apart by more than another order of additions explains; two that are missing are not."""
    same: NDArray[np.bool_] = np.isclose(now, then, rtol=ROUNDING, atol=ROUNDING, equal_nan=True)
    return ~same


def _answers(model: Any, rows: pd.DataFrame) -> _Answers:
    said = ask(model, rows)
    if said.classes is None:
        return None, [[_kept(value)] for value in said.labels.tolist()]
    labels = [plain(label) for label in said.labels.tolist()]
    if said.probabilities is None:
        return labels, None
    return labels, [[_kept(value) for value in row] for row in said.probabilities.tolist()]


def _column(values: list[Any], *, words: bool) -> Any:
    if not words:
        return np.array(values, dtype=np.float64)
    return pd.Series([math.nan if value is None else value for value in values], dtype=object)


def _kept(value: Any) -> Any:
    value = plain(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
