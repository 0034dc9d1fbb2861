"""What a model says of some rows, asked once for all that is measured."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.compiled.making.checking import columns_of
from shared.compiled.model import CompiledModel

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """One entry per row.

    `labels` are labels or numbers. Of a classifier, `classes` are its labels in the order of the columns of
    `probabilities`; where it has none, `scores` tell two labels apart, higher for the second one.
    """

    labels: NDArray[Any]
    classes: NDArray[Any] | None = None
    probabilities: Floats | None = None
    scores: Floats | None = None

    def at_rows(self, rows: NDArray[Any]) -> "Predicted":
        """The answers for some of the rows, by position or by mask."""
        return Predicted(
            self.labels[rows],
            self.classes,
            None if self.probabilities is None else self.probabilities[rows],
            None if self.scores is None else self.scores[rows],
        )

    @property
    def unanswered(self) -> int:
        """Of how many rows nothing can be measured: not one of all numbers, or a probability or score, is finite."""
        told = self.scores if self.probabilities is None else self.probabilities
        if told is not None:
            return int(np.count_nonzero(~np.isfinite(told).reshape(len(told), -1).all(axis=1)))
        no_number = self.classes is None and not np.isfinite(self.labels).any()
        return len(self.labels) if no_number else 0

    @property
    def ranking(self) -> Floats | None:
        """What ranks rows by the second of two labels; None where there are other labels or nothing that ranks."""
        if self.classes is None or len(self.classes) != 2:
            return None
        return self.scores if self.probabilities is None else self.probabilities[:, 1]


# Asks a model about a table of inputs.
Ask = Callable[[pd.DataFrame], Predicted]


def ask(model: Any, inputs: Any) -> Predicted:
    """What a fitted model says of inputs, as it takes them."""
    labels = np.asarray(model.predict(inputs))
    classes = classes_of(model)
    if classes is None:
        return Predicted(labels.astype(np.float64).reshape(-1))
    if hasattr(model, "predict_proba"):
        return Predicted(labels, classes, probabilities=np.asarray(model.predict_proba(inputs), dtype=np.float64))
    if len(classes) == 2 and hasattr(model, "decision_function"):
        return Predicted(labels, classes, scores=np.asarray(model.decision_function(inputs), dtype=np.float64))
    return Predicted(labels, classes)


def classes_of(model: Any) -> NDArray[Any] | None:
    """The labels of a fitted classifier; None for a regressor, of which some libraries say that it has no labels."""
    classes: NDArray[Any] | None = getattr(model, "classes_", None)
    return None if classes is None or len(classes) == 0 else classes


def own_probabilities(probabilities: Floats, classes: NDArray[Any], target: NDArray[Any]) -> Floats:
    """The probability that each row's actual label got; 0 for a label that the model has not met."""
    place = {label: at for at, label in enumerate(classes.tolist())}
    places = np.array([place.get(label, -1) for label in target.tolist()], dtype=np.intp)
    return np.where(places >= 0, probabilities[np.arange(len(target)), places], 0.0)


def asking(model: Any, compiled: CompiledModel | None) -> Ask:
    """How to ask about tables: the compiled form where there is one, which gives the same answers faster."""
    if compiled is None:
        return lambda table: ask(model, table)
    classes = classes_of(model)

    def ask_compiled(table: pd.DataFrame) -> Predicted:
        found = compiled.compute(columns_of(compiled, table), probabilities=True)
        if classes is None:
            return Predicted(found.predictions)
        return Predicted(classes[found.predictions], classes, found.probabilities)

    return ask_compiled
