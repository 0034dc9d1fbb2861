"""Searches for parameters on small tables: what is tried, what is chosen, and what is told of it."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.errors import FitFailed, InvalidSplit, SearchTooShort
from shared.evaluation.folds import out_of_fold
from shared.evaluation.searched import Search
from shared.training.folding import folds_of
from shared.training.search import bench, parting
from shared.training.search.bench import Tried, fair_order
from shared.training.search.methods import best_first, rounds_of
from shared.training.search.settling import settled
from shared.training.search.telling import MOST_LISTED, report_of_search
from shared.training.spec import SearchChoice, SplitChoice, TrainingSpec
from shared.training.trainer import Trained, train
from tests.support.training_tables import numeric_amounts, numeric_classes, profile_of, quiet, spec_of

TREE = "tree.DecisionTreeClassifier"
DEPTHS = {"max_depth": [1, 2, 3]}


def sought(
    estimator: str,
    table: pd.DataFrame,
    *,
    params: dict[str, Any] | None = None,
    split: SplitChoice | None = None,
    seconds: float = math.inf,
    hear: Any = quiet,
    folds: int = 2,
    **search: Any,
) -> Trained:
    """A training with a search, on as many folds as the platform is told to have usual."""
    spec = spec_of(estimator, params=params, split=split or SplitChoice())
    choice = settled(SearchChoice(**{"method": "random", **search}), spec.model)
    spec = TrainingSpec.model_validate(spec.model_copy(update={"search": choice}).to_store())
    return train(spec, table, profile_of(table), threads=1, folds=folds, seconds=seconds, on_step=hear)


def told(result: Trained) -> Search:
    """What the report has of the search."""
    assert result.facts.assessment is not None
    assert result.facts.assessment.search is not None
    return result.facts.assessment.search


def notes(result: Trained) -> str:
    return " ".join(result.facts.report["notes"])


@pytest.mark.parametrize("method", ["random", "halving", "optuna"])
def test_the_best_candidate_is_fitted_and_the_same_seed_finds_it_again(method: str) -> None:
    table = numeric_amounts(rows=90)
    first, second = (sought("linear_model.Ridge", table, method=method, trials=6) for _ in range(2))
    found = told(first)
    assert (found.method, found.metric, found.folds, found.trials_asked, found.trials_done) == (method, "mae", 2, 6, 6)
    best = found.candidates[0]
    assert (best.rank, best.params, best.mean) == (1, found.chosen, found.score)
    assert first.facts.parameters["alpha"] == found.chosen["alpha"]
    means = [each.mean for each in found.candidates if each.rows == best.rows and each.mean is not None]
    assert means == sorted(means)
    assert [each.params for each in told(second).candidates] == [each.params for each in found.candidates]
    assert second.facts.metrics == first.facts.metrics


def test_a_grid_tries_all_and_more_is_better_for_labels() -> None:
    found = told(sought(TREE, numeric_classes(rows=60), method="grid", space=DEPTHS))
    assert sorted(each.params["max_depth"] for each in found.candidates) == [1, 2, 3]
    assert found.chosen["max_depth"] > 1
    assert [each.rank for each in found.candidates] == [1, 2, 3]
    scores = [each.mean for each in found.candidates]
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    assert found.scores[0] == min(score for score in found.scores if score is not None)


def test_rows_that_are_kept_back_have_no_part_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[int] = set()

    def watched(fit: Any, inputs: pd.DataFrame, *rest: Any, **named: Any) -> Any:
        seen.update(inputs.index)
        return out_of_fold(fit, inputs, *rest, **named)

    monkeypatch.setattr(bench, "out_of_fold", watched)
    table = numeric_classes(rows=60)
    changed = table.copy()
    first = sought(TREE, table, trials=3)
    kept_back = sorted(set(table.index) - seen)
    assert len(kept_back) == 12
    # Whatever stands in them, the search finds the same.
    changed.loc[kept_back, "width"] = changed.loc[kept_back, "width"].to_numpy()[::-1]
    second = sought(TREE, changed, trials=3)
    assert told(first).scores == told(second).scores


def test_the_model_is_the_one_that_a_request_with_the_chosen_parameters_trains() -> None:
    table = numeric_classes(("no", "yes"), rows=60).assign(city=["Oslo", "Lyon", "Bonn"] * 20)
    table.loc[::9, "width"] = np.nan
    result = sought("linear_model.LogisticRegression", table, trials=2, metric="roc_auc")
    plain = spec_of("linear_model.LogisticRegression", params=told(result).chosen)
    again = train(plain, table, profile_of(table), threads=1, folds=2, on_step=quiet)
    assert again.facts.metrics == result.facts.metrics
    assert again.facts.parameters == result.facts.parameters
    assert np.array_equal(again.model[-1].coef_, result.model[-1].coef_)


@pytest.mark.parametrize(("folds", "asked", "measured"), [(5, None, 5), (0, None, 3), (5, 0, 3), (5, 2, 2)])
def test_a_search_has_the_folds_of_the_request_or_of_the_platform_but_never_none(
    folds: int, asked: int | None, measured: int
) -> None:
    split = SplitChoice(folds=asked)
    found = told(sought(TREE, numeric_classes(rows=60), folds=folds, split=split, method="grid", space=DEPTHS))
    assert found.folds == measured


def by_groups(groups: int) -> pd.DataFrame:
    table = numeric_classes(rows=60)
    return table.assign(patient=np.arange(60) % groups)


def test_groups_stay_together_and_fewer_groups_make_fewer_folds() -> None:
    split = SplitChoice(method="grouped", by="patient")
    found = told(sought(TREE, by_groups(5), folds=5, split=split, method="grid", space=DEPTHS))
    # One of the five groups is kept back.
    assert found.folds == 4
    with pytest.raises(InvalidSplit, match="has 1 groups in the rows to fit"):
        sought(TREE, by_groups(2), split=split, method="grid", space=DEPTHS)


def test_folds_of_time_are_later_than_what_is_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    def watched(*given: Any, **named: Any) -> Any:
        kept.append(folds_of(*given, **named))
        return kept[-1]

    monkeypatch.setattr(parting, "folds_of", watched)
    table = numeric_classes(rows=60).assign(day=np.arange(60))
    found = told(sought(TREE, table, split=SplitChoice(method="time", by="day"), method="halving", trials=3))
    assert found.folds == 2
    assert all(fitted.max() < measured.min() for fitted, measured in kept[0])


def test_a_candidate_that_cannot_be_fitted_is_listed_and_the_search_goes_on() -> None:
    space = {"n_neighbors": [3, 40, 1]}
    result = sought("neighbors.KNeighborsClassifier", numeric_classes(rows=60), method="grid", space=space)
    found = told(result)
    assert (found.trials_done, found.trials_failed) == (3, 1)
    failed = found.candidates[-1]
    assert (failed.rank, failed.params, failed.mean) == (None, {"n_neighbors": 40}, None)
    assert "n_neighbors" in str(failed.failure)
    assert found.scores[1] is None
    assert "1 of 3 candidates of the search could not be fitted" in notes(result)


def test_parameters_that_do_not_go_together_fail_alone() -> None:
    space = {"l1_ratio": [0, 1], "solver": ["lbfgs", "liblinear"]}
    found = told(
        sought("linear_model.LogisticRegression", numeric_classes(("no", "yes"), rows=60), method="grid", space=space)
    )
    assert found.trials_done == 4
    assert [each.params for each in found.candidates if each.failure] == [{"l1_ratio": 1, "solver": "lbfgs"}]


def test_where_all_fail_so_does_the_training() -> None:
    with pytest.raises(FitFailed, match=r"None of the 2 candidates of the search could be fitted\. The first: "):
        sought(
            "neighbors.KNeighborsClassifier", numeric_classes(rows=60), method="grid", space={"n_neighbors": [40, 45]}
        )


def test_a_metric_that_is_beyond_all_numbers_names_one_that_is_not() -> None:
    table = numeric_amounts().assign(target=lambda found: found["target"] * 1e200)
    space = {"max_depth": [1, 2]}
    with pytest.raises(
        FitFailed, match=r"rmse is not defined .* another metric: mae\. Give the target in a larger unit\."
    ):
        sought("tree.DecisionTreeRegressor", table, method="grid", space=space, metric="rmse")


class Clock:
    """A clock of which each look takes a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 1
        return self.now


