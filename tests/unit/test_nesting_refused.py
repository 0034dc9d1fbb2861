"""Estimators inside of others that do not suit their host, or the table: told before anything runs."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.errors import PlatformError
from shared.estimators.restrictions import MAX_WORK
from shared.tables.columns import Column, ColumnKind
from shared.training.checks.training import problems_of
from tests.support.nested import model
from tests.support.training_tables import numeric_amounts, numeric_classes, profile_of, spec_of

TREE, REGRESSION_TREE = model("tree.DecisionTreeClassifier"), model("tree.DecisionTreeRegressor")
KNN, SVC = model("neighbors.KNeighborsClassifier"), model("svm.SVC")
VOTING, STACKING = "ensemble.VotingClassifier", "ensemble.StackingClassifier"
BAGGING, ADA, REST = "ensemble.BaggingClassifier", "ensemble.AdaBoostClassifier", "multiclass.OneVsRestClassifier"
CALIBRATED, TARGET = "calibration.CalibratedClassifierCV", "compose.TransformedTargetRegressor"
CATEGORIES = model("naive_bayes.CategoricalNB")
AMOUNTS = numeric_amounts()
BELOW = AMOUNTS.assign(target=AMOUNTS["target"] - AMOUNTS["target"].mean())


def refused(key: str, params: dict[str, Any], table: pd.DataFrame | None = None) -> list[PlatformError]:
    if table is None:
        table = numeric_classes() if "Classifier" in key else AMOUNTS
    return problems_of(spec_of(key, params=params), columns=profile_of(table), rows=len(table))


def bags(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = TREE
    for _ in range(depth):
        inner = model(BAGGING, estimator=inner)
    return dict(inner["params"])


E = "estimators"
# The host, its parameters, the code, the place after ("body", "model", "params"), and a part of the sentence.
REFUSED: dict[str, tuple[str, dict[str, Any], str, list[str | int], str]] = {
    "a parameter that an inner one does not have": (
        BAGGING,
        {"estimator": model("tree.DecisionTreeClassifier", max_dept=3)},
        "unknown_parameter",
        ["estimator", "params", "max_dept"],
        "Did you mean 'max_depth'?",
    ),
    "a value that an inner one does not take": (
        VOTING,
        {E: [["a", TREE], ["b", model("svm.SVC", C="much")]]},
        "invalid_parameter",
        [E, 1, 1, "params", "C"],
        "must be a number above 0",
    ),
    "threads of an inner one": (
        STACKING,
        {E: [["a", TREE]], "final_estimator": model("linear_model.LogisticRegression", n_jobs=8)},
        "invalid_parameter",
        ["final_estimator", "params", "n_jobs"],
        "the server sets it",
    ),
    "code in an inner one": (
        "ensemble.BaggingRegressor",
        {"estimator": model(TARGET, func="eval")},
        "invalid_parameter",
        ["estimator", "params", "func"],
        "must be one of 'arcsinh', 'log', 'log1p', 'sqrt'",
    ),
    "a combination that an inner one refuses": (
        BAGGING,
        {"estimator": model("linear_model.LogisticRegression", l1_ratio=1)},
        "invalid_parameter",
        ["estimator", "params", "solver"],
        "The solver 'lbfgs' cannot fit the penalty 'l1'",
    ),
    "an inner class that there is not": (
        BAGGING,
        {"estimator": model("tree.DecisonTreeClassifier")},
        "unknown_estimator",
        ["estimator"],
        "Did you mean 'tree.DecisionTreeClassifier'?",
    ),
    "a module of Python inside": (BAGGING, {"estimator": model("os.system")}, "unknown_estimator", ["estimator"], "no"),
    "a regressor for a classifier": (
        VOTING,
        {E: [["a", TREE], ["b", REGRESSION_TREE]]},
        "task_mismatch",
        [E, 1, 1],
        "takes a classifier, and tree.DecisionTreeRegressor is a regressor",
    ),
    "a classifier for a regressor": (
        TARGET,
        {"regressor": TREE},
        "task_mismatch",
        ["regressor"],
        "takes a regressor, and tree.DecisionTreeClassifier is a classifier",
    ),
    "nothing inside": (REST, {}, "invalid_parameter", [], "needs 'estimator'. It must be a classifier: {"),
    "null inside": (REST, {"estimator": None}, "invalid_parameter", ["estimator"], "not null."),
    "no list of estimators": (VOTING, {}, "invalid_parameter", [], "needs 'estimators'. It must be a list"),
    "an empty list of estimators": (VOTING, {E: []}, "invalid_parameter", [E], "The list is empty."),
    "an entry without a name": (VOTING, {E: [TREE]}, "invalid_parameter", [E], "Entry 1: It is no pair"),
    "a model without a class": (
        VOTING,
        {E: [["a", TREE], ["b", {"module": "svm"}]]},
        "invalid_parameter",
        [E],
        "Entry 2: The model has no 'class'.",
    ),
    "an empty name": (VOTING, {E: [["", TREE]]}, "invalid_parameter", [E], "1 to 60 characters"),
    "a name twice": (VOTING, {E: [["a", TREE], ["a", SVC]]}, "invalid_parameter", [E, 0, 0], "stands twice"),
    "a name that leads to a parameter": (VOTING, {E: [["a__b", TREE]]}, "invalid_parameter", [E, 0, 0], "'__'"),
    "a name of a parameter": (VOTING, {E: [["weights", TREE]]}, "invalid_parameter", [E, 0, 0], "is a parameter of"),
    "a name of a parameter that cannot be set": (
        VOTING,
        {E: [["n_jobs", TREE]]},
        "invalid_parameter",
        [E, 0, 0],
        "is a",
    ),
    "four deep": (BAGGING, bags(4), "invalid_parameter", [*["estimator", "params"] * 3, "estimator"], "at most 3 deep"),
    "21 models": (
        STACKING,
        {E: [[f"e{number}", TREE] for number in range(20)], "final_estimator": TREE},
        "invalid_parameter",
        ["final_estimator"],
        "at most 20 others",
    ),
    "AdaBoost without weights of rows": (
        ADA,
        {"estimator": KNN},
        "invalid_parameter",
        ["estimator"],
        "weight for each",
    ),
    "AdaBoost of a host without them": (
        ADA,
        {"estimator": model(BAGGING, estimator=KNN)},
        "invalid_parameter",
        ["estimator"],
        "must take a weight for each row",
    ),
    "soft voting without probabilities": (
        VOTING,
        {E: [["a", TREE], ["b", SVC]], "voting": "soft"},
        "invalid_parameter",
        [E, 1, 1],
        "svm.SVC does not give without 'probability' of true",
    ),
    "soft voting of hard voting": (
        VOTING,
        {E: [["a", model(VOTING, estimators=[["b", TREE]])]], "voting": "soft"},
        "invalid_parameter",
        [E, 0, 1],
        "does not give without 'voting' of 'soft'",
    ),
    "stacking of probabilities that there are not": (
        STACKING,
        {E: [["a", model("linear_model.SGDClassifier")]], "stack_method": "predict_proba"},
        "invalid_parameter",
        [E, 0, 1],
        "without 'loss' of 'log_loss' or 'loss' of 'modified_huber'",
    ),
    "stacking of decision functions that there are not": (
        STACKING,
        {E: [["a", TREE]], "stack_method": "decision_function"},
        "invalid_parameter",
        [E, 0, 1],
        "needs a decision function",
    ),
    "calibration of labels alone": (
        CALIBRATED,
        {"estimator": model(VOTING, estimators=[["a", TREE]])},
        "invalid_parameter",
        ["estimator"],
        "must give probabilities or a decision function",
    ),
    "a beginning without probabilities": (
        "ensemble.GradientBoostingClassifier",
        {"init": SVC},
        "invalid_parameter",
        ["init"],
        "To begin with it needs probabilities",
    ),
    "categories and numbers": (
        VOTING,
        {E: [["a", CATEGORIES], ["b", TREE]]},
        "invalid_parameter",
        [E, 0, 1],
        "Take one kind of them.",
    ),
    "categories in some of the rows": (
        BAGGING,
        {"estimator": CATEGORIES},
        "invalid_parameter",
        ["estimator"],
        "some of",
    ),
    "categories at the end": (
        STACKING,
        {E: [["a", TREE]], "final_estimator": CATEGORIES},
        "invalid_parameter",
        ["final_estimator"],
        "it takes categories",
    ),
    "nothing negative at the end": (
        STACKING,
        {E: [["a", TREE]], "final_estimator": model(REST, estimator=model("naive_bayes.MultinomialNB"))},
        "invalid_parameter",
        ["final_estimator", "params", "estimator"],
        "no negative numbers. Use another 'final_estimator'",
    ),
    "names of columns in an array": (
        BAGGING,
        {"estimator": model("ensemble.HistGradientBoostingClassifier", monotonic_cst={"width": 1})},
        "invalid_parameter",
        ["estimator", "params", "monotonic_cst"],
        "shows no names",
    ),
    "weights of classes that the host makes": (
        REST,
        {"estimator": model("tree.DecisionTreeClassifier", class_weight={"no": 2})},
        "invalid_parameter",
        ["estimator", "params", "class_weight"],
        "means nothing",
    ),
    "a weight of a class that there is not": (
        BAGGING,
        {"estimator": model("tree.DecisionTreeClassifier", class_weight={"nope": 2})},
        "invalid_parameter",
        ["estimator", "params", "class_weight"],
        "It has: no, maybe, yes",
    ),
    "too few weights of votes": (
        VOTING,
        {E: [["a", TREE]], "weights": [1, 2]},
        "invalid_parameter",
        ["weights"],
        "but",
    ),
    "votes that count nothing": (
        VOTING,
        {E: [["a", TREE]], "weights": [0]},
        "invalid_parameter",
        ["weights"],
        "above 0",
    ),
    "a consensus of unknown size": (
        "linear_model.RANSACRegressor",
        {"estimator": REGRESSION_TREE},
        "invalid_parameter",
        [],
        "needs 'min_samples'",
    ),
    "another inverse": (
        TARGET,
        {"func": "log1p", "inverse_func": "exp"},
        "invalid_parameter",
        ["inverse_func"],
        "The inverse of 'log1p' is 'expm1'",
    ),
    "an inverse of nothing": (TARGET, {"inverse_func": "exp"}, "invalid_parameter", ["inverse_func"], "Set 'func'"),
    "more neighbours than the folds have rows": (
        STACKING,
        {E: [["a", model("neighbors.KNeighborsClassifier", n_neighbors=40)]]},
        "invalid_parameter",
        [E, 0, 1, "params", "n_neighbors"],
        "more than the 38 rows",
    ),
    "a list with a value per column": (
        VOTING,
        {E: [["a", model("ensemble.RandomForestClassifier", monotonic_cst=[1])]]},
        "invalid_parameter",
        [E, 0, 1, "params", "monotonic_cst"],
        "has 1 values, but there are 3 inputs",
    ),
}


@pytest.mark.parametrize(("key", "params", "code", "place", "said"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_suit_is_refused_at_its_place(
    key: str, params: dict[str, Any], code: str, place: list[str | int], said: str
) -> None:
    found = refused(key, params)
    assert (found[0].code, found[0].errors[0]["loc"]) == (code, ["body", "model", "params", *place])
    assert said in found[0].detail
    assert len(found[0].detail) < 600
    assert all(problem.errors[0]["loc"][:2] == ["body", "model"] for problem in found)


TAKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "soft voting of probabilities asked for": (
        VOTING,
        {E: [["a", model("linear_model.SGDClassifier", loss="log_loss")], ["b", TREE]], "voting": "soft"},
    ),
    "a decision function for calibration": (CALIBRATED, {"estimator": model("svm.LinearSVC")}),
    "a host that passes weights of rows": (ADA, {"estimator": model(BAGGING, estimator=TREE)}),
    "three deep": (BAGGING, bags(3)),
    "20 models": (VOTING, {E: [[f"e{number}", TREE] for number in range(20)]}),
    "a balanced one of two classes": (
        REST,
        {"estimator": model("tree.DecisionTreeClassifier", class_weight="balanced")},
    ),
    "what is for two classes only, where there are two": (
        REST,
        {"estimator": model("linear_model.LogisticRegression", solver="liblinear")},
    ),
    "names of columns where they are shown": (
        "ensemble.VotingRegressor",
        {E: [["a", model("ensemble.HistGradientBoostingRegressor", monotonic_cst={"width": 1})]]},
    ),
    "a list where the columns are not those of the table": (
        BAGGING,
        {"estimator": model("ensemble.RandomForestClassifier", monotonic_cst=[0, 1]), "max_features": 2},
    ),
    "a consensus of a linear regression": (
        "linear_model.RANSACRegressor",
        {"estimator": model("linear_model.LinearRegression")},
    ),
}


@pytest.mark.parametrize(("key", "params"), TAKEN.values(), ids=TAKEN)
def test_what_suits_is_taken(key: str, params: dict[str, Any]) -> None:
    table = numeric_classes(("no", "yes")) if "monotonic" in str(params) and "Classifier" in key else None
    assert [problem.detail for problem in refused(key, params, table)] == []


RANGES: dict[str, tuple[dict[str, Any], pd.DataFrame, str | None]] = {
    "logarithms of what is negative": ({"func": "log"}, BELOW, "with the func 'log' takes targets above 0 only"),
    "logarithms near zero": ({"func": "log1p"}, BELOW - 5, "takes targets above -1 only"),
    "roots of what is negative": ({"func": "sqrt"}, BELOW, "takes targets from 0 only"),
    "roots of zero": ({"func": "sqrt"}, AMOUNTS.assign(target=AMOUNTS["target"] - AMOUNTS["target"].min()), None),
    "arcsinh of what is negative": ({"func": "arcsinh"}, BELOW, None),
    "counts in logarithms": (
        {"func": "log", "regressor": model("linear_model.PoissonRegressor")},
        AMOUNTS.assign(target=AMOUNTS["target"] / 100),
        "linear_model.PoissonRegressor takes no negative targets",
    ),
    "counts as they are": ({"regressor": model("linear_model.PoissonRegressor")}, AMOUNTS, None),
    "counts that are negative": (
        {"regressor": model("linear_model.PoissonRegressor")},
        BELOW,
        "linear_model.PoissonRegressor takes no negative targets",
    ),
}


@pytest.mark.parametrize(("params", "table", "said"), RANGES.values(), ids=RANGES)
def test_the_range_of_the_target_must_suit_the_function_and_what_is_inside(
    params: dict[str, Any], table: pd.DataFrame, said: str | None
) -> None:
    found = refused(TARGET, params, table)
    assert [problem.code for problem in found] == ([] if said is None else ["task_mismatch"])
    assert said is None or said in found[0].detail


def test_negative_inputs_are_refused_for_an_estimator_inside() -> None:
    table = numeric_classes().assign(width=np.linspace(-1, 1, 60))
    (problem,) = refused(VOTING, {E: [["a", TREE], ["b", model("naive_bayes.MultinomialNB")]]}, table)
    assert problem.code == "unsuitable_columns"
    assert "naive_bayes.MultinomialNB takes no negative inputs, but 'width' goes down to -1." in problem.detail


FOREST = model("ensemble.RandomForestClassifier", n_estimators=1_000)
WORK: dict[str, tuple[str, dict[str, Any], int]] = {
    "bagging of forests": (BAGGING, {"estimator": FOREST, "n_estimators": 20}, 20_000),
    "AdaBoost of trees": (ADA, {"estimator": TREE, "n_estimators": 900}, 900),
    "votes": (VOTING, {E: [["a", FOREST], ["b", FOREST], ["c", TREE]]}, 2_001),
    "stacking in five folds": (STACKING, {E: [["a", FOREST]], "final_estimator": FOREST}, 7_000),
    "calibration in three folds": (CALIBRATED, {"estimator": FOREST, "cv": 3}, 4_000),
    "one for each class": (REST, {"estimator": FOREST}, 3_000),
    "one for each pair": ("multiclass.OneVsOneClassifier", {"estimator": FOREST}, 3_000),
    "codes": ("multiclass.OutputCodeClassifier", {"estimator": FOREST, "code_size": 2}, 7_000),
    "a beginning": ("ensemble.GradientBoostingClassifier", {"init": FOREST, "n_estimators": 500}, 1_500),
    "histogram boosting": (
        BAGGING,
        {"estimator": model("ensemble.HistGradientBoostingClassifier"), "n_estimators": 3},
        300,
    ),
}


@pytest.mark.parametrize(("key", "params", "fits"), WORK.values(), ids=WORK)
def test_work_counts_all_estimators_inside_of_each_other(key: str, params: dict[str, Any], fits: int) -> None:
    columns = [
        *[Column(name=name, kind=ColumnKind.NUMBER, unique=9, missing=0, examples=[], min=0, max=9) for name in "ab"],
        Column(name="target", kind=ColumnKind.CATEGORY, unique=3, missing=0, examples=["x", "y", "z"]),
    ]
    rows = MAX_WORK // fits // 2
    spec = spec_of(key, params=params)
    assert problems_of(spec, columns=columns, rows=rows) == []
    (problem,) = problems_of(spec, columns=columns, rows=rows + 1)
    assert f"{fits:,} estimators" in problem.detail
    assert problem.errors[0]["loc"] == ["body", "model"]


def test_all_that_is_wrong_inside_is_told_at_once() -> None:
    inner = [["a", model("tree.DecisionTreeClassifier", max_dept=1)], ["b", model("svm.SVC", C=-1, verbose=1)]]
    found = refused(VOTING, {E: inner, "votin": "soft"})
    assert [problem.errors[0]["loc"][3:] for problem in found] == [
        ["votin"],
        [E, 0, 1, "params", "max_dept"],
        [E, 1, 1, "params", "C"],
        [E, 1, 1, "params", "verbose"],
    ]
