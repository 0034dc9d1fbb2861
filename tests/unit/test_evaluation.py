"""Metrics against plain arithmetic, and what is said where there is none."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.neighbors import RadiusNeighborsRegressor

from shared.errors import UnreadableRequest
from shared.evaluation.answers import ask
from shared.evaluation.labels import coded
from shared.evaluation.measuring import Evaluation, evaluate, evaluate_baseline
from shared.evaluation.targets import Targets
from shared.training.spec import read_stored
from tests.support.training_tables import spec_of

INPUTS = np.array([[0.0], [1.0], [2.0], [3.0]])


TREES = ("ash", "birch", "cedar")


class Fixed(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """A classifier whose answers are given."""

    def __init__(self, classes: tuple[str, ...], predicted: list[str], probabilities: list[list[float]]) -> None:
        self.classes_ = np.array(classes, dtype=object)
        self.predicted = predicted
        self.probabilities = probabilities

    def predict(self, _inputs: object) -> NDArray[Any]:
        return np.array(self.predicted, dtype=object)

    def predict_proba(self, _inputs: object) -> NDArray[np.float64]:
        return np.array(self.probabilities)


def test_three_classes_of_different_sizes_are_measured_as_arithmetic_does() -> None:
    target = np.array(["ash", "ash", "ash", "birch", "birch", "cedar"], dtype=object)
    model = Fixed(
        TREES,
        ["ash", "ash", "birch", "birch", "ash", "ash"],
        [[0.7, 0.2, 0.1], [0.6, 0.1, 0.3], [0.3, 0.5, 0.2], [0.2, 0.8, 0.0], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]],
    )
    measured = evaluate(ask(model, np.zeros((6, 1))), target, task="classification")
    assert measured.notes == []
    assert measured.metrics == pytest.approx(
        {
            "accuracy": 3 / 6,
            # What was found of each class: 2 of 3, 1 of 2, 0 of 1.
            "balanced_accuracy": (2 / 3 + 1 / 2 + 0) / 3,
            # Twice the hits over those that are of the class and those that are said to be: 3 and 4, 2 and 2, 1 and 0.
            "f1_macro": (4 / 7 + 2 / 4 + 0) / 3,
            # Of the pairs of a row of the class and another row, those in which the former has the higher probability.
            "roc_auc": (7 / 9 + 7 / 8 + 5 / 5) / 3,
            "log_loss": -sum(map(math.log, (0.7, 0.6, 0.3, 0.8, 0.4, 0.4))) / 6,
        }
    )


def test_two_classes_of_different_sizes_are_measured_as_arithmetic_does() -> None:
    target = np.array(["no", "no", "no", "no", "yes"], dtype=object)
    model = Fixed(
        ("no", "yes"),
        ["no", "no", "no", "yes", "no"],
        [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.7, 0.3]],
    )
    measured = evaluate(ask(model, np.zeros((5, 1))), target, task="classification")
    assert measured.metrics == pytest.approx(
        {
            "accuracy": 3 / 5,
            "balanced_accuracy": (3 / 4 + 0 / 1) / 2,
            "f1_macro": (6 / 8 + 0 / 2) / 2,
            # The one "yes" is above two of four.
            "roc_auc": 2 / 4,
            "log_loss": -sum(map(math.log, (0.9, 0.8, 0.6, 0.3, 0.3))) / 5,
        }
    )


def test_a_regression_is_measured_by_its_distances() -> None:
    model = LinearRegression().fit(INPUTS, [0.0, 1.0, 2.0, 3.0])
    # Estimated are 0, 1, 2 and 3: it is 0, 0, 1 and 5 away from these.
    measured = evaluate(ask(model, INPUTS), np.array([0.0, 1.0, 3.0, -2.0]), task="regression")
    assert measured.notes == []
    assert measured.metrics == pytest.approx(
        {"mae": 6 / 4, "rmse": math.sqrt(26 / 4), "r2": 1 - 26 / (0.5**2 + 0.5**2 + 2.5**2 + 2.5**2)}
    )


def test_two_classes_have_a_roc_auc_from_probabilities_or_from_scores() -> None:
    labels = np.array(["no", "no", "yes", "yes"], dtype=object)
    for model in (LogisticRegression().fit(INPUTS, labels), RidgeClassifier().fit(INPUTS, labels)):
        measured = evaluate(ask(model, INPUTS), labels, task="classification")
        assert measured.metrics["accuracy"] == 1
        assert measured.metrics["roc_auc"] == 1
    assert "log_loss" not in measured.metrics
    assert measured.notes == ["log_loss is left out: the estimator gives no probabilities."]


def test_a_class_that_the_model_does_not_know_leaves_out_what_needs_all() -> None:
    model = DummyClassifier().fit(INPUTS, [0, 0, 1, 1])
    measured = evaluate(ask(model, INPUTS), np.array([0, 0, 1, 2]), task="classification")
    assert set(measured.metrics) == {"accuracy", "balanced_accuracy", "f1_macro"}
    assert "classes that the training part does not have" in measured.notes[0]


def test_a_test_part_of_one_class_has_no_roc_auc() -> None:
    model = DummyClassifier().fit(INPUTS, [0, 0, 1, 1])
    measured = evaluate(ask(model, INPUTS), np.array([1, 1, 1, 1]), task="classification")
    assert "roc_auc" not in measured.metrics
    assert measured.metrics["log_loss"] == pytest.approx(np.log(2))


@pytest.mark.filterwarnings("ignore:One or more samples have no neighbors")
def test_a_model_without_an_answer_for_some_rows_has_no_metrics() -> None:
    model = RadiusNeighborsRegressor(radius=0.1).fit(INPUTS, [0.0, 1.0, 2.0, 3.0])
    measured = evaluate(ask(model, INPUTS + 9), np.zeros(4), task="regression")
    assert measured.metrics == {}
    assert measured.notes == ["The model gives no number for 4 of 4 test rows: no metrics."]


def test_a_measure_that_cannot_be_computed_is_noted() -> None:
    def fail() -> float:
        raise ValueError("Only one class is present. And more.")

    evaluation = Evaluation()
    evaluation.add("first", fail)
    evaluation.add("second", lambda: float("nan"))
    evaluation.add("third", lambda: np.float64(0.5))
    assert evaluation.metrics == {"third": 0.5}
    assert evaluation.notes == [
        "first is not defined here: Only one class is present.",
        "second is not defined here: it is not a finite number.",
    ]


def test_the_baseline_of_classes_is_their_share_of_the_training_part() -> None:
    training = np.array(["a", "a", "a", "b"], dtype=object)
    baseline = evaluate_baseline(Targets(training), np.array(["a", "b", "b"], dtype=object), task="classification")
    assert baseline["estimator"] == "dummy.DummyClassifier"
    assert baseline["metrics"] == pytest.approx(
        {
            "accuracy": 1 / 3,
            "balanced_accuracy": (1 + 0) / 2,
            "f1_macro": (2 / 4 + 0) / 2,
            "roc_auc": 0.5,
            "log_loss": -(math.log(0.75) + 2 * math.log(0.25)) / 3,
        }
    )


def test_the_baseline_of_numbers_is_the_mean_of_the_training_part() -> None:
    baseline = evaluate_baseline(Targets(np.array([0.0, 0.0, 6.0])), np.array([2.0, 3.0, 10.0]), task="regression")
    assert baseline["estimator"] == "dummy.DummyRegressor"
    assert baseline["metrics"] == pytest.approx(
        {"mae": (0 + 1 + 8) / 3, "rmse": math.sqrt((0 + 1 + 64) / 3), "r2": 1 - 65 / (3**2 + 2**2 + 5**2)}
    )


def test_a_stored_specification_is_read_as_it_was_written() -> None:
    spec = spec_of("svm.SVC", params={"C": 2, "degree": 3}, features=["a"], random_state=0)
    stored = spec.to_store()
    assert stored["model"]["class"] == "SVC"
    assert read_stored(stored) == spec


@pytest.mark.parametrize("request_", [{}, {"dataset_name": "iris"}, {**spec_of("svm.SVC").to_store(), "new": 1}])
def test_a_stored_request_of_another_form_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRequest, match="Send it again"):
        read_stored(request_)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["b", "a", "ä", "", "Z", "a", "b"], dtype=object),
        np.array([True, False, True], dtype=object),
        np.array([3, -1, 3]),
        np.array([], dtype=object),
    ],
    ids=["texts", "booleans", "numbers", "none"],
)
def test_labels_that_are_looked_up_are_those_that_sorting_finds(labels: NDArray[Any]) -> None:
    found, places = coded(labels)
    expected, inverse = np.unique(labels, return_inverse=True)
    assert found.dtype == expected.dtype
    assert (found.tolist(), places.tolist()) == (expected.tolist(), inverse.tolist())
