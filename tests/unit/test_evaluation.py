"""Metrics against plain arithmetic, and what is said where there is none."""

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.neighbors import RadiusNeighborsRegressor

from shared.errors import UnreadableRequest
from shared.training.evaluation import Evaluation, evaluate, evaluate_baseline
from shared.training.spec import TrainingSpec
from tests.support.training_tables import spec_of

INPUTS = np.array([[0.0], [1.0], [2.0], [3.0]])


def test_a_regression_is_measured_by_its_distances() -> None:
    model = LinearRegression().fit(INPUTS, [0.0, 1.0, 2.0, 3.0])
    measured = evaluate(model, INPUTS, np.array([0.0, 1.0, 2.0, 5.0]), task="regression").metrics
    assert measured["mae"] == pytest.approx(0.5)
    assert measured["rmse"] == pytest.approx(1.0)
    assert measured["r2"] == pytest.approx(1 - 4 / 14)


def test_two_classes_have_a_roc_auc_from_probabilities_or_from_scores() -> None:
    labels = np.array(["no", "no", "yes", "yes"], dtype=object)
    for model in (LogisticRegression().fit(INPUTS, labels), RidgeClassifier().fit(INPUTS, labels)):
        measured = evaluate(model, INPUTS, labels, task="classification")
        assert measured.metrics["accuracy"] == 1
        assert measured.metrics["roc_auc"] == 1
    assert "log_loss" not in measured.metrics
    assert measured.notes == ["log_loss is left out: the estimator gives no probabilities."]


def test_a_class_that_the_model_does_not_know_leaves_out_what_needs_all() -> None:
    model = DummyClassifier().fit(INPUTS, [0, 0, 1, 1])
    measured = evaluate(model, INPUTS, np.array([0, 0, 1, 2]), task="classification")
    assert set(measured.metrics) == {"accuracy", "balanced_accuracy", "f1_macro"}
    assert "classes that are not in the other" in measured.notes[0]


def test_a_test_part_of_one_class_has_no_roc_auc() -> None:
    model = DummyClassifier().fit(INPUTS, [0, 0, 1, 1])
    measured = evaluate(model, INPUTS, np.array([1, 1, 1, 1]), task="classification")
    assert "roc_auc" not in measured.metrics
    assert measured.metrics["log_loss"] == pytest.approx(np.log(2))


@pytest.mark.filterwarnings("ignore:One or more samples have no neighbors")
def test_a_model_without_an_answer_for_some_rows_has_no_metrics() -> None:
    model = RadiusNeighborsRegressor(radius=0.1).fit(INPUTS, [0.0, 1.0, 2.0, 3.0])
    measured = evaluate(model, INPUTS + 9, np.zeros(4), task="regression")
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


def test_the_baseline_looks_at_the_target_only() -> None:
    baseline = evaluate_baseline(np.array(["a", "a", "b"]), np.array(["a", "b"]), task="classification")
    assert baseline["estimator"] == "dummy.DummyClassifier"
    assert baseline["metrics"]["accuracy"] == 0.5
    assert baseline["metrics"]["roc_auc"] == 0.5
    numbers = evaluate_baseline(np.array([1.0, 3.0]), np.array([2.0, 4.0]), task="regression")
    assert numbers["metrics"]["mae"] == 1.0


def test_a_stored_specification_is_read_as_it_was_written() -> None:
    spec = spec_of("svm.SVC", params={"C": 2, "degree": 3}, features=["a"], random_state=0)
    stored = spec.to_store()
    assert stored["model"]["class"] == "SVC"
    assert TrainingSpec.stored(stored) == spec


@pytest.mark.parametrize("request_", [{}, {"dataset_name": "iris"}, {**spec_of("svm.SVC").to_store(), "new": 1}])
def test_a_stored_request_of_another_form_is_refused(request_: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRequest, match="Send it again"):
        TrainingSpec.stored(request_)
