"""Parameters that do not go together, or not with the table: we refuse at once what scikit-learn would refuse later."""

import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any

import pandas as pd
import pytest

from shared.errors import PlatformError
from shared.estimators.catalogue import find_estimator
from shared.estimators.parameters import settings_of
from shared.training.checks.training import problems_of
from shared.training.recipe import build_estimator
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, profile_of, spec_of

TWO, THREE = numeric_classes(("no", "yes")), numeric_classes()
AMOUNTS = numeric_amounts()
WITH_ZERO = AMOUNTS.assign(target=AMOUNTS["target"] - AMOUNTS["target"].min())
BELOW_ZERO = AMOUNTS.assign(target=AMOUNTS["target"] - AMOUNTS["target"].mean())
ROWS = 48
INPUTS = ["width", "height", "count"]

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")


def refused(estimator: str, params: dict[str, Any], table: pd.DataFrame, **fields: Any) -> list[PlatformError]:
    spec = spec_of(estimator, params=params, **fields)
    return problems_of(spec, columns=profile_of(table), rows=len(table))


def learns(estimator: str, params: dict[str, Any], table: pd.DataFrame) -> bool:
    """Whether scikit-learn itself fits and predicts the training part."""
    known = find_estimator(*estimator.split("."))
    model = build_estimator(known, settings_of(known, params))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model.fit(table[INPUTS][:ROWS], table["target"][:ROWS].to_numpy()).predict(table[INPUTS][ROWS:])
        except (ValueError, TypeError, IndexError, NotImplementedError):
            return False
    return True


def logistic() -> Iterator[tuple[str, dict[str, Any], pd.DataFrame]]:
    key = "linear_model.LogisticRegression"
    for solver, penalty, dual in product(SOLVERS, (..., None, "l1", "l2", "elasticnet"), (False, True)):
        for ratio, table in product((..., None, 0, 0.5, 1), (TWO, THREE)):
            params = {"solver": solver, "penalty": penalty, "dual": dual, "l1_ratio": ratio, "max_iter": 2}
            yield key, {name: value for name, value in params.items() if value is not ...}, table


def test_logistic_regression_is_refused_in_exactly_the_combinations_that_scikit_learn_refuses() -> None:
    for estimator, params, table in logistic():
        assert (not refused(estimator, params, table)) == learns(estimator, params, table), params


@pytest.mark.parametrize("ratios", [..., None, [], [0], [1], [0, 1], [0.5], [2]], ids=str)
@pytest.mark.parametrize("penalty", [..., "l1", "l2", "elasticnet"], ids=str)
def test_cross_validated_logistic_regression_agrees_too(penalty: Any, ratios: Any) -> None:
    key = "linear_model.LogisticRegressionCV"
    for solver in ("lbfgs", "liblinear", "saga"):
        params = {"solver": solver, "penalty": penalty, "l1_ratios": ratios, "max_iter": 2, "cv": 2, "Cs": 1}
        params = {name: value for name, value in params.items() if value is not ...}
        # Outside of the penalty `elasticnet`, scikit-learn meets a list that is out of range too late for us.
        if ratios not in ([], [2]) or penalty == "elasticnet":
            assert (not refused(key, params, TWO)) == learns(key, params, TWO), params


@pytest.mark.parametrize("dual", [True, False, "auto"])
def test_linear_support_vectors_agree_with_liblinear(dual: Any) -> None:
    for penalty, loss, classes in product(("l1", "l2"), ("hinge", "squared_hinge"), ("ovr", "crammer_singer")):
        params = {"penalty": penalty, "loss": loss, "multi_class": classes, "dual": dual}
        assert (not refused("svm.LinearSVC", params, TWO)) == learns("svm.LinearSVC", params, TWO), params
    for loss in ("epsilon_insensitive", "squared_epsilon_insensitive"):
        params = {"loss": loss, "dual": dual}
        assert (not refused("svm.LinearSVR", params, AMOUNTS)) == learns("svm.LinearSVR", params, AMOUNTS), params


TREE, FOREST = "tree.DecisionTreeRegressor", "ensemble.RandomForestRegressor"
BOOSTING = "ensemble.HistGradientBoostingRegressor"
TWEEDIE = "linear_model.TweedieRegressor"

