"""Where a model does worse: by values of the columns that matter most, and row by row."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.answers import Predicted, own_probabilities
from shared.evaluation.assessment import Slice, WorstRow
from shared.evaluation.labels import plain, plain_cell
from shared.evaluation.weighted import plain_metrics

# Metrics of fewer rows say nothing.
LEAST_ROWS = 10
_MOST_VALUES = 8
_QUARTERS = 4
MOST_WORST = 20
_LONGEST = 200


def slices(
    raw: pd.DataFrame, columns: Sequence[str], answers: Predicted, target: NDArray[Any], *, task: Task
) -> list[Slice]:
    """The metrics of the rows of each value of the columns: words and few values as they are, numbers in quarters."""
    found: list[Slice] = []
    for name in columns:
        for value, rows in _groups(raw[name]):
            if rows.sum() >= LEAST_ROWS:
                measured = plain_metrics(answers.at_rows(rows), target[rows], task=task)
                found.append(Slice(column=name, value=value, rows=int(rows.sum()), metrics=measured))
    return found


def worst_rows(
    raw: pd.DataFrame, columns: Sequence[str], answers: Predicted, target: NDArray[Any], *, positions: NDArray[np.intp]
) -> list[WorstRow]:
    """The rows that are most wrong, the worst first, with their values in some columns.

    `positions` are those of the rows in the table, from 0. Rows that are right are none of them.
    """
    errors = _errors(answers, target)
    wrong = (target != answers.labels) if answers.classes is not None else errors != 0
    order = [at for at in np.argsort(-np.abs(errors), kind="stable") if wrong[at]][:MOST_WORST]
    cells = raw[list(columns)]
    return [
        WorstRow(
            row=int(positions[at]) + 1,
            actual=plain(target[at]),
            predicted=plain(answers.labels[at]),
            error=float(errors[at]),
            values={name: _short(plain_cell(cells[name].iloc[at])) for name in columns},
        )
        for at in order
    ]


def _errors(answers: Predicted, target: NDArray[Any]) -> NDArray[np.float64]:
    """Actual less predicted number; for labels, 1 less the probability of the actual one, or 1 for a wrong one."""
    if answers.classes is None:
        off: NDArray[np.float64] = target - answers.labels
        # A number that is missing is the worst of all.
        return np.where(np.isfinite(off), off, np.finfo(np.float64).max)
    if answers.probabilities is None:
        wrong: NDArray[np.float64] = (target != answers.labels).astype(np.float64)
        return wrong
    return 1 - own_probabilities(answers.probabilities, answers.classes, target)


def _groups(column: "pd.Series[Any]") -> Iterator[tuple[str, NDArray[np.bool_]]]:
    missing = column.isna().to_numpy()
    counts = column.value_counts()
    numbers = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if (numbers or pd.api.types.is_datetime64_any_dtype(column)) and len(counts) > _MOST_VALUES:
        named = list(_quarters(column))
    else:
        named = [
            (str(_short(plain_cell(value))), (column == value).to_numpy(dtype=np.bool_, na_value=False))
            for value in counts.index[:_MOST_VALUES]
        ]
    yield from named
    if missing.any():
        # A word of the table may say so, too.
        yield "missing (no value)" if "missing" in dict(named) else "missing", missing


def _quarters(column: "pd.Series[Any]") -> Iterator[tuple[str, NDArray[np.bool_]]]:
    parts = pd.qcut(column, _QUARTERS, duplicates="drop")
    for part in parts.cat.categories:
        low, high = (plain_cell(end) for end in (part.left, part.right))
        yield f"{_end(low)} to {_end(high)}", (parts == part).to_numpy(dtype=np.bool_, na_value=False)


def _end(value: Any) -> str:
    return value[:16] if isinstance(value, str) else f"{value:.4g}"


def _short(value: Any) -> Any:
    return f"{value[:_LONGEST]}…" if isinstance(value, str) and len(value) > _LONGEST else value
