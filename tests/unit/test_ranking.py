"""The order of models on a leaderboard."""

import pytest

from shared.estimators.libraries.installed import LIBRARIES
from shared.estimators.signature import Signature, Task
from shared.evaluation.assessment import Assessment, Fold, MetricSpread, Standing
from shared.tables.columns import Column, ColumnKind
from shared.training.facts import ModelFacts
from shared.training.ranking import rank
from shared.training.spec import EstimatorChoice
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
        names = usual(column, rows=rows)
        assert f"HistGradientBoosting{ends}" in names
        assert (f"KNeighbors{ends}" in names) is (rows == 1000)
    assert f"KNeighbors{ends}" not in usual(column, columns=500)


def usual(column: Column, *, rows: int = 1000, columns: int = 10, libraries: int = 0) -> list[str]:
    """The names of the usual models where so many libraries are installed."""
    there = [*LIBRARIES][:libraries]

    def suits(model: EstimatorChoice) -> bool:
        return model.module in there or model.module not in LIBRARIES

    return [each.class_ for each in usual_models(column, rows=rows, columns=columns, suits=suits)]


@pytest.mark.parametrize("libraries", range(4))
@pytest.mark.parametrize("kind", [ColumnKind.CATEGORY, ColumnKind.NUMBER])
def test_from_five_to_eight_models_are_usual_and_those_of_each_library_that_is_there(
    kind: ColumnKind, libraries: int
) -> None:
    column = target(kind, 3)
    for rows in (9, 50_000, 50_001, 1_000_000, 1_000_001, 50_000_000):
        names = usual(column, rows=rows, libraries=libraries)
        assert 5 <= len(set(names)) == len(names) <= 8
        boosting = [each for each in names if each.startswith(("CatBoost", "LGBM", "XGB"))]
        # CatBoost takes very long on very many rows.
        assert len(boosting) == libraries - (rows > 1_000_000 and libraries > 0)


def test_where_no_model_suits_none_is_named_for_a_library_alone() -> None:
    named = usual_models(None, rows=9, columns=1, suits=lambda _model: False)
    assert {each.module for each in named} & LIBRARIES.keys() == set()
    assert len(named) == 7
