"""Models fitted on parts of the training rows, each measured on the rest: how much a metric depends on chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shared.estimators.signature import Task
from shared.evaluation.answers import Floats, Predicted, ask
from shared.evaluation.assessment import Fold, MetricSpread
from shared.evaluation.labels import coded
from shared.evaluation.weighted import plain_metrics

# Positions of the rows that are fitted and of those that are measured on.
Parts = Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]]
# A model made anew and fitted to the rows at these positions.
FitAnew = Callable[[NDArray[np.intp]], Any]


@dataclass(frozen=True)
class OutOfFold:
    """What was said of rows by models that had not seen them: `rows` are their positions, in the order of `answers`."""

    rows: NDArray[np.intp]
    answers: Predicted
    folds: list[Fold]


def out_of_fold(
    fit: FitAnew,
    inputs: pd.DataFrame,
    target: NDArray[Any],
    parts: Parts,
    *,
    task: Task,
    told: Callable[[int], None],
) -> OutOfFold:
    """Fit and ask a model for each part; `told` hears how many are done. What the fit raises goes through."""
    classes = coded(target)[0] if task == "classification" else None
    answers, folds = [], []
    for number, (fitted, measured) in enumerate(parts, start=1):
        model = fit(fitted)
        found = _of_all(ask(model, inputs.iloc[measured]), classes)
        folds.append(
            Fold(
                training=len(fitted),
                test=len(measured),
                metrics=plain_metrics(found, target[measured], task=task),
            )
        )
        answers.append(found)
        told(number)
    return OutOfFold(np.concatenate([measured for _, measured in parts]), _together(answers), folds)


def spread_of(folds: Sequence[Fold]) -> dict[str, MetricSpread]:
    """Mean and standard deviation of the metrics that every fold has."""
    names = [name for name in folds[0].metrics if all(name in fold.metrics for fold in folds)] if folds else []
    values = {name: [fold.metrics[name] for fold in folds] for name in names}
    return {name: MetricSpread(mean=float(np.mean(each)), std=float(np.std(each))) for name, each in values.items()}


def _of_all(answers: Predicted, classes: NDArray[Any] | None) -> Predicted:
    """The same with a probability for each label, also for those that the fold's model has not met."""
    if classes is None or answers.classes is None or answers.probabilities is None:
        return answers
    if np.array_equal(answers.classes, classes):
        return answers
    whole: Floats = np.zeros((len(answers.labels), len(classes)))
    whole[:, np.searchsorted(classes, answers.classes)] = answers.probabilities
    return Predicted(answers.labels, classes, whole)


def _together(answers: Sequence[Predicted]) -> Predicted:
    first = answers[0]
    labels = np.concatenate([each.labels for each in answers])
    # A fold whose model met one label only may give no scores where others do.
    probabilities = [each.probabilities for each in answers if each.probabilities is not None]
    whole = np.concatenate(probabilities) if len(probabilities) == len(answers) else None
    return Predicted(labels, first.classes, whole)
