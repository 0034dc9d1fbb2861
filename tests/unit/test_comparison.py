"""Which of several models is the best by a metric, and when that cannot be told."""

from typing import Any

import numpy as np
import pytest

from shared.estimators.signature import Task
from shared.evaluation.measuring import evaluate_baseline
from shared.evaluation.metric_names import BETTER
from shared.evaluation.targets import Targets
from shared.registry.comparison import compare
from shared.registry.rows import RegistryRow
from shared.registry.versions import RegisteredModel

SPLIT = {"test_size": 0.2, "random_state": 42, "stratified": True}


def model(
    version: int, metrics: dict[str, float], *, dataset_version: int = 1, target: str = "species", **report: Any
) -> RegisteredModel:
    row = RegistryRow(
        version=version,
        stage="dev",
        estimator="dummy.DummyClassifier",
        metrics=metrics,
        parameters={},
        target=target,
        signature={},
        report={"split": SPLIT, **report},
    )
    return RegisteredModel(
        row, dataset_name="iris", dataset_version=dataset_version, deployments=[], tags=[], compilation=None
    )


def best(*models: RegisteredModel) -> dict[str, list[int]]:
    return {metric.name: metric.best for metric in compare(models).metrics}


def test_the_best_score_is_the_largest_and_the_best_error_the_smallest() -> None:
    scores, errors = ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc", "r2"), ("log_loss", "rmse", "mae")
    first = model(1, dict.fromkeys(scores, 0.9) | dict.fromkeys(errors, 0.3))
    second = model(2, dict.fromkeys(scores, 0.8) | dict.fromkeys(errors, 0.2))
    assert best(first, second) == {score: [1] for score in scores} | {error: [2] for error in errors}


def test_models_that_do_as_well_are_all_the_best() -> None:
    found = best(model(1, {"r2": 0.9}), model(2, {"r2": 0.5}), model(3, {"r2": 0.9}))
    assert found == {"r2": [1, 3]}


def test_no_model_is_the_best_where_all_do_as_well() -> None:
    assert best(model(1, {"mae": 2.0}), model(2, {"mae": 2.0})) == {"mae": []}


def test_a_model_without_a_metric_is_not_the_best_by_it() -> None:
    assert best(model(1, {"roc_auc": 0.7}), model(2, {})) == {"roc_auc": [1]}


@pytest.mark.parametrize(
    "other",
    [
        model(2, {"accuracy": 0.9}, dataset_version=2),
        model(2, {"accuracy": 0.9}, split={**SPLIT, "random_state": 1}),
        model(2, {"accuracy": 0.9}, target="color"),
    ],
    ids=["other data", "another split", "another target"],
)
def test_models_that_were_measured_on_different_rows_are_not_ranked(other: RegisteredModel) -> None:
    assert best(model(1, {"accuracy": 0.8}), other) == {"accuracy": []}


def test_what_models_were_made_of_stands_side_by_side() -> None:
    facts = compare([model(1, {}), model(2, {}, dataset_version=3, target="color", rows={"test": 5})]).facts
    assert {fact.name: fact.values for fact in facts} == {
        "dataset_name": ["iris", "iris"],
        "dataset_version": [1, 3],
        "estimator": ["dummy.DummyClassifier", "dummy.DummyClassifier"],
        "target": ["species", "color"],
        "stage": ["dev", "dev"],
        "rows_measured": [None, 5],
    }


@pytest.mark.parametrize(
    ("task", "target"),
    [("classification", np.array(["a", "b"] * 20)), ("regression", np.arange(40, dtype=np.float64))],
    ids=["classification", "regression"],
)
def test_it_is_known_of_every_metric_which_value_is_better(task: Task, target: Any) -> None:
    measured = evaluate_baseline(Targets(target), target, task=task)["metrics"]
    assert measured
    assert set(measured) <= set(BETTER)


def test_models_that_differ_by_their_threshold_alone_are_told_apart() -> None:
    plain, early, late = (model(version, {"accuracy": 0.9}) for version in (1, 2, 3))
    early.row.signature = {"threshold": {"value": 0.2, "positive": "ill"}}
    late.row.signature = {"threshold": {"value": 0.7, "positive": "ill"}}
    found = {fact.name: fact for fact in compare([plain, early, late]).facts}
    assert (found["threshold"].values, found["threshold"].differs) == ([None, 0.2, 0.7], True)
    assert found["positive"].values == [None, "ill", "ill"]
    assert "threshold" not in {fact.name for fact in compare([plain, plain]).facts}
