"""The threshold of a training: chosen on what the models of its folds say, and put around the model of all rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import FixedThresholdClassifier

from shared.errors import InvalidSplit, TaskMismatch
from shared.estimators.thresholds import Threshold, ThresholdChoice, label_meant
from shared.evaluation.answers import Predicted
from shared.evaluation.assessment import Fold
from shared.evaluation.folds import OutOfFold
from shared.evaluation.threshold_told import ThresholdCurve, ThresholdTold
from shared.evaluation.thresholds import HALF, Chosen, choose, count, relabelled, score
from shared.evaluation.weighted import plain_metrics
from shared.training.checks.threshold import unknown_label, wrong_labels
from shared.training.model_fit import Fit
from shared.training.preparing import Prepared
from shared.training.steps import OnStep
from shared.training.time_left import TimeLeft
from shared.training.validating import Validation, validate


@dataclass(frozen=True)
class LabelDecision:
    """A threshold for the models of one training, and what is told of it."""

    threshold: Threshold
    told: ThresholdTold

    def around(self, model: Any) -> FixedThresholdClassifier:
        """The fitted model with the threshold: a class of scikit-learn, whose labels follow from it everywhere."""
        return FixedThresholdClassifier(
            model,
            threshold=self.threshold.value,
            pos_label=self.threshold.positive,
            response_method="predict_proba",
        )

    def answers(self, answers: Predicted) -> Predicted:
        """What the model says with it, where `answers` are what it says without."""
        return relabelled(answers, self.threshold.value, self.threshold.positive)

    def validated(self, ready: Prepared, validation: Validation) -> Validation:
        """The folds, measured with it."""
        if validation.found is None:
            return validation
        return Validation(
            folds=list(self._folds(ready, validation.found)),
            uncertainty=validation.uncertainty,
            promise=validation.promise,
            notes=[*validation.notes, *_notes(self.told)],
            found=validation.found,
        )

    def _folds(self, ready: Prepared, found: OutOfFold) -> Iterator[Fold]:
        target, answers = ready.target[ready.split.train][found.rows], self.answers(found.answers)
        start = 0
        for fold in found.folds:
            rows = np.arange(start, start + fold.test)
            start += fold.test
            metrics = plain_metrics(answers.at_rows(rows), target[rows], task=ready.task)
            yield fold.model_copy(update={"metrics": metrics})


def decide(ready: Prepared, validation: Validation, tested: Predicted) -> LabelDecision | None:
    """The threshold that the request wants, if it wants one; `tested` is what the model says of rows kept back.

    Raises:
        TaskMismatch: when the rows to learn from have more than two labels.
        InvalidRequest: when the positive label is none of them.
        InvalidSplit: when it is to be chosen and there are no folds to choose it on.
    """
    choice = ready.spec.threshold
    if choice is None:
        return None
    positive = _positive(ready, choice)
    kept_back = ready.target[ready.split.test] == positive
    if choice.value is not None:
        threshold = Threshold(value=choice.value, positive=positive)
        return LabelDecision(threshold, ThresholdTold(value=choice.value, positive=positive, chosen_for=choice.named))
    found = validation.found
    if found is None or found.answers.probabilities is None:
        raise _no_folds(validation)
    having = ready.target[ready.split.train][found.rows] == positive
    chosen = choose(_shares_of(found.answers, positive), having, choice)
    scores = _scores(_shares_of(tested, positive), kept_back, [chosen.value, HALF], choice)
    return LabelDecision(
        Threshold(value=chosen.value, positive=positive), _told(choice, positive, chosen, scores, having)
    )


def decide_again(ready: Prepared, fit: Fit, tested: Predicted, on_step: OnStep, *, usual: int) -> LabelDecision | None:
    """The same for a training that is made again, which needs folds for nothing else.

    Raises:
        TaskMismatch, InvalidRequest, InvalidSplit: as `decide`.
    """
    choice, validation = ready.spec.threshold, Validation()
    if choice is not None and choice.needs_folds:
        validation = validate(ready, fit, tested, on_step, TimeLeft(), usual=usual)
    return decide(ready, validation, tested)


def _positive(ready: Prepared, choice: ThresholdChoice) -> Any:
    classes = ready.signature.classes or []
    if len(classes) != 2:
        sentence = wrong_labels(ready.column.name, len(classes))
        raise TaskMismatch(sentence, errors=[{"loc": ["body", "threshold"], "msg": sentence}])
    if choice.positive is None:
        return classes[1]
    positive = label_meant(choice.positive, classes)
    if positive is None:
        raise unknown_label(choice.positive, classes, ready.column.name)
    return positive


def _no_folds(validation: Validation) -> InvalidSplit:
    why = f": {validation.reason}" if validation.reason else ""
    sentence = (
        f"The threshold is chosen on folds of the rows to fit, but there are none{why}. Give a number as 'threshold', "
        "ask for fewer 'folds', or add rows."
    )
    return InvalidSplit(sentence, errors=[{"loc": ["body", "threshold"], "msg": sentence}])


def _shares_of(answers: Predicted, positive: Any) -> NDArray[np.float64]:
    classes, probabilities = answers.classes, answers.probabilities
    assert classes is not None and probabilities is not None, "the estimator gives them"  # noqa: S101, PT018 - an invariant
    return probabilities[:, classes.tolist().index(positive)]


def _scores(
    probabilities: NDArray[np.float64], having: NDArray[np.bool_], thresholds: list[float], choice: ThresholdChoice
) -> list[float]:
    counts = count(probabilities, having, np.array(thresholds))
    scores: list[float] = score(counts, choice).tolist()
    return scores


def _told(
    choice: ThresholdChoice, positive: Any, chosen: Chosen, kept_back: list[float], having: NDArray[np.bool_]
) -> ThresholdTold:
    return ThresholdTold(
        value=chosen.value,
        positive=positive,
        chosen_for=choice.named,
        score_name="cost of a row" if choice.cost is not None else choice.metric,
        rows=len(having),
        score=chosen.score,
        score_at_half=chosen.score_at_half,
        test_score=kept_back[0],
        test_score_at_half=kept_back[1],
        one_label=chosen.one_label,
        curve=ThresholdCurve(
            thresholds=[round(each, 6) for each in chosen.thresholds], scores=[round(each, 6) for each in chosen.scores]
        ),
    )


def _notes(told: ThresholdTold) -> Iterator[str]:
    if told.curve is None or told.value == HALF:
        return
    yield "The threshold was chosen on the folds, so their metrics with it are a little better than they should be."
    if told.one_label:
        yield (
            "With the threshold all rows of the folds get one label: the model does not tell the labels apart well "
            "enough for what the threshold was chosen for."
        )