# Refused, with the word that tells how to fix it, and fixed.
CASES: list[tuple[str, dict[str, Any], pd.DataFrame, str, Any]] = [
    ("linear_model.GammaRegressor", {}, BELOW_ZERO, "above 0 only", ...),
    ("linear_model.GammaRegressor", {}, WITH_ZERO, "above 0 only", ...),
    ("linear_model.PoissonRegressor", {}, BELOW_ZERO, "no negative targets", ...),
    (TWEEDIE, {"power": 2}, WITH_ZERO, "'power' of 2", {"power": 1.5}),
    (TWEEDIE, {"power": 3}, WITH_ZERO, "'power' of 3", {"power": 1}),
    (TWEEDIE, {"power": 1.5}, BELOW_ZERO, "'power' of 1.5", {"power": 0}),
    (BOOSTING, {"loss": "gamma"}, WITH_ZERO, "loss 'gamma'", {"loss": "poisson"}),
    (TREE, {"criterion": "poisson"}, BELOW_ZERO, "criterion 'poisson'", {"criterion": "squared_error"}),
    ("neighbors.KNeighborsClassifier", {"n_neighbors": ROWS + 1}, TWO, "At most 48", {"n_neighbors": ROWS}),
    ("neighbors.KNeighborsRegressor", {"n_neighbors": 60}, AMOUNTS, "At most 48", {"n_neighbors": 5}),
    ("neighbors.KNeighborsRegressor", {"n_neighbors": None}, AMOUNTS, "needs 'n_neighbors'", {}),
    ("ensemble.BaggingRegressor", {"max_samples": 49, "bootstrap": False}, AMOUNTS, "At most 48", {"max_samples": 49}),
    ("ensemble.BaggingRegressor", {"max_features": 4}, AMOUNTS, "At most 3", {"max_features": 3}),
    ("linear_model.RANSACRegressor", {"min_samples": 49}, AMOUNTS, "At most 48", {"min_samples": 40}),
    ("linear_model.TheilSenRegressor", {"n_subsamples": 49}, AMOUNTS, "At most 48", {"n_subsamples": 48}),
    ("linear_model.TheilSenRegressor", {"n_subsamples": 3}, AMOUNTS, "at least 4", {"n_subsamples": 4}),
    ("linear_model.LassoCV", {"cv": 49}, AMOUNTS, "At most 48", {"cv": 3}),
    ("cross_decomposition.PLSRegression", {"n_components": 4}, AMOUNTS, "At most 3", {"n_components": 3}),
    ("linear_model.OrthogonalMatchingPursuit", {"n_nonzero_coefs": 4}, AMOUNTS, "At most 3", {"n_nonzero_coefs": 3}),
    ("discriminant_analysis.LinearDiscriminantAnalysis", {"n_components": 3}, THREE, "classes", {"n_components": 2}),
    ("naive_bayes.MultinomialNB", {"class_prior": [0.5, 0.5]}, THREE, "3 classes", {"class_prior": [0.2, 0.2, 0.6]}),
    ("naive_bayes.MultinomialNB", {"alpha": [1, 1]}, THREE, "width, height, count", {"alpha": [1, 1, 1]}),
    (TREE, {"monotonic_cst": [1, 0]}, AMOUNTS, "width, height, count", {"monotonic_cst": [1, 0, -1]}),
    (FOREST, {"monotonic_cst": [1, 0, 2]}, AMOUNTS, "only rising", {"monotonic_cst": [1, 0, 1]}),
    (BOOSTING, {"monotonic_cst": {"widht": 1}}, AMOUNTS, "which is not an input", {"monotonic_cst": {"width": 1}}),
    ("tree.DecisionTreeClassifier", {"monotonic_cst": [1, 0, 0]}, THREE, "two classes only", {}),
    ("ensemble.GradientBoostingClassifier", {"loss": "exponential"}, THREE, "'log_loss'", {"loss": "log_loss"}),
    (FOREST, {"oob_score": True, "bootstrap": False}, AMOUNTS, "Set 'bootstrap'", {"oob_score": True}),
    (
        "ensemble.ExtraTreesRegressor",
        {"oob_score": True},
        AMOUNTS,
        "'bootstrap'",
        {"oob_score": True, "bootstrap": True},
    ),
    ("ensemble.BaggingRegressor", {"oob_score": True, "bootstrap": False}, AMOUNTS, "'bootstrap'", {}),
    ("ensemble.BaggingRegressor", {"oob_score": True, "warm_start": True}, AMOUNTS, "Leave one", {"oob_score": True}),
    ("ensemble.ExtraTreesRegressor", {"max_samples": 9}, AMOUNTS, "'bootstrap'", {"max_samples": 9, "bootstrap": True}),
    (
        "discriminant_analysis.LinearDiscriminantAnalysis",
        {"shrinkage": "auto"},
        THREE,
        "'lsqr'",
        {"shrinkage": "auto", "solver": "lsqr"},
    ),
    ("linear_model.Ridge", {"solver": "lbfgs"}, AMOUNTS, "'positive'", {"solver": "lbfgs", "positive": True}),
    ("linear_model.QuantileRegressor", {"solver": "interior-point"}, AMOUNTS, "'highs'", {"solver": "highs"}),
    (BOOSTING, {"loss": "quantile"}, AMOUNTS, "needs 'quantile'", {"loss": "quantile", "quantile": 0.5}),
    (
        "dummy.DummyRegressor",
        {"strategy": "constant"},
        AMOUNTS,
        "needs 'constant'",
        {"strategy": "constant", "constant": 1.5},
    ),
    (
        "dummy.DummyRegressor",
        {"strategy": "quantile"},
        AMOUNTS,
        "needs 'quantile'",
        {"strategy": "quantile", "quantile": 0.5},
    ),
]


