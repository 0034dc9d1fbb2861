"""Checks of parameters."""

from typing import Any

import pytest

from shared.errors import InvalidParameter, PlatformError, UnknownParameter
from shared.estimators.catalogue import find_estimator
from shared.estimators.parameters import problems_of_parameters, settings_of
from shared.estimators.restrictions import REFUSED

FOREST = "ensemble.RandomForestClassifier"
ADA = "ensemble.AdaBoostClassifier"
SVC = {"module": "svm", "class": "SVC"}


def problem_of(estimator: str, name: str, value: Any) -> PlatformError | None:
    module, _, cls = estimator.partition(".")
    problems = list(problems_of_parameters(find_estimator(module, cls), {name: value}))
    assert len(problems) <= 1
    return problems[0] if problems else None


TAKEN = [
    (FOREST, "n_estimators", 10_000),
    (FOREST, "max_depth", None),
    (FOREST, "max_depth", 2**53 - 1),
    (FOREST, "n_estimators", 100.0),
    (FOREST, "max_features", 1),
    (FOREST, "max_features", 1.0),
    (FOREST, "max_features", "sqrt"),
    (FOREST, "class_weight", {"0": 1, "1": 2.5}),
    (FOREST, "class_weight", "balanced_subsample"),
    (FOREST, "random_state", 4_294_967_295),
    (FOREST, "monotonic_cst", [1, 0, -1]),
    ("linear_model.LogisticRegression", "C", 1),
    ("linear_model.LogisticRegression", "C", 0.1),
    ("linear_model.RidgeCV", "alphas", [0.1, 1, 10]),
    ("linear_model.LassoCV", "cv", 5),
    ("neural_network.MLPClassifier", "hidden_layer_sizes", [50, 20]),
    ("neural_network.MLPClassifier", "hidden_layer_sizes", 50),
    ("svm.SVC", "max_iter", -1),
    ("svm.SVC", "gamma", 0.5),
    ("svm.SVC", "probability", True),
    ("neighbors.KNeighborsClassifier", "metric_params", {"w": [1, 2]}),
    ("ensemble.HistGradientBoostingClassifier", "categorical_features", ["city"]),
    ("ensemble.HistGradientBoostingClassifier", "interaction_cst", [[0, 1], [2]]),
    ("ensemble.HistGradientBoostingClassifier", "scoring", "roc_auc"),
    ("dummy.DummyClassifier", "constant", "any label"),
    ("gaussian_process.GaussianProcessClassifier", "kernel", None),
]


@pytest.mark.parametrize(("estimator", "name", "value"), TAKEN)
def test_a_value_that_scikit_learn_takes_is_taken(estimator: str, name: str, value: Any) -> None:
    assert problem_of(estimator, name, value) is None


