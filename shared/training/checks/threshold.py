"""What can be known to be wrong with a threshold before anything is fitted. Imports no scikit-learn."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from shared.errors import InvalidRequest, PlatformError, TaskMismatch
from shared.estimators.needs import gives_probabilities
from shared.estimators.thresholds import ErrorCosts, ThresholdChoice, label_meant
from shared.estimators.tree import Node
from shared.tables.columns import Column
from shared.training.spec import TrainingSpec

_SHOWN = 80
_TWO = 2

# Costs of a million rows at this price are still told apart.
MOST_COST = 1e12


def problems_of_threshold(
    spec: TrainingSpec, node: Node, target: Column, labels: Sequence[Any] | None
) -> Iterator[PlatformError]:
    """A threshold is for a classifier of two labels that gives probabilities; `labels` are those that are known."""
    choice, estimator = spec.threshold, node.estimator
    if choice is None:
        return
    yield from _of_choice(choice, folds=spec.split.folds)
    if estimator.task == "regression":
        sentence = f"{estimator.key} predicts numbers, and a threshold parts two labels. Leave out 'threshold', or use"
        yield _problem(TaskMismatch, f"{sentence} a classifier.")
        return
    if target.unique > _TWO:
        yield _problem(TaskMismatch, wrong_labels(target.name, target.unique))
    elif choice.positive is not None and labels is not None and label_meant(choice.positive, labels) is None:
        yield unknown_label(choice.positive, labels, target.name)
    if not gives_probabilities(node):
        yield _problem(
            InvalidRequest,
            f"{estimator.key} gives no probabilities here, which a threshold is applied to. Leave out 'threshold', "
            "choose an estimator that gives some, or put this one into 'calibration.CalibratedClassifierCV'.",
        )


def wrong_labels(target: str, count: int) -> str:
    """Why a target of so many labels has no threshold."""
    labels = "1 label" if count == 1 else f"{count:,} labels"
    return (
        f"A threshold parts two labels, but '{target}' has {labels} in the rows to fit. Leave out 'threshold', or "
        "choose a target with two labels."
    )


def unknown_label(given: Any, labels: Sequence[Any], target: str) -> InvalidRequest:
    """The error of a positive label that the target does not have."""
    shown = json.dumps(given, ensure_ascii=False)[:_SHOWN]
    known = " and ".join(json.dumps(label, ensure_ascii=False)[:_SHOWN] for label in labels)
    sentence = f"{shown} is no label of '{target}', which has {known}. Name one of them as 'positive'."
    return InvalidRequest(sentence, errors=[_place(sentence, "positive")])


def _of_choice(choice: ThresholdChoice, *, folds: int | None) -> Iterator[PlatformError]:
    if choice.value is not None and not 0 < choice.value < 1:
        sentence = f"A threshold is a probability above 0 and below 1, not {choice.value:g}. 0.5 treats both labels"
        yield _problem(InvalidRequest, f"{sentence} alike.")
    if choice.cost is not None:
        yield from _of_costs(choice.cost)
    if choice.needs_folds and folds == 0:
        yield _problem(
            InvalidRequest,
            "A threshold is chosen on folds of the rows to fit, and 'folds' is 0 for none. Ask for 2 'folds' or more, "
            "or give a number as 'threshold'.",
        )


def _of_costs(cost: ErrorCosts) -> Iterator[PlatformError]:
    named = {"false_positive": cost.false_positive, "false_negative": cost.false_negative}
    for name, value in named.items():
        if value < 0 or not math.isfinite(value):
            sentence = f"The cost '{name}' is a number from 0 on, not {value:g}. What is right costs nothing."
            yield InvalidRequest(sentence, errors=[_place(sentence, "cost", name)])
        elif value > MOST_COST:
            sentence = f"The cost '{name}' is at most {MOST_COST:g}, not {value:g}: only the ratio of both matters."
            yield InvalidRequest(sentence, errors=[_place(sentence, "cost", name)])
    if not any(named.values()):
        sentence = "If both costs are 0, each threshold is as good as another. Give at least one of them above 0."
        yield InvalidRequest(sentence, errors=[_place(sentence, "cost")])


def _problem(kind: type[PlatformError], sentence: str) -> PlatformError:
    return kind(sentence, errors=[_place(sentence)])


def _place(sentence: str, *further: str) -> dict[str, object]:
    return {"loc": ["body", "threshold", *further], "msg": sentence}
