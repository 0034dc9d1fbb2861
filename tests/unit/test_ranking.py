"""The order of models on a leaderboard."""

from typing import Any

import pytest

from shared.estimators.signature import Signature, Task
from shared.evaluation.assessment import Assessment, Fold, MetricSpread, Standing
from shared.tables.columns import Column, ColumnKind
from shared.training.facts import ModelFacts
from shared.training.ranking import rank
from shared.training.usual_models import usual_models

METRIC: dict[Task, str] = {"classification": "accuracy", "regression": "mae"}


def facts(
    score: float | None,
    *,
    task: Task = "classification",
    folds: list[float] | None = None,
    interval: tuple[float, float] | None = None,
) -> ModelFacts:
    metric, folds = METRIC[task], folds or []
    spread = {metric: MetricSpread(mean=sum(folds) / len(folds), std=0)} if folds else {}
    return ModelFacts(
        estimator="svm.SVC",
        parameters={},
        metrics={} if score is None else {metric: score},
        signature=Signature(inputs=[], target="target", task=task, classes=None, numeric=True),
        report={},
        environment={},
        assessment=Assessment(
            intervals={} if interval is None else {metric: interval},
            folds=[Fold(training=1, test=1, metrics={metric: each}) for each in folds],
            spread=spread,
        ),
    )


def standings(*models: ModelFacts) -> dict[int, Standing]:
    """The standings by candidate, the best first."""
    ranked = rank(dict(enumerate(models, start=1)))
    found = {each.candidate: each.facts.assessment.standing for each in ranked if each.facts.assessment}
    return {candidate: standing for candidate, standing in found.items() if standing is not None}


@pytest.mark.parametrize(("task", "order"), [("classification", [2, 3, 1]), ("regression", [1, 3, 2])])
def test_more_is_better_for_labels_and_less_for_numbers(task: Task, order: list[int]) -> None:
    found = standings(*(facts(score, task=task) for score in (0.1, 0.9, 0.5)))
    assert list(found) == order
    assert [(each.rank, each.of, each.metric, each.measured_on) for each in found.values()] == [
        (place, 3, METRIC[task], "test_rows") for place in (1, 2, 3)
    ]


def test_folds_decide_where_all_models_have_as_many() -> None:
    found = standings(facts(0.9, folds=[0.5, 0.7]), facts(0.8, folds=[0.8, 0.8]))
    assert list(found) == [2, 1]
    assert [(each.measured_on, each.score) for each in found.values()] == [("folds", 0.8), ("folds", 0.6)]


@pytest.mark.parametrize("folds", [None, [0.7, 0.7, 0.7]])
def test_folds_do_not_decide_where_models_have_others(folds: list[float] | None) -> None:
    found = standings(facts(0.9, folds=[0.5, 0.5]), facts(0.8, folds=folds))
    assert list(found) == [1, 2]
    assert {each.measured_on for each in found.values()} == {"test_rows"}


def test_of_equal_models_the_first_of_the_request_is_first_and_one_without_a_number_last() -> None:
    assert list(standings(facts(None), facts(0.5), facts(0.5))) == [2, 3, 1]


@pytest.mark.parametrize(
    ("interval", "near"), [((0.5, 0.7), False), ((0.5, 0.8), True), ((0.6, 0.95), True), (None, None)]
)
def test_a_model_is_within_noise_where_its_interval_meets_that_of_the_best_one(
    interval: tuple[float, float] | None, near: bool | None
) -> None:
    found = standings(facts(0.9, interval=(0.8, 1.0)), facts(0.6, interval=interval))
    assert [each.within_noise for each in found.values()] == [False, near]
    assert found[2].interval == interval


def target(kind: ColumnKind, unique: int) -> Column:
    return Column(name="target", kind=kind, missing=0, unique=unique, examples=[])


@pytest.mark.parametrize(
    ("column", "ends"),
    [
        (target(ColumnKind.CATEGORY, 3), "Classifier"),
        (target(ColumnKind.BOOLEAN, 2), "Classifier"),
        (target(ColumnKind.INTEGER, 3), "Classifier"),
        (target(ColumnKind.INTEGER, 300), "Regressor"),
        (target(ColumnKind.NUMBER, 3), "Regressor"),
    ],
)
def test_the_usual_models_are_of_the_task_of_the_target(column: Column, ends: str) -> None:
    for rows in (1000, 2_000_000):
        names = [each.class_ for each in usual_models(column, rows=rows, columns=10)]
        assert f"HistGradientBoosting{ends}" in names
        assert (f"KNeighbors{ends}" in names) is (rows == 1000)
    assert f"KNeighbors{ends}" not in [each.class_ for each in usual_models(column, rows=1000, columns=500)]


def test_no_usual_model_is_named_twice() -> None:
    for kind in (ColumnKind.CATEGORY, ColumnKind.NUMBER):
        names: list[Any] = [(each.module, each.class_) for each in usual_models(target(kind, 3), rows=9, columns=1)]
        assert len(set(names)) == len(names) == 7