REFUSED_VALUES: dict[str, tuple[str, str, Any, str]] = {
    "a billion trees": (FOREST, "n_estimators", 10**9, "at most 10000"),
    "zero trees": (FOREST, "n_estimators", 0, "at least 1"),
    "a text for a number": (FOREST, "n_estimators", "100", 'not "100". The default is 100.'),
    "a fraction for a whole number": (FOREST, "n_estimators", 1.5, "a whole number"),
    "no share": (FOREST, "max_samples", 0, "a number above 0 (with a decimal point: 1.0, not 1)"),
    "one row to split": (FOREST, "min_samples_split", 1.0, "a number above 0 and below 1"),
    "true for a number": (FOREST, "n_estimators", True, "not true"),
    "NaN": (FOREST, "min_samples_split", float("nan"), "not NaN"),
    "infinity": (FOREST, "max_samples", float("inf"), "not Infinity"),
    "a number for true or false": (FOREST, "bootstrap", 1, "true or false"),
    "a misspelled option": (FOREST, "criterion", "ginni", "Did you mean 'gini'?"),
    "null": (FOREST, "criterion", None, "one of 'entropy', 'gini', 'log_loss'"),
    "a list": (FOREST, "max_depth", [1], "a whole number of at least 1 or null"),
    "a seed that is no seed": (FOREST, "random_state", -1, "at least 0"),
    "a number that a float64 does not hold": (
        FOREST,
        "max_depth",
        2**53,
        "The largest whole number is 9007199254740991.",
    ),
    "a number of 400 digits": (FOREST, "max_depth", 10**400, "a whole number"),
    "a huge number of 400 digits": ("linear_model.LogisticRegression", "C", 10**400, "a number above 0"),
    "a penalty of zero": ("linear_model.LogisticRegression", "C", 0, "above 0"),
    "too many layers": ("neural_network.MLPClassifier", "hidden_layer_sizes", [5] * 11, "at most 10 whole numbers"),
    "a layer too wide": ("neural_network.MLPClassifier", "hidden_layer_sizes", [10**6], "at most 10000"),
    "too many iterations": ("linear_model.LogisticRegression", "max_iter", 10**8, "at most 1000000"),
    "a high degree": ("svm.SVC", "degree", 1000, "at most 20"),
    "too many folds": ("linear_model.LassoCV", "cv", 10**6, "at most 100"),
    "a kernel matrix": ("svm.SVC", "kernel", "precomputed", "one of 'linear'"),
    "a distance matrix": ("neighbors.KNeighborsClassifier", "metric", "precomputed", "one of"),
    "a function by name": ("neighbors.KNeighborsClassifier", "metric", "pyfunc", "one of"),
    "a function as setting": ("neighbors.KNeighborsClassifier", "metric_params", {"func": 1}, "an object"),
    "a dunder as setting": ("neighbors.KNeighborsClassifier", "metric_params", {"__reduce__": 1}, "an object"),
    "a kernel by name": ("gaussian_process.GaussianProcessClassifier", "kernel", "RBF()", "must be null"),
    "a model for a number": (FOREST, "n_estimators", {"module": "svm", "class": "SVC"}, "It takes no model."),
    "a model without a module": (ADA, "estimator", {"class": "SVC"}, "The model has no 'module'."),
    "a model without a class": (ADA, "estimator", {"module": "svm"}, "The model has no 'class'."),
    "a model with a number as class": (ADA, "estimator", {"module": "svm", "class": 1}, "'class' of the model must be"),
    "a model with another field": (ADA, "estimator", SVC | {"param": {}}, "no field 'param'. Did you mean 'params'?"),
    "a model with a list as parameters": (ADA, "estimator", SVC | {"params": [1]}, "'params' of the model must be an"),
    "a list where one model is taken": (ADA, "estimator", [SVC], "must be a classifier: {"),
    "an estimator by name": ("ensemble.BaggingRegressor", "estimator", "SVR", 'must be a regressor: {"module": ...'),
    "code": ("compose.TransformedTargetRegressor", "func", "lambda y: y", "'log', 'log1p', 'sqrt' or null"),
    "another function of NumPy": ("compose.TransformedTargetRegressor", "func", "load", "must be one of 'arcsinh'"),
    "an inverse that is none": ("compose.TransformedTargetRegressor", "inverse_func", "log", "must be one of 'exp'"),
    "weights that are no numbers": (FOREST, "class_weight", {"0": {"class": "SVC"}}, "an object"),
    "a list of texts": ("linear_model.RidgeCV", "alphas", ["1"], "a list of at most 1000 numbers"),
    "a deep list": ("linear_model.RidgeCV", "alphas", [[[[[[1]]]]]], "a list of at most 1000 numbers"),
    "a long list": ("linear_model.RidgeCV", "alphas", [1.0] * 1001, "a list of at most 1000 numbers"),
    "infinity by name": ("linear_model.RANSACRegressor", "stop_score", "Infinity", "a number"),
}


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize(("estimator", "name", "value", "said"), REFUSED_VALUES.values(), ids=REFUSED_VALUES.keys())
def test_another_value_is_refused_saying_what_is_allowed(estimator: str, name: str, value: Any, said: str) -> None:
    problem = problem_of(estimator, name, value)
    assert isinstance(problem, InvalidParameter)
    assert said in problem.detail
    assert "The default is" in problem.detail
    assert len(problem.detail) < 800
    assert problem.errors == [{"loc": ["body", "model", "params", name], "msg": problem.detail}]


