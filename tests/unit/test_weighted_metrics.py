"""Metrics of weighted rows against scikit-learn's, draw by draw, and the intervals that are made of them."""

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics

from shared.evaluation.answers import Predicted
from shared.evaluation.measuring import evaluate
from shared.evaluation.resampling import DRAWS, MOST_ROWS, intervals
from shared.evaluation.weighted import plain_metrics, weighted_metrics

ROWS = 80


def of_labels(labels: list[Any], *, seed: int = 3) -> tuple[Predicted, NDArray[Any]]:
    """A classifier that is right now and then; probabilities are rounded, so that many are equal."""
    random = np.random.default_rng(seed)
    classes = np.array(labels, dtype=object)
    codes = random.integers(len(labels), size=ROWS)
    raw = random.random((ROWS, len(labels))) + np.eye(len(labels))[codes] / 2
    probabilities = np.round(raw / raw.sum(axis=1, keepdims=True), 1)
    probabilities[:, 0] += 1 - probabilities.sum(axis=1)
    return Predicted(classes[probabilities.argmax(axis=1)], classes, probabilities), classes[codes]


def of_numbers(*, seed: int = 3) -> tuple[Predicted, NDArray[Any]]:
    random = np.random.default_rng(seed)
    target = 1e6 + random.normal(size=ROWS)
    return Predicted(target + random.normal(size=ROWS) / 2), target


def drawn(*, sets: int = 20) -> NDArray[np.float64]:
    random = np.random.default_rng(5)
    return np.array([np.bincount(random.integers(ROWS, size=ROWS), minlength=ROWS) for _ in range(sets)], dtype=float)


@pytest.mark.parametrize("labels", [["no", "yes"], ["ash", "birch", "cedar"]])
def test_the_metrics_of_draws_are_those_of_scikit_learn_on_the_drawn_rows(labels: list[str]) -> None:
    answers, target = of_labels(labels)
    weights = drawn()
    found = weighted_metrics(answers, target, weights, task="classification")
    assert set(found) == {"accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "log_loss"}
    for at, weight in enumerate(weights):
        rows = np.repeat(np.arange(ROWS), weight.astype(int))
        expected = evaluate(answers.at_rows(rows), target[rows], task="classification").metrics
        assert {name: numbers[at] for name, numbers in found.items()} == pytest.approx(expected)


def test_the_distances_of_draws_are_those_of_scikit_learn_on_the_drawn_rows() -> None:
    answers, target = of_numbers()
    weights = drawn()
    found = weighted_metrics(answers, target, weights, task="regression")
    for at, weight in enumerate(weights):
        rows = np.repeat(np.arange(ROWS), weight.astype(int))
        expected = evaluate(answers.at_rows(rows), target[rows], task="regression").metrics
        assert {name: numbers[at] for name, numbers in found.items()} == pytest.approx(expected)


def test_rows_that_count_alike_have_the_metrics_of_the_evaluation() -> None:
    answers, target = of_labels(["no", "yes"])
    assert plain_metrics(answers, target, task="classification") == pytest.approx(
        evaluate(answers, target, task="classification").metrics
    )


def test_a_label_that_no_row_has_leaves_out_what_needs_all() -> None:
    answers, target = of_labels(["ash", "birch", "cedar"])
    rows = target != "cedar"
    found = plain_metrics(answers.at_rows(rows), target[rows], task="classification")
    assert "roc_auc" not in found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = metrics.balanced_accuracy_score(target[rows], answers.labels[rows])
    assert found["balanced_accuracy"] == pytest.approx(expected)


def test_a_single_row_has_no_r2_and_no_warning() -> None:
    answers, target = of_numbers()
    assert set(plain_metrics(answers.at_rows(np.array([3])), target[[3]], task="regression")) == {"rmse", "mae"}


def test_an_interval_is_around_the_metric_and_as_wide_as_chance_has_it() -> None:
    random = np.random.default_rng(1)
    target = np.array(["no", "yes"], dtype=object)[random.integers(2, size=1000)]
    wrong = random.random(1000) < 0.2
    labels = np.where(wrong, np.where(target == "no", "yes", "no"), target)
    low, high = intervals(Predicted(labels, np.array(["no", "yes"])), target, task="classification", seed=0)["accuracy"]
    share = 1 - wrong.mean()
    assert low < share < high
    # Of a share of n draws, 95 % lie within 1.96 standard deviations.
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(share * (1 - share) / 1000), rel=0.15)


def test_intervals_hold_the_truth_nearly_as_often_as_they_say() -> None:
    random = np.random.default_rng(2)
    held = 0
    for seed in range(200):
        off = random.normal(size=100)
        low, high = intervals(Predicted(np.zeros(100)), off, task="regression", seed=seed)["mae"]
        # The mean distance of a normal distribution from its mean.
        held += low < np.sqrt(2 / np.pi) < high
    assert 180 <= held <= 199


def test_the_same_seed_gives_the_same_intervals() -> None:
    answers, target = of_numbers()
    first, again, other = (intervals(answers, target, task="regression", seed=seed) for seed in (1, 1, 2))
    assert first == again != other


def test_what_most_draws_have_no_value_of_has_no_interval() -> None:
    answers, target = of_labels(["no", "yes"])
    target = np.array(["no"] * (ROWS - 1) + ["yes"], dtype=object)
    found = intervals(answers, target, task="classification", seed=0)
    # A third of the draws is without the one row.
    assert "roc_auc" not in found
    assert "accuracy" in found
    assert DRAWS >= 100


def test_the_interval_of_many_rows_is_as_narrow_as_they_make_it() -> None:
    random = np.random.default_rng(3)
    rows = 9 * MOST_ROWS
    off = random.normal(size=rows)
    low, high = intervals(Predicted(np.zeros(rows)), off, task="regression", seed=0)["mae"]
    assert low < np.abs(off).mean() < high
    assert high - low == pytest.approx(2 * 1.96 * np.abs(off).std() / np.sqrt(rows), rel=0.2)


def test_of_very_many_labels_the_area_has_no_interval() -> None:
    answers, target = of_labels([f"{at:02}" for at in range(11)])
    assert "roc_auc" not in intervals(answers, target, task="classification", seed=0)
    assert "roc_auc" in plain_metrics(answers, target, task="classification")
