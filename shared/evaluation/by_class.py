"""What a classifier does with each label: the confusion matrix, the scores of each label, and the curves."""

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics

from shared.evaluation.answers import Floats, Predicted
from shared.evaluation.assessment import (
    CalibrationCurve,
    ClassScores,
    ConfusionMatrix,
    Curves,
    PrecisionRecallCurve,
    RocCurve,
)
from shared.evaluation.labels import coded, plain

# More labels make a table that nobody reads.
MOST_SHOWN = 30
MOST_LISTED = 100
# Labels with a curve of their own, the most frequent ones.
MOST_CURVES = 10
# A curve has no more points than a picture can show.
_MOST_POINTS = 100
_BINS = 10


def confusion_matrix(answers: Predicted, target: NDArray[Any]) -> ConfusionMatrix:
    """Counts of actual and predicted labels; of very many labels, those of the most frequent ones."""
    labels, chosen, actual, said = _most_frequent(target, answers.labels, MOST_SHOWN)
    shown = np.isin(actual, chosen) & np.isin(said, chosen)
    counts = metrics.confusion_matrix(actual[shown], said[shown], labels=chosen)
    return ConfusionMatrix(
        labels=[plain(label) for label in labels], counts=counts.tolist(), left_out=int((~shown).sum())
    )


def per_class(answers: Predicted, target: NDArray[Any]) -> list[ClassScores]:
    """Precision, recall and F1 of each label; None where they are not defined. The most frequent labels, in order."""
    labels, chosen, actual, said = _most_frequent(target, answers.labels, MOST_LISTED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = metrics.precision_recall_fscore_support(
            actual, said, labels=chosen, average=None, zero_division=np.nan
        )
    return [
        ClassScores(
            label=plain(label), precision=_defined(precision), recall=_defined(recall), f1=_defined(f1), support=support
        )
        for label, precision, recall, f1, support in zip(labels, *scores, strict=True)
    ]


def curves(answers: Predicted, target: NDArray[Any]) -> Curves | None:
    """ROC, precision-recall and calibration of each label against the rest; None where nothing ranks the rows."""
    found = list(_ranked(answers, target))
    if not found:
        return None
    return Curves(
        roc=[_roc(label, positive, ranking) for label, positive, ranking in found],
        precision_recall=[_precision_recall(label, positive, ranking) for label, positive, ranking in found],
        calibration=[_calibration(label, positive, ranking) for label, positive, ranking in found]
        if answers.probabilities is not None
        else [],
    )


def _ranked(answers: Predicted, target: NDArray[Any]) -> Iterator[tuple[Any, NDArray[np.bool_], Floats]]:
    """The labels that have rows and are not alone, each with the rows that have it and what ranks them."""
    classes, ranking = answers.classes, answers.ranking
    if classes is None:
        return
    if ranking is not None:
        candidates = [(classes[1], ranking)]
    elif answers.probabilities is not None:
        shown = set(_most_frequent(target, target, MOST_CURVES).labels.tolist())
        columns = enumerate(classes)
        candidates = [(label, answers.probabilities[:, at]) for at, label in columns if plain(label) in shown]
    else:
        return
    for label, scores in candidates:
        positive = target == label
        if 0 < positive.sum() < len(target):
            yield plain(label), positive, scores


def _roc(label: Any, positive: NDArray[np.bool_], ranking: Floats) -> RocCurve:
    false, true, _ = metrics.roc_curve(positive, ranking)
    at = _thinned(len(false))
    return RocCurve(
        label=label,
        false_positive_rate=_rounded(false[at]),
        true_positive_rate=_rounded(true[at]),
        area=float(metrics.auc(false, true)),
    )


def _precision_recall(label: Any, positive: NDArray[np.bool_], ranking: Floats) -> PrecisionRecallCurve:
    precision, recall, _ = metrics.precision_recall_curve(positive, ranking, drop_intermediate=True)
    at = _thinned(len(recall))
    return PrecisionRecallCurve(
        label=label,
        recall=_rounded(recall[at]),
        precision=_rounded(precision[at]),
        average_precision=float(metrics.average_precision_score(positive, ranking)),
    )


def _calibration(label: Any, positive: NDArray[np.bool_], probability: Floats) -> CalibrationCurve:
    """In bins of equal width. A bin without rows is left out."""
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    rows = np.bincount(bins, minlength=_BINS)
    there = rows > 0
    predicted = np.bincount(bins, weights=probability, minlength=_BINS)[there] / rows[there]
    observed = np.bincount(bins, weights=positive, minlength=_BINS)[there] / rows[there]
    return CalibrationCurve(
        label=label, predicted=_rounded(predicted), observed=_rounded(observed), rows=rows[there].tolist()
    )


class _Chosen(NamedTuple):
    """Some labels with their places among all, and the places of what each row has and of what is said of it."""

    labels: NDArray[Any]
    places: NDArray[np.intp]
    actual: NDArray[np.intp]
    said: NDArray[np.intp]


def _most_frequent(target: NDArray[Any], predicted: NDArray[Any], most: int) -> _Chosen:
    """The labels that are there, sorted; of too many the most frequent ones of the target."""
    labels, codes = coded(np.concatenate([target, predicted]))
    frequent = np.argsort(-np.bincount(codes), kind="stable")[:most]
    places = np.sort(frequent)
    return _Chosen(labels[places], places, codes[: len(target)], codes[len(target) :])


def _thinned(points: int) -> NDArray[np.intp]:
    if points <= _MOST_POINTS:
        return np.arange(points)
    return np.unique(np.linspace(0, points - 1, _MOST_POINTS).round().astype(np.intp))


def _defined(number: float) -> float | None:
    return None if np.isnan(number) else float(number)


def _rounded(numbers: Floats) -> list[float]:
    """Four digits are more than a picture shows."""
    return [round(number, 4) for number in numbers.tolist()]