def test_what_would_run_code_or_touch_files_is_refused_whatever_an_estimator_means_by_it() -> None:
    code = {"callback", "callbacks", "func", "inverse_func", "preprocessor", "tokenizer"}
    assert REFUSED.keys() == code | {"input", "memory", "n_jobs", "pre_dispatch", "verbose"}


@pytest.mark.parametrize("name", sorted(REFUSED))
@pytest.mark.parametrize("estimator", [FOREST, "linear_model.Ridge"])
def test_some_parameters_are_never_taken_and_the_reason_is_given(estimator: str, name: str) -> None:
    problem = problem_of(estimator, name, None)
    assert isinstance(problem, InvalidParameter)
    assert REFUSED[name] in problem.detail


UNKNOWN = {
    "n_estimator": "Did you mean 'n_estimators'?",
    "estimator__max_depth": "inner estimators",
    "__class__": "inner estimators",
    "set_params": "It has: bootstrap, ccp_alpha",
    "x" * 300: "has no parameter",
}


@pytest.mark.parametrize(("name", "said"), UNKNOWN.items())
def test_an_unknown_parameter_is_refused_with_a_hint(name: str, said: str) -> None:
    problem = problem_of(FOREST, name, 1)
    assert isinstance(problem, UnknownParameter)
    assert said in problem.detail


def test_all_wrong_parameters_are_told_at_once() -> None:
    estimator = find_estimator("ensemble", "RandomForestClassifier")
    problems = list(problems_of_parameters(estimator, {"n_estimators": 0, "n_job": 1, "bootstrap": True, "verbose": 1}))
    assert [problem.code for problem in problems] == ["invalid_parameter", "unknown_parameter", "invalid_parameter"]


def test_layer_sizes_become_a_tuple_and_defaults_are_dropped() -> None:
    estimator = find_estimator("neural_network", "MLPClassifier")
    assert settings_of(estimator, {"hidden_layer_sizes": [8, 4], "max_iter": 200, "alpha": 1}) == {
        "hidden_layer_sizes": (8, 4),
        "alpha": 1,
    }


KINDS: dict[str, tuple[str, str, Any, Any]] = {
    "a count written as a fraction": (FOREST, "n_estimators", 50.0, 50),
    "a share of all": (FOREST, "max_features", 1.0, 1.0),
    "one column": (FOREST, "max_features", 1, 1),
    "a share that cannot be a count": ("ensemble.HistGradientBoostingClassifier", "max_features", 1, None),
    "an amount written as a count": ("linear_model.LogisticRegression", "C", 2, 2.0),
    "layers": ("neural_network.MLPClassifier", "hidden_layer_sizes", [8.0, 4], (8, 4)),
    "places of columns": ("ensemble.HistGradientBoostingClassifier", "interaction_cst", [[0.0, 1]], [[0, 1]]),
    "labels": ("ensemble.HistGradientBoostingClassifier", "categorical_features", [0, 1], [0, 1]),
}


@pytest.mark.parametrize(("estimator", "name", "value", "taken"), KINDS.values(), ids=KINDS.keys())
def test_a_number_of_json_becomes_the_kind_that_scikit_learn_wants(
    estimator: str, name: str, value: Any, taken: Any
) -> None:
    assert problem_of(estimator, name, value) is None
    module, _, cls = estimator.partition(".")
    settings = settings_of(find_estimator(module, cls), {name: value})
    # Where nothing is left, it is the default.
    assert repr(settings.get(name)) == repr(taken)