@pytest.mark.parametrize(("estimator", "params", "table", "said", "fixed"), CASES)
def test_what_the_table_or_another_parameter_forbids_is_refused_with_how_to_mend_it(
    *, estimator: str, params: dict[str, Any], table: pd.DataFrame, said: str, fixed: Any
) -> None:
    (problem,) = refused(estimator, params, table)
    assert said in problem.detail
    assert not learns(estimator, params, table), "it is not a problem"
    if fixed is not ...:
        assert refused(estimator, fixed, table) == []
        assert learns(estimator, fixed, table)
        names = [error["loc"][-1] for error in problem.errors]
        assert names == ["target_column"] or names[0] in {**params, **fixed}


def test_gaussian_processes_of_one_against_one_give_no_probabilities_for_three_classes() -> None:
    (problem,) = refused("gaussian_process.GaussianProcessClassifier", {"multi_class": "one_vs_one"}, THREE)
    assert "Use 'one_vs_rest'" in problem.detail
    assert refused("gaussian_process.GaussianProcessClassifier", {"multi_class": "one_vs_one"}, TWO) == []


def test_columns_are_not_counted_where_the_recipe_makes_its_own() -> None:
    amounts = dirty().drop(columns="target").rename(columns={"age": "target"})
    assert refused("cross_decomposition.PLSRegression", {"n_components": 9}, amounts) == []
    assert refused("tree.DecisionTreeRegressor", {"monotonic_cst": [0] * 9}, amounts) == []
    (problem,) = refused(BOOSTING, {"monotonic_cst": {"city": 1}}, amounts)
    assert "Name columns of numbers in 'features'" in problem.detail


def test_components_are_counted_among_the_rows_too() -> None:
    (problem,) = refused("cross_decomposition.PLSRegression", {"n_components": 3}, AMOUNTS.head(3))
    assert "more than the 2 rows" in problem.detail


def test_neighbours_are_counted_among_the_rows_that_have_a_target_and_are_fitted() -> None:
    table = TWO.assign(target=TWO["target"].where(TWO.index >= 20))
    (problem,) = refused("neighbors.KNeighborsClassifier", {"n_neighbors": 21}, table, test_size=0.5)
    assert "At most 20 will do" in problem.detail
    assert refused("neighbors.KNeighborsClassifier", {"n_neighbors": 20}, table, test_size=0.5) == []


@pytest.mark.parametrize(
    ("labels", "right"), [(("no", "yes"), "yes"), ((0, 1), "1"), ((False, True), "true"), ((0.0, 2.0), "2.0")], ids=str
)
def test_class_weights_are_for_classes_that_the_target_has(labels: tuple[Any, ...], right: str) -> None:
    forest, table = "ensemble.RandomForestClassifier", numeric_classes(labels)
    assert refused(forest, {"class_weight": {right: 2}}, table) == []
    (problem,) = refused(forest, {"class_weight": {right: 2, "other": 3}}, table)
    assert problem.code == "invalid_parameter"
    assert "'other', which is not a class of the target. It has: " in problem.detail


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"no": -1}, "'class_weight' has -1 for 'no'. A weight is a number from 0 to 1e+100"),
        ({"no": 1e308, "yes": 1}, "has 1e+308 for 'no'"),
        ({"no": 0, "yes": 0}, "'class_weight' is 0 for each class that it names"),
    ],
)
def test_class_weights_that_no_fit_can_count_with_are_told(weights: dict[str, float], said: str) -> None:
    table = numeric_classes(("no", "yes"))
    (problem,) = refused("tree.DecisionTreeClassifier", {"class_weight": weights}, table)
    assert said in problem.detail
    assert refused("tree.DecisionTreeClassifier", {"class_weight": {"no": 0, "yes": 1e100}}, table) == []


def test_class_weights_are_left_to_the_job_where_the_profile_does_not_know_all_classes() -> None:
    many = numeric_classes(tuple("abcdefg"), rows=70)
    assert refused("ensemble.RandomForestClassifier", {"class_weight": {"other": 3}}, many) == []
    long = numeric_classes(("x" * 99 + "…", "b"))
    assert refused("ensemble.RandomForestClassifier", {"class_weight": {"other": 3}}, long) == []


def test_a_target_without_any_value_is_told_as_that() -> None:
    for estimator in ("ensemble.RandomForestClassifier", FOREST):
        (problem,) = refused(estimator, {}, AMOUNTS.assign(target=float("nan")))
        assert problem.code == "invalid_split"
        assert problem.detail.startswith("Target column 'target' has no value in any row")
        assert problem.errors == [{"loc": ["body", "target_column"], "msg": problem.detail}]
