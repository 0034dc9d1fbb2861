"""Reasons to doubt the metrics of a model: sentences for the notes of its report."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.labels import plain
from shared.tables.columns import Column, ColumnKind

FEW_ROWS = 10
_MOST_CLASSES = 5
# Fewer dates may be in order by chance.
_LEAST_MOMENTS = 10
# The share of neighbours that may be the wrong way round, and how far the ranks have to agree with the order of rows.
_MOST_OUT_OF_ORDER = 0.01
_LEAST_AGREEMENT = 0.9
_ROUNDING = 1e-9


def no_better_than_baseline(task: Task, metrics: dict[str, float], baseline: dict[str, float]) -> Iterator[str]:
    """A note when the model measures no better than one that never looks at the inputs."""
    name = "accuracy" if task == "classification" else "rmse"
    if name not in metrics or name not in baseline:
        return
    value, simple = metrics[name], baseline[name]
    if (value <= simple) if task == "classification" else (value >= simple):
        always = "the most frequent class" if task == "classification" else "the mean"
        measured = f"{name} {value:.4g}, baseline {simple:.4g}"
        yield f"The model is no better than predicting {always} for every row: {measured}."


def rare_classes(test: NDArray[Any], labels: NDArray[Any]) -> Iterator[str]:
    """A note on the classes with so few rows to measure on that their part of the metrics says little."""
    counts = pd.Series(test).value_counts()
    few = [(plain(label), int(counts.get(label, 0))) for label in labels if counts.get(label, 0) < FEW_ROWS]
    if few:
        shown = ", ".join(f"'{label}' ({count})" for label, count in few[:_MOST_CLASSES])
        more = f" and {len(few) - _MOST_CLASSES} more" if len(few) > _MOST_CLASSES else ""
        rough = "Their metrics are rough estimates."
        yield f"Classes with fewer than {FEW_ROWS} rows to measure on: {shown}{more}. {rough}"


def few_rows(measured: int) -> Iterator[str]:
    """A note when there are so few rows to measure on that no metric says much."""
    if measured < FEW_ROWS:
        rows = "1 row was" if measured == 1 else f"{measured} rows were"
        yield f"Only {rows} kept to measure on: all metrics are rough estimates. Add rows, or raise 'test_size'."


def perfect_score(task: Task, metrics: dict[str, float]) -> Iterator[str]:
    """A note when no test row was wrong: mostly a column tells the target, as none will where it is not known yet."""
    name = "accuracy" if task == "classification" else "r2"
    if metrics.get(name, 0.0) >= 1 - _ROUNDING:
        yield f"The score is perfect ({name} 1): look for a column that tells the target, and leave it out."


def ordered_rows(table: pd.DataFrame, columns: list[Column]) -> Iterator[str]:
    """A note when the rows are in the order of a date: a random split then tests on days between known ones."""
    for column in columns:
        if column.kind is ColumnKind.DATETIME and column.name in table and _in_order(table[column.name].dropna()):
            yield (
                f"The rows are in the order of '{column.name}'. The split is random, so the test rows lie "
                "between days that the model has seen; on later days it may do worse. A split by time measures that."
            )
            return


def _in_order(moments: "pd.Series[Any]") -> bool:
    """Whether moments rise, or fall, from row to row, but for a few and on the whole."""
    if moments.nunique() < _LEAST_MOMENTS:
        return False
    rising = moments.reset_index(drop=True).rank()
    steps = rising.diff().iloc[1:]
    if min((steps < 0).sum(), (steps > 0).sum()) > _MOST_OUT_OF_ORDER * len(steps):
        return False
    # The rows of one shop after those of another are in order nearly everywhere, too.
    return bool(abs(rising.corr(pd.Series(range(len(rising)), dtype="float64"))) > _LEAST_AGREEMENT)