def test_a_search_whose_time_is_over_takes_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "time", Clock())
    monkeypatch.setattr("shared.training.search.finding.time", Clock())
    result = sought(TREE, numeric_classes(rows=60), method="random", trials=20, time_limit=20)
    found = told(result)
    assert found.stopped
    assert 1 <= found.trials_done < 20
    assert found.time_limit == 20
    assert "'search.time_limit'" in notes(result)
    assert f"with {found.trials_done} of 20 trials done: the best of these was taken" in notes(result)


def test_a_search_leaves_time_of_its_job_for_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "time", Clock())
    monkeypatch.setattr("shared.training.search.finding.time", Clock())
    result = sought(TREE, numeric_classes(rows=60), trials=20, seconds=25)
    assert "share of the time of the job" in notes(result)


@pytest.mark.parametrize("seconds", [1e-9, 4])
def test_a_time_that_allows_no_trial_says_so(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(bench, "time", Clock())
    monkeypatch.setattr("shared.training.search.finding.time", Clock())
    with pytest.raises(SearchTooShort, match=r"before one trial was done.*Allow more"):
        sought(TREE, numeric_classes(rows=60), time_limit=seconds)


def test_halving_tries_most_on_few_rows_and_the_best_on_all() -> None:
    found = told(sought(TREE, numeric_classes(rows=150), method="halving", trials=9, folds=2))
    assert sorted({each.rows for each in found.candidates}) == [20, 60]
    assert [each.rows for each in found.candidates[:3]] == [60, 60, 60]
    assert (found.trials_done, found.candidates[0].params) == (9, found.chosen)


def test_halving_of_few_rows_says_that_it_tried_all_on_all() -> None:
    result = sought(TREE, numeric_classes(rows=60), method="halving", trials=3)
    assert "too few for halving" in notes(result)


@pytest.mark.parametrize(
    ("candidates", "rows", "rounds"),
    [
        (30, 1000, [(30, 1 / 27), (10, 1 / 9), (4, 1 / 3), (2, 1.0)]),
        (30, 60, [(30, 1 / 3), (10, 1.0)]),
        (2, 10_000, [(2, 1.0)]),
        (9, 19, [(9, 1.0)]),
    ],
)
def test_rounds_of_halving_end_with_all_rows(candidates: int, rows: int, rounds: list[tuple[int, float]]) -> None:
    found = rounds_of(candidates, rows, 2)
    assert [count for count, _ in found] == [count for count, _ in rounds]
    assert [share for _, share in found] == pytest.approx([share for _, share in rounds])


def test_each_beginning_of_a_fair_order_has_all_classes() -> None:
    target = np.array(["often"] * 90 + ["rare"] * 10)
    order = fair_order(target, classes=True, seed=3)
    assert sorted(order) == list(range(100))
    assert [int((target[order[:count]] == "rare").sum()) for count in (10, 50, 100)] == [1, 5, 10]


def test_parameters_inside_of_a_model_can_be_sought() -> None:
    space = {"estimator__max_depth": [1, 4], "n_estimators": [3]}
    result = sought("ensemble.BaggingClassifier", numeric_classes(rows=60), method="grid", space=space)
    assert result.facts.parameters["estimator"]["params"]["max_depth"] == told(result).chosen["estimator__max_depth"]


def test_a_candidate_may_need_other_columns_than_the_request() -> None:
    table = numeric_classes(("no", "yes"), rows=60)
    table.loc[3, "width"] = np.nan
    space = {"estimator": [{"module": "tree", "class": "DecisionTreeClassifier"}, {"module": "svm", "class": "SVC"}]}
    found = told(sought("ensemble.BaggingClassifier", table, method="grid", params={"n_estimators": 2}, space=space))
    assert found.trials_failed == 0


def test_it_says_whether_the_winner_is_told_apart_from_the_request() -> None:
    table = numeric_amounts(rows=120)
    better = sought("linear_model.Ridge", table, params={"alpha": 1e4}, method="grid", space={"alpha": [0.01, 0.1]})
    assert told(better).within_noise is False
    assert "may be chance" not in notes(better)
    same = sought("linear_model.Ridge", table, params={"alpha": 0.01}, method="grid", space={"alpha": [0.01, 0.0101]})
    assert told(same).within_noise is True
    assert "may be chance" in notes(same) or "No candidate of the search does better" in notes(same)
    worse = sought("linear_model.Ridge", table, params={"alpha": 0.01}, method="grid", space={"alpha": [1e4]})
    assert "No candidate of the search does better than the parameters of the request" in notes(worse)
    assert "Train without 'search' to keep them" in notes(worse)


def test_steps_rise_and_tell_which_trial_it_is() -> None:
    heard: list[tuple[str, int]] = []

    def hear(step: str, percent: int, *, measured: bool = False) -> None:
        assert measured or step == "preparing"
        heard.append((step, percent))

    sought(TREE, numeric_classes(rows=60), method="grid", space=DEPTHS, hear=hear)
    assert [percent for _, percent in heard] == sorted(percent for _, percent in heard)
    steps = list(dict.fromkeys(step for step, _ in heard))
    assert steps[:5] == ["preparing", *(f"searching ({at} of 3)" for at in (1, 2, 3)), "fitting"]


def test_of_many_candidates_the_first_are_listed_and_the_rest_are_counted() -> None:
    tried = {
        number: Tried(number, {"alpha": number}, [number / 2, number], 1.0, 40, 0.1, None if number % 10 else "No.")
        for number in range(1, 1001)
    }
    ranked = best_first(list(tried.values()), rises=True)
    choice = SearchChoice(method="random", space={}, trials=1000, metric="accuracy")
    parts = [(np.arange(40), np.arange(40, 60))] * 2
    found = report_of_search(choice, ranked, tried, None, parts=parts, seconds=1, stopped=False)
    assert (len(found.candidates), found.left_out, len(found.scores)) == (MOST_LISTED, 900, 1000)
    assert [each.params["alpha"] for each in found.candidates[:3]] == [999, 998, 997]
    assert [each.rank for each in found.candidates[79:81]] == [80, None]
    assert (found.within_noise, found.chosen) == (None, {"alpha": 999})
