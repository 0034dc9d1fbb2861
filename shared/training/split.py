"""Which rows are fitted and which are measured on."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from shared.errors import InvalidSplit
from shared.estimators.signature import Task
from shared.training.spec import TrainingSpec


@dataclass(frozen=True)
class Split:
    """Positions of the rows of both parts; `note` says why the parts do not have the same share of each class."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    stratified: bool
    note: str | None


def split_rows(target: NDArray[Any], spec: TrainingSpec, *, task: Task) -> Split:
    """Split at random, with the same share of each class in both parts where the classes have rows enough.

    Raises:
        InvalidSplit: when the part to fit has rows of one class only.
    """
    note = _against_stratifying(target, spec.test_size) if task == "classification" else None
    stratified = task == "classification" and note is None
    train, test = train_test_split(
        np.arange(len(target)),
        test_size=spec.test_size,
        random_state=spec.random_state,
        stratify=target if stratified else None,
    )
    if task == "classification" and len(set(target[train].tolist())) < 2:
        sentence = (
            f"All {len(train)} rows that a 'test_size' of {spec.test_size:g} leaves to fit are of one class. "
            "Choose a smaller 'test_size', another 'random_state', or add rows of the other classes."
        )
        raise InvalidSplit(sentence, errors=[{"loc": ["body", "test_size"], "msg": sentence}])
    return Split(train=train, test=test, stratified=stratified, note=note)


def _against_stratifying(target: NDArray[Any], test_size: float) -> str | None:
    _, counts = np.unique(target, return_counts=True)
    if counts.min() < 2:
        return "The split is not stratified: a class has one row only."
    test = math.ceil(test_size * len(target))
    if min(test, len(target) - test) < len(counts):
        return "The split is not stratified: one of its parts has fewer rows than there are classes."
    return None
