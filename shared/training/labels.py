"""The target column as the estimator takes it, and labels as JSON has them. Labels stay what they are in the table."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.errors import TaskMismatch
from shared.estimators.catalogue import Estimator
from shared.estimators.tree import Node
from shared.tables.columns import Column, ColumnKind
from shared.training.checks.shape import flaws_of_weights, spellings, weight_key
from shared.training.checks.target import not_whole, single_class


def target_values(values: "pd.Series[Any]", column: Column, estimator: Estimator) -> NDArray[Any]:
    """The target without missing values, as `labels_of`; all of it.

    Raises:
        TaskMismatch: when a classifier meets fractional numbers.
        SingleClass: when a classifier meets one class only.
    """
    labels = labels_of(values, column, estimator)
    if estimator.task == "regression":
        return labels
    classes = pd.unique(pd.Series(labels))
    if len(classes) < 2:
        raise single_class(column.name)
    if estimator.marks_unlabelled and -1 in classes.tolist():
        raise TaskMismatch(
            f"{estimator.key} takes the label -1 for a row without a label, but '{column.name}' has it as a class. "
            "Use another classifier, or other labels."
        )
    return labels


def labels_of(values: "pd.Series[Any]", column: Column, estimator: Estimator) -> NDArray[Any]:
    """Some of the target without missing values: numbers for a regressor; labels of their own type for a classifier.

    Raises:
        TaskMismatch: when a classifier meets fractional numbers.
    """
    return values.to_numpy(dtype="float64") if estimator.task == "regression" else _labels(values, column, estimator)


def named_weights(weights: dict[str, Any], classes: list[Any], node: Node) -> dict[Any, Any]:
    """Class weights by label, instead of by the texts that the keys of a JSON object are.

    Raises:
        InvalidParameter: when a weight is given for a class that the target does not have, or the estimator cannot tell
            which class it is for.
    """
    numbered = node.labels == "numbered"
    flaw = next(flaws_of_weights(node.estimator.name, weights, classes, numbered=numbered), None)
    if flaw is not None:
        raise flaw.error(node.place)
    labels = spellings(classes)
    return {labels[name]: weight for name, weight in weights.items()}


def sought_weights(weights: dict[Any, Any], shown: list[Any], node: Node) -> dict[Any, Any]:
    """Weights by label as the estimator looks for them during its fit, which is shown these classes."""
    # Histogram boosting numbers the classes before it looks for their weights, and some hosts do it for all inside.
    numbered = node.labels == "numbered" or node.estimator.name == "HistGradientBoostingClassifier"
    # Other libraries look for the labels themselves.
    key = shown.index if numbered else weight_key if node.estimator.library is None else lambda label: label
    keys = {label: key(label) for label in shown}
    return {keys[label]: weight for label, weight in weights.items() if label in keys}


def _labels(values: "pd.Series[Any]", column: Column, estimator: Estimator) -> NDArray[Any]:
    if column.kind is ColumnKind.BOOLEAN:
        return values.to_numpy(dtype=np.bool_)
    if column.kind is ColumnKind.INTEGER:
        return values.to_numpy(dtype=np.int64)
    if column.kind is ColumnKind.NUMBER:
        numbers = values.to_numpy(dtype=np.float64)
        if not (numbers == np.floor(numbers)).all():
            sentence = not_whole(estimator, column.name)
            raise TaskMismatch(sentence, errors=[{"loc": ["body", "target_column"], "msg": sentence}])
        return numbers
    return np.array([str(value) for value in values], dtype=object)
