"""Measures a fitted model, and a dummy estimator for comparison, on rows that the model has not seen."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor

from shared.estimators.signature import Task
from shared.training.facts import NO_PROBABILITIES

Labels = NDArray[Any]


@dataclass
class Evaluation:
    """Metrics by name, and notes that say why others are missing."""

    metrics: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, name: str, measure: Callable[[], Any]) -> None:
        """Take the number that `measure` gives, or note that there is none."""
        try:
            value = float(measure())
        except ValueError as error:
            self.notes.append(f"{name} is not defined here: {str(error).partition('.')[0]}.")
            return
        if math.isfinite(value):
            self.metrics[name] = value
        else:
            self.notes.append(f"{name} is not defined here: it is not a finite number.")


def evaluate(model: BaseEstimator, inputs: Any, target: Labels, *, task: Task) -> Evaluation:
    """Metrics of a fitted model: of labels and probabilities for a classifier, of distances for a regressor.

    accuracy, balanced_accuracy and f1_macro; roc_auc (one class against the rest, averaged, when there are more than
    two) and log_loss where the model gives scores. r2, rmse and mae.
    """
    evaluation = Evaluation()
    with warnings.catch_warnings():
        # The notes say what scikit-learn would warn of: classes without rows, metrics that are not defined.
        warnings.simplefilter("ignore")
        if task == "classification":
            _classification(evaluation, model, inputs, target)
        else:
            _regression(evaluation, model, inputs, target)
    return evaluation


def evaluate_baseline(train: Labels, test: Labels, *, task: Task) -> dict[str, Any]:
    """Metrics of a dummy that ignores the inputs and predicts the class shares, or the mean, of the training part."""
    dummy = DummyClassifier(strategy="prior") if task == "classification" else DummyRegressor(strategy="mean")
    dummy.fit(np.zeros((len(train), 1)), train)
    measured = evaluate(dummy, np.zeros((len(test), 1)), test, task=task)
    return {"estimator": f"dummy.{type(dummy).__name__}", "metrics": measured.metrics}


def _classification(evaluation: Evaluation, model: Any, inputs: Any, target: Labels) -> None:
    predicted = model.predict(inputs)
    evaluation.add("accuracy", lambda: metrics.accuracy_score(target, predicted))
    evaluation.add("balanced_accuracy", lambda: metrics.balanced_accuracy_score(target, predicted))
    evaluation.add("f1_macro", lambda: metrics.f1_score(target, predicted, average="macro"))
    classes = model.classes_
    unseen = set(target.tolist()) - set(classes.tolist())
    if unseen:
        evaluation.notes.append(
            "roc_auc and log_loss are left out: the test part has classes that the training part does not have."
        )
        return
    probabilities = model.predict_proba(inputs) if hasattr(model, "predict_proba") else None
    _add_roc_auc(evaluation, model, inputs, target, probabilities)
    if probabilities is None:
        evaluation.notes.append(f"log_loss is left out: {NO_PROBABILITIES}.")
    else:
        evaluation.add("log_loss", lambda: metrics.log_loss(target, probabilities, labels=classes))


def _add_roc_auc(
    evaluation: Evaluation, model: Any, inputs: Any, target: Labels, probabilities: NDArray[np.float64] | None
) -> None:
    classes = model.classes_
    if len(set(target.tolist())) < len(classes):
        evaluation.notes.append("roc_auc is left out: the test part does not have rows of every class.")
    elif len(classes) == 2 and (probabilities is not None or hasattr(model, "decision_function")):
        scores = model.decision_function(inputs) if probabilities is None else probabilities[:, 1]
        evaluation.add("roc_auc", lambda: metrics.roc_auc_score(target == classes[1], scores))
    elif probabilities is not None:
        evaluation.add(
            "roc_auc",
            lambda: metrics.roc_auc_score(target, probabilities, multi_class="ovr", average="macro", labels=classes),
        )
    else:
        evaluation.notes.append(f"roc_auc is left out: {NO_PROBABILITIES}.")


def _regression(evaluation: Evaluation, model: Any, inputs: Any, target: Labels) -> None:
    predicted = np.asarray(model.predict(inputs), dtype=np.float64).reshape(-1)
    if not np.isfinite(predicted).all():
        count = int((~np.isfinite(predicted)).sum())
        evaluation.notes.append(f"The model gives no number for {count} of {len(target)} test rows: no metrics.")
        return
    evaluation.add("r2", lambda: metrics.r2_score(target, predicted))
    evaluation.add("rmse", lambda: metrics.root_mean_squared_error(target, predicted))
    evaluation.add("mae", lambda: metrics.mean_absolute_error(target, predicted))
