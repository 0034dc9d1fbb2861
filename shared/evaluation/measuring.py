"""Metrics of what a model says, and of a dummy for comparison, on rows that neither has seen."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor

from shared.estimators.signature import Task
from shared.evaluation.answers import Predicted, ask
from shared.evaluation.assessment import NO_PROBABILITIES
from shared.evaluation.labels import coded
from shared.evaluation.targets import Targets

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


def evaluate(answers: Predicted, target: Labels, *, task: Task) -> Evaluation:
    """Metrics of labels and probabilities for a classifier, of distances for a regressor.

    accuracy, balanced_accuracy and f1_macro; roc_auc (one class against the rest, averaged, when there are more than
    two) and log_loss where the model gives scores. r2, rmse and mae.
    """
    evaluation = Evaluation()
    with warnings.catch_warnings():
        # The notes say what scikit-learn would warn of: classes without rows, metrics that are not defined.
        warnings.simplefilter("ignore")
        if task == "classification":
            _classification(evaluation, answers, target)
        else:
            _regression(evaluation, answers, target)
    return evaluation


def evaluate_baseline(train: Targets, test: Labels, *, task: Task) -> dict[str, Any]:
    """Metrics of a dummy that ignores the inputs and predicts the class shares, or the mean, of the training part."""
    dummy = DummyClassifier(strategy="prior") if task == "classification" else DummyRegressor(strategy="mean")
    values, rows = train.values, train.rows
    if rows is None and task == "classification":
        # No more than these count, and the dummy would sort the labels of all rows.
        values, codes = coded(values)
        rows = np.bincount(codes)
    dummy.fit(np.zeros((len(values), 1)), values, sample_weight=rows)
    measured = evaluate(ask(dummy, np.zeros((len(test), 1))), test, task=task)
    return {"estimator": f"dummy.{type(dummy).__name__}", "metrics": measured.metrics}


def _classification(evaluation: Evaluation, answers: Predicted, target: Labels) -> None:
    predicted, classes, probabilities = answers.labels, answers.classes, answers.probabilities
    assert classes is not None, "a classifier has labels"  # noqa: S101 - an invariant
    # Each metric would sort the labels of all rows again.
    _, codes = coded(np.concatenate([classes, target, predicted]))
    known, actual, said = np.split(codes, [len(classes), len(classes) + len(target)])
    evaluation.add("accuracy", lambda: metrics.accuracy_score(actual, said))
    evaluation.add("balanced_accuracy", lambda: metrics.balanced_accuracy_score(actual, said))
    evaluation.add("f1_macro", lambda: metrics.f1_score(actual, said, average="macro"))
    if not np.isin(actual, known).all():
        evaluation.notes.append(
            "roc_auc and log_loss are left out: the test part has classes that the training part does not have."
        )
        return
    _add_roc_auc(evaluation, answers, actual, known)
    if probabilities is None:
        evaluation.notes.append(f"log_loss is left out: {NO_PROBABILITIES}.")
    else:
        evaluation.add("log_loss", lambda: metrics.log_loss(actual, probabilities, labels=known))


def _add_roc_auc(evaluation: Evaluation, answers: Predicted, target: Labels, classes: Labels) -> None:
    probabilities, ranking = answers.probabilities, answers.ranking
    if len(np.unique(target)) < len(classes):
        evaluation.notes.append("roc_auc is left out: the test part does not have rows of every class.")
    elif ranking is not None:
        evaluation.add("roc_auc", lambda: metrics.roc_auc_score(target == classes[1], ranking))
    elif probabilities is not None:
        evaluation.add(
            "roc_auc",
            lambda: metrics.roc_auc_score(target, probabilities, multi_class="ovr", average="macro", labels=classes),
        )
    else:
        evaluation.notes.append(f"roc_auc is left out: {NO_PROBABILITIES}.")


def _regression(evaluation: Evaluation, answers: Predicted, target: Labels) -> None:
    predicted = answers.labels
    if not np.isfinite(predicted).all():
        count = int((~np.isfinite(predicted)).sum())
        evaluation.notes.append(f"The model gives no number for {count} of {len(target)} test rows: no metrics.")
        return
    evaluation.add("r2", lambda: metrics.r2_score(target, predicted))
    evaluation.add("rmse", lambda: metrics.root_mean_squared_error(target, predicted))
    evaluation.add("mae", lambda: metrics.mean_absolute_error(target, predicted))
