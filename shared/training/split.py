"""Which rows are fitted and which are measured on."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from shared.errors import InvalidSplit
from shared.estimators.signature import Task
from shared.evaluation.labels import coded
from shared.training.spec import TrainingSpec

Positions = NDArray[np.intp]


@dataclass(frozen=True)
class Split:
    """Positions of the rows of both parts; `note` says why the parts do not have the same share of each class."""

    train: Positions
    test: Positions
    stratified: bool
    note: str | None


def split_rows(target: NDArray[Any], spec: TrainingSpec, *, task: Task, by: "pd.Series[Any] | None" = None) -> Split:
    """Split at random, with the same share of each class in both parts where the classes have rows enough; or by groups
    or by time, as the values of `by` say for the rows of `target`.

    Raises:
        InvalidSplit: when the part to fit has rows of one class only, a part would be empty, or `by` has gaps.
    """
    method = spec.split.method
    if method == "random" or by is None:
        split = _at_random(target, spec, task)
    else:
        _refuse_gaps(by, spec)
        split = _by_group(by, spec) if method == "grouped" else _by_time(by, spec)
    if task == "classification" and len(set(target[split.train].tolist())) < 2:
        other = "another 'random_state'" if method != "time" else "another way to split"
        raise _problem(
            f"All {len(split.train)} rows that a 'test_size' of {spec.test_size:g} leaves to fit are of one class. "
            f"Choose a smaller 'test_size', {other}, or add rows of the other classes."
        )
    return split


def _at_random(target: NDArray[Any], spec: TrainingSpec, task: Task) -> Split:
    if task == "classification":
        # What splits looks for the labels several times, which takes long with texts.
        _, target = coded(target)
    note = _against_stratifying(target, spec.test_size) if task == "classification" else None
    stratified = task == "classification" and note is None
    train, test = train_test_split(
        np.arange(len(target)),
        test_size=spec.test_size,
        random_state=spec.random_state,
        stratify=target if stratified else None,
    )
    return Split(train=train, test=test, stratified=stratified, note=note)


def _by_group(by: "pd.Series[Any]", spec: TrainingSpec) -> Split:
    groups = by.nunique()
    if math.ceil(spec.test_size * groups) >= groups:
        raise _problem(
            f"'{by.name}' has {groups} {'groups' if groups > 1 else 'group'}, of which a 'test_size' of "
            f"{spec.test_size:g} leaves none to fit. Choose a smaller 'test_size' or another column, or add groups.",
        )
    chooser = GroupShuffleSplit(n_splits=1, test_size=spec.test_size, random_state=spec.random_state)
    train, test = next(chooser.split(by, groups=codes(by)))
    return Split(train=train, test=test, stratified=False, note=None)


def _by_time(by: "pd.Series[Any]", spec: TrainingSpec) -> Split:
    """The last rows are measured on. Rows of one moment stay together: with the later ones, unless that is all."""
    moments = by.to_numpy()
    order = np.argsort(moments, kind="stable")
    first = moments[order[len(order) - math.ceil(spec.test_size * len(order))]]
    train, test = order[moments[order] < first], order[moments[order] >= first]
    if not len(train):
        train, test = order[moments[order] <= first], order[moments[order] > first]
    if not len(test):
        raise _problem(
            f"All rows have the same value in '{by.name}', so none is later than others. Choose another column."
        )
    return Split(train=train, test=test, stratified=False, note=None)


def deciding(rows: pd.DataFrame, spec: TrainingSpec) -> "pd.Series[Any] | None":
    """The column that decides the split; None where chance does."""
    return None if spec.split.by is None else rows[spec.split.by].copy()


def codes(by: "pd.Series[Any]") -> NDArray[np.intp]:
    """A number for each group, the same for rows of the same value."""
    numbers: NDArray[np.intp] = pd.factorize(by)[0]
    return numbers


def _refuse_gaps(by: "pd.Series[Any]", spec: TrainingSpec) -> None:
    missing = by.isna().to_numpy()
    if missing.any():
        # The first row of values is row 1.
        row = int(by.index[int(missing.argmax())]) + 1
        rows = f"{missing.sum():,} rows, first in row {row:,}"
        raise _problem(
            f"'{by.name}' decides the split ('{spec.split.method}'), but it has no value in {rows}. Fill these in, "
            "leave these rows out, or split by another column."
        )


def _problem(sentence: str) -> InvalidSplit:
    return InvalidSplit(sentence, errors=[{"loc": ["body", "split"], "msg": sentence}])


def _against_stratifying(target: NDArray[Any], test_size: float) -> str | None:
    _, counts = np.unique(target, return_counts=True)
    if counts.min() < 2:
        return "The split is not stratified: a class has one row only."
    test = math.ceil(test_size * len(target))
    if min(test, len(target) - test) < len(counts):
        return "The split is not stratified: one of its parts has fewer rows than there are classes."
    return None
