"""The models that `"models": "auto"` stands for: a table to be read and extended, and no cleverness.

A library that a worker may have beside scikit-learn, such as one for boosting, gets its rows here, with the condition
that it is among the estimators.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.estimators.signature import Task
from shared.tables.columns import Column, ColumnKind
from shared.training.spec import EstimatorChoice

# Neighbours are looked up among all rows at each prediction, and mean little where there are very many columns.
_ROWS_OF_NEIGHBOURS = 50_000
_COLUMNS_OF_NEIGHBOURS = 100
# From here on, histograms say the same as all values, in a small part of the time.
_ROWS_OF_FORESTS = 1_000_000
# Whole numbers are labels when they are as few as this, each in this many rows.
_MOST_LABELS = 20
_ROWS_PER_LABEL = 5


class _Usual(NamedTuple):
    module: str
    class_: str
    params: Mapping[str, Any] = MappingProxyType({})
    most_rows: float = float("inf")
    most_columns: float = float("inf")


_USUAL: Final[dict[Task, Sequence[_Usual]]] = {
    "classification": (
        _Usual("linear_model", "LogisticRegression", {"max_iter": 1000}),
        _Usual("naive_bayes", "GaussianNB"),
        _Usual("neighbors", "KNeighborsClassifier", most_rows=_ROWS_OF_NEIGHBOURS, most_columns=_COLUMNS_OF_NEIGHBOURS),
        _Usual("tree", "DecisionTreeClassifier", {"max_depth": 6}),
        _Usual("ensemble", "RandomForestClassifier", most_rows=_ROWS_OF_FORESTS),
        _Usual("ensemble", "ExtraTreesClassifier", most_rows=_ROWS_OF_FORESTS),
        _Usual("ensemble", "HistGradientBoostingClassifier"),
    ),
    "regression": (
        _Usual("linear_model", "Ridge"),
        _Usual("linear_model", "Lasso"),
        _Usual("neighbors", "KNeighborsRegressor", most_rows=_ROWS_OF_NEIGHBOURS, most_columns=_COLUMNS_OF_NEIGHBOURS),
        _Usual("tree", "DecisionTreeRegressor", {"max_depth": 6}),
        _Usual("ensemble", "RandomForestRegressor", most_rows=_ROWS_OF_FORESTS),
        _Usual("ensemble", "ExtraTreesRegressor", most_rows=_ROWS_OF_FORESTS),
        _Usual("ensemble", "HistGradientBoostingRegressor"),
    ),
}


def usual_models(target: Column | None, *, rows: int, columns: int) -> list[EstimatorChoice]:
    """The usual models for a target, without those that are not sensible for so many rows and columns to learn from.

    Without a target, those of labels: what the checks tell of a target that is not there is the same for all.
    """
    return [
        EstimatorChoice(module=each.module, class_=each.class_, params=dict(each.params))
        for each in _USUAL["classification" if target is None else task_of(target, rows=rows)]
        if rows <= each.most_rows and columns <= each.most_columns
    ]


def task_of(target: Column, *, rows: int) -> Task:
    """What is learnt of a target: numbers are amounts, but for whole numbers that are few and come again and again."""
    if target.kind is ColumnKind.NUMBER:
        return "regression"
    used = rows - target.missing
    labels = target.unique <= _MOST_LABELS and used >= _ROWS_PER_LABEL * target.unique
    return "regression" if target.kind is ColumnKind.INTEGER and not labels else "classification"
