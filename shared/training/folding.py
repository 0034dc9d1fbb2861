"""The folds of the training rows: in the way in which the rows to measure on were chosen."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from shared.estimators.signature import Task
from shared.evaluation.folds import Parts
from shared.evaluation.labels import coded
from shared.training.spec import TrainingSpec
from shared.training.split import codes

USUAL_FOLDS = 5


class NoFolds(Exception):
    """The rows cannot be parted into so many folds; the message says why."""


def folds_of(target: NDArray[Any], spec: TrainingSpec, count: int, *, task: Task, by: "pd.Series[Any] | None") -> Parts:
    """The folds of the training rows, whose targets and values of `by` are given, as positions among them.

    Raises:
        NoFolds: when there are too few rows, groups or moments.
    """
    if len(target) < 2 * count:
        raise NoFolds(f"{count} folds of {len(target)} rows would have less than two rows each")
    classes = task == "classification"
    if classes:
        # What parts rows looks for the labels several times, which takes long with texts.
        _, target = coded(target)
    if by is None or spec.split.method == "random":
        parts = _at_random(target, spec, count, classes=classes)
    elif spec.split.method == "grouped":
        parts = _by_group(target, by, spec, count, classes=classes)
    else:
        parts = _by_time(by, count)
    if classes and any(len(np.unique(target[fitted])) < 2 for fitted, _ in parts):
        raise NoFolds("a fold would have rows of one class only to fit")
    return parts


def _at_random(target: NDArray[Any], spec: TrainingSpec, count: int, *, classes: bool) -> Parts:
    positions = np.arange(len(target))
    least = np.unique(target, return_counts=True)[1].min() if classes else 0
    chooser = StratifiedKFold if least >= count else KFold
    return list(chooser(count, shuffle=True, random_state=spec.random_state).split(positions, target))


def _by_group(target: NDArray[Any], by: "pd.Series[Any]", spec: TrainingSpec, count: int, *, classes: bool) -> Parts:
    groups = by.nunique()
    if groups < count:
        raise NoFolds(f"'{by.name}' has {groups} groups in the rows to fit, fewer than {count} folds")
    positions = np.arange(len(target))
    least = np.unique(target, return_counts=True)[1].min() if classes else 0
    chooser = StratifiedGroupKFold if least >= count else GroupKFold
    return list(chooser(count, shuffle=True, random_state=spec.random_state).split(positions, target, codes(by)))


def _by_time(by: "pd.Series[Any]", count: int) -> Parts:
    """Each fold is later than all that its model is fitted on. Rows of one moment stay together."""
    moments = codes(by.sort_values(kind="stable"))
    order = np.argsort(by.to_numpy(), kind="stable")
    steps = int(moments.max()) + 1
    if steps <= count:
        raise NoFolds(f"'{by.name}' has {steps} different moments in the rows to fit, too few for {count} folds")
    numbers = np.arange(steps)
    return [
        (order[np.isin(moments, fitted)], order[np.isin(moments, measured)])
        for fitted, measured in TimeSeriesSplit(count).split(numbers)
    ]
