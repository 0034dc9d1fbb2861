"""The models that `"models": "auto"` stands for: a table to be read and extended, and no cleverness.

Those of libraries beside scikit-learn have their rows, too. Whether a library is installed, the checks of a training
say, as of every other request.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from shared.estimators.libraries.installed import LIBRARIES
from shared.estimators.signature import Task
from shared.tables.columns import Column, ColumnKind
from shared.training.spec import EstimatorChoice

# Neighbours are looked up among all rows at each prediction, and mean little where there are very many columns.
_ROWS_OF_NEIGHBOURS = 50_000
_COLUMNS_OF_NEIGHBOURS = 100
# Above, histograms say the same as all values, in a small part of the time, and each tree of a forest sees some rows.
_MANY_ROWS = 1_000_000
# Of more models, those that resemble another one give way.
_MOST = 8
# Whole numbers are labels when they are as few as this, each in this many rows.
_MOST_LABELS = 20
_ROWS_PER_LABEL = 5


class _Usual(NamedTuple):
    module: str
    class_: str
    params: Mapping[str, Any] = MappingProxyType({})
    rows: tuple[float, float] = (0, float("inf"))
    most_columns: float = float("inf")
    # The highest gives way first.
    gives_way: int = 0

    @property
    def choice(self) -> EstimatorChoice:
        """As a specification has it."""
        return EstimatorChoice(module=self.module, class_=self.class_, params=dict(self.params))


def _neighbours(name: str) -> _Usual:
    return _Usual("neighbors", name, rows=(0, _ROWS_OF_NEIGHBOURS), most_columns=_COLUMNS_OF_NEIGHBOURS)


def _trees(ends: str) -> Sequence[_Usual]:
    """One tree, forests and boosting, for labels and for numbers."""
    few, many = (0, _MANY_ROWS), (_MANY_ROWS + 1, float("inf"))
    return (
        _Usual("tree", f"DecisionTree{ends}", {"max_depth": 6}),
        _Usual("ensemble", f"RandomForest{ends}", rows=few),
        _Usual("ensemble", f"RandomForest{ends}", {"max_samples": 0.1}, rows=many),
        _Usual("ensemble", f"ExtraTrees{ends}", rows=few, gives_way=2),
        _Usual("ensemble", f"HistGradientBoosting{ends}"),
        _Usual("lightgbm", f"LGBM{ends}"),
        _Usual("xgboost", f"XGB{ends}"),
        _Usual("catboost", f"CatBoost{ends}", {"iterations": 300}, rows=few),
    )


_USUAL: Final[dict[Task, Sequence[_Usual]]] = {
    "classification": (
        _Usual("linear_model", "LogisticRegression", {"max_iter": 1000}),
        _Usual("naive_bayes", "GaussianNB", gives_way=1),
        _neighbours("KNeighborsClassifier"),
        *_trees("Classifier"),
    ),
    "regression": (
        _Usual("linear_model", "Ridge"),
        _Usual("linear_model", "Lasso", gives_way=1),
        _neighbours("KNeighborsRegressor"),
        *_trees("Regressor"),
    ),
}


def usual_models(
    target: Column | None, *, rows: int, columns: int, suits: Callable[[EstimatorChoice], bool]
) -> list[EstimatorChoice]:
    """The usual models for a target, without those that are not sensible for so many rows and columns to learn from.

    Those that do not suit are left out; where none does, all are named, for their problems say why. Without a target,
    they are those of labels: what the checks tell of a target that is not there is the same for all.
    """
    sensible = [
        each
        for each in _USUAL["classification" if target is None else task_of(target, rows=rows)]
        if each.rows[0] <= rows <= each.rows[1] and columns <= each.most_columns
    ]
    suitable = [each for each in sensible if suits(each.choice)]
    # What a library that is not here lacks would say nothing of the target.
    suitable = suitable or [each for each in sensible if each.module not in LIBRARIES]
    staying = sorted(suitable, key=lambda each: each.gives_way)[:_MOST]
    return [each.choice for each in suitable if each in staying]


def task_of(target: Column, *, rows: int) -> Task:
    """What is learnt of a target: numbers are amounts, but for whole numbers that are few and come again and again."""
    if target.kind is ColumnKind.NUMBER:
        return "regression"
    used = rows - target.missing
    labels = target.unique <= _MOST_LABELS and used >= _ROWS_PER_LABEL * target.unique
    return "regression" if target.kind is ColumnKind.INTEGER and not labels else "classification"
