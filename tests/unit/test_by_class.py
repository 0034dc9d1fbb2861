"""Confusion matrices, scores of labels and curves, against scikit-learn and plain counting."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics

from shared.evaluation import by_class
from shared.evaluation.answers import Predicted

CLASSES = np.array(["no", "yes"], dtype=object)


def binary(probabilities: list[float]) -> Predicted:
    second = np.array(probabilities)
    return Predicted(CLASSES[(second > 0.5).astype(int)], CLASSES, np.column_stack([1 - second, second]))


def test_counts_are_by_actual_and_predicted_label() -> None:
    answers = Predicted(np.array(["a", "b", "b", "a"], dtype=object), np.array(["a", "b"], dtype=object))
    found = by_class.confusion_matrix(answers, np.array(["a", "a", "b", "c"], dtype=object))
    assert found.labels == ["a", "b", "c"]
    assert found.counts == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert found.left_out == 0


def test_of_many_labels_the_most_frequent_ones_are_shown_and_the_others_counted() -> None:
    target = np.array([str(at) for at in range(50) for _ in range(1 + (at < 30))], dtype=object)
    found = by_class.confusion_matrix(Predicted(target, np.unique(target)), target)
    assert sorted(found.labels, key=int) == [str(at) for at in range(30)]
    assert (sum(map(sum, found.counts)), found.left_out) == (60, 20)


def test_the_scores_of_labels_are_none_where_they_are_not_defined() -> None:
    answers = Predicted(np.array(["a", "a", "d"], dtype=object), np.array(["a", "d"], dtype=object))
    found = {each.label: each for each in by_class.per_class(answers, np.array(["a", "b", "a"], dtype=object))}
    assert (found["a"].precision, found["a"].recall, found["a"].support) == (0.5, 0.5, 2)
    # Nobody says 'b', and nobody is 'd'.
    assert (found["b"].precision, found["b"].recall, found["b"].f1) == (None, 0.0, 0.0)
    assert (found["d"].precision, found["d"].recall, found["d"].support) == (0.0, None, 0)


def test_the_curves_of_two_labels_are_those_of_the_second_one() -> None:
    random = np.random.default_rng(4)
    probabilities = random.random(500).round(2).tolist()
    target = CLASSES[(random.random(500) < np.array(probabilities)).astype(int)]
    found = by_class.curves(binary(probabilities), target)
    assert found is not None
    (roc,), (ranked,), (calibration,) = found.roc, found.precision_recall, found.calibration
    assert roc.label == ranked.label == calibration.label == "yes"
    assert roc.area == pytest.approx(metrics.roc_auc_score(target == "yes", probabilities))
    assert ranked.average_precision == pytest.approx(metrics.average_precision_score(target == "yes", probabilities))
    assert (roc.false_positive_rate[0], roc.true_positive_rate[-1]) == (0, 1)
    assert len(roc.true_positive_rate) == len(roc.false_positive_rate) <= 100
    assert len(ranked.recall) == len(ranked.precision) <= 100
    assert sum(calibration.rows) == 500
    # Drawn with these very probabilities, they are calibrated.
    assert calibration.observed == pytest.approx(calibration.predicted, abs=0.15)


def test_a_probability_of_one_is_in_the_last_bin() -> None:
    found = by_class.curves(binary([0.0, 1.0, 1.0]), CLASSES[[0, 1, 0]])
    assert found is not None
    assert (found.calibration[0].predicted, found.calibration[0].observed) == ([0.0, 1.0], [0.0, 0.5])


def test_three_labels_have_a_curve_each_and_one_without_rows_has_none() -> None:
    classes = np.array(["a", "b", "c"], dtype=object)
    probabilities = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.3, 0.4, 0.3]])
    found = by_class.curves(Predicted(classes[[0, 1, 1]], classes, probabilities), classes[[0, 1, 0]])
    assert found is not None
    assert [curve.label for curve in found.roc] == ["a", "b"]


@pytest.mark.parametrize(
    "answers",
    [
        Predicted(CLASSES[[0, 1]], CLASSES),
        Predicted(np.array(["a", "b"]), np.array(["a", "b", "c"])),
    ],
)
def test_nothing_that_ranks_gives_no_curves(answers: Predicted) -> None:
    assert by_class.curves(answers, answers.labels) is None


def test_scores_without_probabilities_have_no_calibration() -> None:
    answers = Predicted(CLASSES[[0, 1, 1]], CLASSES, scores=np.array([-3.0, 2.0, 9.0]))
    found = by_class.curves(answers, CLASSES[[0, 0, 1]])
    assert found is not None
    assert (found.roc[0].area, found.calibration) == (1.0, [])


@pytest.mark.parametrize("labels", [[1, 2], [True, False], [1.0, 2.0]])
def test_labels_are_those_of_json(labels: list[Any]) -> None:
    target = np.array(labels)
    found = by_class.confusion_matrix(Predicted(target, target), target)
    assert [type(label) for label in found.labels] == [type(label) for label in labels]
