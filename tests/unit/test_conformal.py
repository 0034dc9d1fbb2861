"""Intervals and sets of labels: what is promised holds on rows that nothing was fitted on."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification, make_regression

from shared.estimators.signature import Uncertainty
from shared.evaluation import conformal
from shared.evaluation.answers import Predicted
from shared.evaluation.conformal import LEVEL
from shared.training.spec import SplitChoice
from tests.support.training_tables import numeric_amounts, numeric_classes, trained

CLASSES = np.array(["a", "b", "c"], dtype=object)


def test_the_margin_of_numbers_is_the_rank_that_a_further_row_would_need() -> None:
    answers, target = Predicted(np.zeros(99)), np.arange(1.0, 100.0)
    # Of 100 rows, the new one among them, 90 are off by at most the 90th distance.
    assert conformal.uncertainty_of(answers, target) == Uncertainty(level=0.9, margin=90)


@pytest.mark.parametrize(("rows", "promised"), [(8, False), (9, True)])
def test_too_few_rows_promise_nothing(rows: int, promised: bool) -> None:
    found = conformal.uncertainty_of(Predicted(np.zeros(rows)), np.arange(float(rows)))
    assert (found is not None) is promised


def test_a_label_as_likely_as_the_margin_is_in_the_set() -> None:
    # 1 - (1 - 0.3) is more than 0.3 in floating point.
    probabilities = np.array([[0.7, 0.3, 0.0]] * 20)
    answers = Predicted(CLASSES[np.zeros(20, dtype=int)], CLASSES, probabilities)
    found = conformal.uncertainty_of(answers, CLASSES[np.ones(20, dtype=int)])
    assert found == Uncertainty(level=0.9, margin=0.3)
    checked = conformal.check(found, answers, CLASSES[np.ones(20, dtype=int)])
    assert (checked.coverage, checked.size) == (1, 2)


@pytest.mark.parametrize(
    "answers",
    [Predicted(np.array([np.nan] * 20)), Predicted(CLASSES[np.zeros(20, dtype=int)], CLASSES)],
    ids=["no number", "no probabilities"],
)
def test_answers_that_tell_no_distance_promise_nothing(answers: Predicted) -> None:
    target: Any = np.zeros(20) if answers.classes is None else CLASSES[np.zeros(20, dtype=int)]
    assert conformal.uncertainty_of(answers, target) is None


def test_a_label_that_training_did_not_have_is_never_inside() -> None:
    answers = Predicted(CLASSES[[0]], CLASSES, np.array([[1.0, 0.0, 0.0]]))
    assert conformal.check(Uncertainty(level=0.9, margin=0.0), answers, np.array(["z"], dtype=object)).coverage == 0


@pytest.mark.parametrize(
    "estimator", ["linear_model.Ridge", pytest.param("tree.DecisionTreeRegressor", marks=pytest.mark.thorough)]
)
def test_over_many_tables_nine_of_ten_numbers_are_inside(estimator: str) -> None:
    found = [_coverage(estimator, regression_table(seed), random_state=seed) for seed in range(20)]
    assert np.mean(found) == pytest.approx(LEVEL, abs=0.02)


@pytest.mark.parametrize(
    "estimator", ["naive_bayes.GaussianNB", pytest.param("linear_model.LogisticRegression", marks=pytest.mark.thorough)]
)
def test_over_many_tables_nine_of_ten_labels_are_inside(estimator: str) -> None:
    found = [_coverage(estimator, classification_table(seed), random_state=seed) for seed in range(20)]
    assert np.mean(found) == pytest.approx(LEVEL, abs=0.02)


@pytest.mark.parametrize(
    ("estimator", "table", "why"),
    [
        ("svm.LinearSVC", numeric_classes(), "No intervals: the estimator gives no probabilities."),
        ("linear_model.Ridge", numeric_amounts(rows=10), "No intervals: 8 rows are too few to promise anything."),
    ],
)
def test_why_nothing_is_promised_is_told(estimator: str, table: pd.DataFrame, why: str) -> None:
    facts = trained(estimator, table, split=SplitChoice(folds=2)).facts
    assert facts.assessment is not None
    assert (facts.signature.uncertainty, facts.assessment.uncertainty) == (None, None)
    assert why in facts.assessment.notes
    assert len(facts.assessment.folds) == 2


def regression_table(seed: int) -> pd.DataFrame:
    inputs, target = make_regression(400, 4, noise=20, random_state=seed)
    return pd.DataFrame(inputs, columns=list("pqrs")).assign(target=target)


def classification_table(seed: int) -> pd.DataFrame:
    inputs, codes = make_classification(400, 4, flip_y=0.1, class_sep=0.7, random_state=seed)
    labels = np.array(["no", "yes"])[codes]
    return pd.DataFrame(inputs, columns=list("pqrs")).assign(target=pd.Series(labels, dtype="str"))


def _coverage(estimator: str, table: pd.DataFrame, *, random_state: int) -> float:
    facts = trained(estimator, table, split=SplitChoice(folds=5), random_state=random_state, test_size=0.4).facts
    assert facts.assessment is not None
    assert facts.assessment.uncertainty is not None
    assert facts.signature.uncertainty is not None
    return facts.assessment.uncertainty.coverage


def test_a_model_of_a_fold_that_refuses_to_answer_leaves_out_the_folds_and_says_so() -> None:
    facts = trained("neighbors.KNeighborsRegressor", numeric_amounts(rows=8), split=SplitChoice(folds=2)).facts
    assert facts.assessment is not None
    assert facts.assessment.folds == []
    assert any("could not be fitted to a part of the rows" in note for note in facts.assessment.notes)
