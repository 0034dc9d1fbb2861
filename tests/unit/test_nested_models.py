"""Estimators inside of others, compared with scikit-learn built by hand and fitted to the same rows."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, RANSACRegressor, Ridge, RidgeCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from shared.compiled.compilation import Compilation
from shared.estimators.catalogue import all_estimators
from shared.estimators.hosts import HOSTS
from shared.estimators.model_form import MOST_DEPTH, MOST_MODELS
from shared.estimators.needs import gives_scores, with_needs
from shared.estimators.target_functions import TARGET_FUNCTIONS
from shared.estimators.tree import read_tree
from shared.training.building import parameters_of
from shared.training.compiling import compile_fitted
from shared.training.model_fit import fit_silently
from shared.training.preparing import Prepared, prepare
from shared.training.recipe import build_model, last_step
from tests.support.documented import ROOT
from tests.support.nested import model, needed_by
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, profile_of, spec_of

INPUTS = ["width", "height", "count"]
SEED = {"random_state": 42}
TREE, REGRESSION_TREE = (
    model("tree.DecisionTreeClassifier", max_depth=2),
    model("tree.DecisionTreeRegressor", max_depth=2),
)
BAYES, NEIGHBOURS = model("naive_bayes.GaussianNB"), model("neighbors.KNeighborsClassifier", n_neighbors=3)
RIDGE = model("linear_model.Ridge", alpha=0.5)
HIST = model("ensemble.HistGradientBoostingClassifier", max_iter=3)
HIST_REGRESSION = model("ensemble.HistGradientBoostingRegressor", max_iter=3)


class Nested(NamedTuple):
    """A fitted model, without all that a training tells about it, which takes much longer."""

    model: Any
    ready: Prepared


def fitted(key: str, table: pd.DataFrame, **fields: Any) -> Nested:
    ready = prepare(spec_of(key, **fields), table, profile_of(table), ())
    return Nested(fit_silently(ready, ready.split.train), ready)


def tree() -> DecisionTreeClassifier:
    return DecisionTreeClassifier(max_depth=2, **SEED)


def regression_tree() -> DecisionTreeRegressor:
    return DecisionTreeRegressor(max_depth=2, **SEED)


# The outermost estimator, its parameters, and the same by hand.
ByHand = Callable[[], BaseEstimator]
CASES: dict[str, tuple[str, dict[str, Any], ByHand]] = {
    "bagging of neighbours": (
        "ensemble.BaggingClassifier",
        {"estimator": NEIGHBOURS, "n_estimators": 3},
        lambda: BaggingClassifier(KNeighborsClassifier(3), n_estimators=3, **SEED),
    ),
    "bagging of some columns": (
        "ensemble.BaggingRegressor",
        {"estimator": RIDGE, "n_estimators": 3, "max_features": 2},
        lambda: BaggingRegressor(Ridge(alpha=0.5, **SEED), n_estimators=3, max_features=2, **SEED),
    ),
    "AdaBoost of deeper trees": (
        "ensemble.AdaBoostClassifier",
        {"estimator": TREE, "n_estimators": 4},
        lambda: AdaBoostClassifier(tree(), n_estimators=4, **SEED),
    ),
    "AdaBoost of numbers": (
        "ensemble.AdaBoostRegressor",
        {"estimator": REGRESSION_TREE, "n_estimators": 4},
        lambda: AdaBoostRegressor(regression_tree(), n_estimators=4, **SEED),
    ),
    "AdaBoost of neighbours' numbers": (
        "ensemble.AdaBoostRegressor",
        {"estimator": model("neighbors.KNeighborsRegressor"), "n_estimators": 3},
        lambda: AdaBoostRegressor(KNeighborsRegressor(), n_estimators=3, **SEED),
    ),
    "stacking": (
        "ensemble.StackingClassifier",
        {"estimators": [["tree", TREE], ["bayes", BAYES]], "cv": 3},
        lambda: StackingClassifier([("tree", tree()), ("bayes", GaussianNB())], cv=3),
    ),
    "stacking with a final one and the columns": (
        "ensemble.StackingClassifier",
        {"estimators": [["bayes", BAYES]], "final_estimator": TREE, "passthrough": True, "cv": 2},
        lambda: StackingClassifier([("bayes", GaussianNB())], tree(), passthrough=True, cv=2),
    ),
    "stacking of numbers": (
        "ensemble.StackingRegressor",
        {"estimators": [["tree", REGRESSION_TREE], ["ridge", RIDGE]], "final_estimator": RIDGE, "cv": 3},
        lambda: StackingRegressor(
            [("tree", regression_tree()), ("ridge", Ridge(alpha=0.5, **SEED))], Ridge(alpha=0.5, **SEED), cv=3
        ),
    ),
    "voting by probabilities": (
        "ensemble.VotingClassifier",
        {"estimators": [["tree", TREE], ["bayes", BAYES]], "voting": "soft", "weights": [2, 1]},
        lambda: VotingClassifier([("tree", tree()), ("bayes", GaussianNB())], voting="soft", weights=[2, 1]),
    ),
    "voting by labels": (
        "ensemble.VotingClassifier",
        {"estimators": [["tree", TREE], ["bayes", BAYES], ["near", NEIGHBOURS]]},
        lambda: VotingClassifier([("tree", tree()), ("bayes", GaussianNB()), ("near", KNeighborsClassifier(3))]),
    ),
    "voting of numbers": (
        "ensemble.VotingRegressor",
        {"estimators": [["tree", REGRESSION_TREE], ["ridge", RIDGE]]},
        lambda: VotingRegressor([("tree", regression_tree()), ("ridge", Ridge(alpha=0.5, **SEED))]),
    ),
    "calibration of bayes": (
        "calibration.CalibratedClassifierCV",
        {"estimator": BAYES, "method": "isotonic", "cv": 3},
        lambda: CalibratedClassifierCV(GaussianNB(), method="isotonic", cv=3),
    ),
    "calibration of a decision function": (
        "calibration.CalibratedClassifierCV",
        {"estimator": model("svm.SVC", C=2), "cv": 2},
        lambda: CalibratedClassifierCV(SVC(C=2.0, **SEED), cv=2),
    ),
    "one against the rest": (
        "multiclass.OneVsRestClassifier",
        {"estimator": TREE},
        lambda: OneVsRestClassifier(tree()),
    ),
    "one against one": (
        "multiclass.OneVsOneClassifier",
        {"estimator": model("linear_model.LogisticRegression")},
        lambda: OneVsOneClassifier(LogisticRegression(**SEED)),
    ),
    "output codes": (
        "multiclass.OutputCodeClassifier",
        {"estimator": TREE, "code_size": 2},
        lambda: OutputCodeClassifier(tree(), code_size=2.0, **SEED),
    ),
    "a consensus of ridges": (
        "linear_model.RANSACRegressor",
        {"estimator": RIDGE, "min_samples": 10, "max_trials": 5},
        lambda: RANSACRegressor(Ridge(alpha=0.5, **SEED), min_samples=10, max_trials=5, **SEED),
    ),
    "a target in logarithms": (
        "compose.TransformedTargetRegressor",
        {"regressor": RIDGE, "func": "log1p"},
        lambda: TransformedTargetRegressor(Ridge(alpha=0.5, **SEED), func=np.log1p, inverse_func=np.expm1),
    ),
    "a target in roots, with its inverse": (
        "compose.TransformedTargetRegressor",
        {"func": "sqrt", "inverse_func": "square"},
        lambda: TransformedTargetRegressor(LinearRegression(), func=np.sqrt, inverse_func=np.square),
    ),
    "boosting that begins with bayes": (
        "ensemble.GradientBoostingClassifier",
        {"init": BAYES, "n_estimators": 3},
        lambda: GradientBoostingClassifier(init=GaussianNB(), n_estimators=3, **SEED),
    ),
    "boosting that begins with a ridge": (
        "ensemble.GradientBoostingRegressor",
        {"init": RIDGE, "n_estimators": 3},
        lambda: GradientBoostingRegressor(init=Ridge(alpha=0.5, **SEED), n_estimators=3, **SEED),
    ),
    "bagging of a stack": (
        "ensemble.BaggingClassifier",
        {"estimator": model("ensemble.StackingClassifier", estimators=[["bayes", BAYES]], cv=2), "n_estimators": 2},
        lambda: BaggingClassifier(
            StackingClassifier([("bayes", GaussianNB())], LogisticRegression(), cv=2), n_estimators=2, **SEED
        ),
    ),
    "a stack in logarithms": (
        "compose.TransformedTargetRegressor",
        {"regressor": model("ensemble.StackingRegressor", estimators=[["ridge", RIDGE]], cv=2), "func": "log"},
        lambda: TransformedTargetRegressor(
            StackingRegressor([("ridge", Ridge(alpha=0.5, **SEED))], RidgeCV(), cv=2), func=np.log, inverse_func=np.exp
        ),
    ),
    "three deep": (
        "ensemble.VotingClassifier",
        {
            "estimators": [
                [
                    "a",
                    model(
                        "calibration.CalibratedClassifierCV",
                        cv=2,
                        estimator=model("ensemble.BaggingClassifier", n_estimators=2, estimator=BAYES),
                    ),
                ],
                ["b", model("ensemble.RandomForestClassifier", n_estimators=3)],
            ],
            "voting": "soft",
        },
        lambda: VotingClassifier(
            [
                ("a", CalibratedClassifierCV(BaggingClassifier(GaussianNB(), n_estimators=2, **SEED), cv=2)),
                ("b", RandomForestClassifier(n_estimators=3, **SEED)),
            ],
            voting="soft",
        ),
    ),
}


def table_for(key: str) -> pd.DataFrame:
    return numeric_classes() if "Classifier" in key else numeric_amounts()


def fitted_by_hand(by_hand: BaseEstimator, ready: Prepared) -> Any:
    """Fitted as the trainer does it: to the same rows, behind the steps of the same plan."""
    inputs, part = ready.data[INPUTS].astype("float64"), ready.split.train
    return build_model(ready.plan, by_hand).fit(inputs.iloc[part], ready.target[part])


@pytest.mark.parametrize(("key", "params", "by_hand"), CASES.values(), ids=CASES.keys())
def test_a_nested_model_is_what_the_same_one_by_hand_is(key: str, params: dict[str, Any], by_hand: ByHand) -> None:
    table = table_for(key)
    # Gaps make steps before the estimator: numbers are filled in and scaled.
    table.loc[::7, "width"] = np.nan
    result = fitted(key, table, params=params)
    expected = fitted_by_hand(by_hand(), result.ready)
    inputs = table[INPUTS].astype("float64")
    assert [type(step) for step in getattr(result.model, "steps", [])] == [
        type(step) for step in getattr(expected, "steps", [])
    ]
    assert result.model.predict(inputs).tolist() == expected.predict(inputs).tolist()
    assert hasattr(result.model, "predict_proba") == hasattr(expected, "predict_proba")
    if hasattr(expected, "predict_proba"):
        assert result.model.predict_proba(inputs).tolist() == expected.predict_proba(inputs).tolist()
    gives = result.ready.task == "classification" and hasattr(expected, "predict_proba")
    assert spec_of(key, params=params).model.estimator().gives_probabilities == gives
    json.dumps(parameters_of(result.model), allow_nan=False)


def test_every_host_is_among_the_cases() -> None:
    assert {key for key, _, _ in CASES.values()} == HOSTS.keys()


def test_the_page_tells_of_every_host_where_it_takes_a_model() -> None:
    page = (ROOT / "docs" / "nested-models.md").read_text()
    told = {
        name: re.findall(r"`(\w+)`", slots)
        for names, slots in re.findall(r"^\| (`.*?) \| (`.*?) \|", page, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert told == {key.partition(".")[2]: [slot.name for slot in host.slots] for key, host in HOSTS.items()}
    functions = {name: each.inverse for name, each in TARGET_FUNCTIONS.items()}
    assert all(f"`{name}`" in page and f"`{inverse}`" in page for name, inverse in functions.items())
    assert f"at most {MOST_DEPTH} deep" in page
    assert f"at most {MOST_MODELS} of them" in page


@pytest.mark.parametrize("key", HOSTS)
def test_the_table_tells_of_a_host_what_follows_from_its_default(key: str) -> None:
    estimator = next(each for each in all_estimators() if each.key == key)
    node, problems = read_tree(estimator.module, estimator.name, needed_by(estimator))
    assert node is not None
    assert problems == []
    assert with_needs(node).model_dump(exclude={"refuses_missing_with"}) == estimator.model_dump(
        exclude={"refuses_missing_with"}
    )
    if estimator.task == "classification" and key != "multiclass.OneVsRestClassifier":
        assert gives_scores(node) == estimator.gives_scores or key == "ensemble.BaggingClassifier"


GAPS = {
    "histogram boosting": (HIST, HIST_REGRESSION),
    "a linear one": (model("linear_model.LogisticRegression"), RIDGE),
}


@pytest.mark.parametrize("inner", GAPS)
@pytest.mark.parametrize("key", HOSTS)
def test_a_host_keeps_gaps_just_when_all_inside_of_it_take_them(key: str, inner: str) -> None:
    table, slots = table_for(key), HOSTS[key].slots
    table.loc[::7, "width"] = np.nan
    chosen = GAPS[inner]["Classifier" not in key]
    params: dict[str, Any] = {slot.name: [["a", chosen], ["b", chosen]] if slot.listed else chosen for slot in slots}
    params |= {"min_samples": 20, "max_trials": 5} if "RANSAC" in key else {}
    result = fitted(
        key, table, params={**params, **({"n_estimators": 2} if "n_estimators" in names_of_parameters(key) else {})}
    )
    keeps = inner == "histogram boosting" and HOSTS[key].passes_gaps
    assert spec_of(key, params=params).model.estimator().takes_missing == keeps
    steps = [name for name, _ in getattr(result.model, "steps", [])]
    assert steps == ([] if keeps else ["impute", *(["scale"] if inner == "a linear one" else []), "estimator"])


def names_of_parameters(key: str) -> list[str]:
    return list(next(each for each in all_estimators() if each.key == key).parameters)


MIXED: dict[str, tuple[list[Any], bool, bool]] = {
    "one that takes no gaps": ([HIST, BAYES], False, False),
    "one that is scaled": ([HIST, NEIGHBOURS], False, True),
    "one that takes nothing negative": ([model("naive_bayes.MultinomialNB"), NEIGHBOURS], False, False),
    "a tree that refuses gaps with this splitter": (
        [HIST, model("tree.ExtraTreeClassifier", splitter="best")],
        False,
        False,
    ),
    "all take gaps": ([HIST, TREE], True, False),
}


@pytest.mark.parametrize(("inner", "gaps", "scaled"), MIXED.values(), ids=MIXED)
def test_the_recipe_suits_the_neediest_estimator(inner: list[Any], gaps: bool, scaled: bool) -> None:
    table = numeric_classes()
    table.loc[::7, "width"] = np.nan
    params = {"estimators": [[f"e{number}", each] for number, each in enumerate(inner)]}
    result = fitted("ensemble.VotingClassifier", table, params=params)
    estimator = spec_of("ensemble.VotingClassifier", params=params).model.estimator()
    assert (estimator.takes_missing, estimator.needs_scaling) == (gaps, scaled)
    assert ("scale" in dict(getattr(result.model, "steps", []))) == scaled


def test_a_final_estimator_sees_no_columns_unless_they_are_passed_to_it() -> None:
    params = {"estimators": [["a", HIST]], "final_estimator": NEIGHBOURS, "cv": 2}
    alone = spec_of("ensemble.StackingClassifier", params=params).model.estimator()
    passed = spec_of("ensemble.StackingClassifier", params=params | {"passthrough": True}).model.estimator()
    assert (alone.takes_missing, alone.needs_scaling) == (True, False)
    assert (passed.takes_missing, passed.needs_scaling) == (False, True)
    default = {"estimators": [["a", HIST]], "passthrough": True}
    assert spec_of("ensemble.StackingClassifier", params=default).model.estimator().needs_scaling


@pytest.mark.parametrize("key", ["ensemble.VotingClassifier", "multiclass.OneVsRestClassifier"])
def test_categories_are_numbered_for_a_host_of_estimators_that_take_them(key: str) -> None:
    bayes = model("naive_bayes.CategoricalNB")
    params = {"estimators": [["a", bayes], ["b", bayes]]} if "Voting" in key else {"estimator": bayes}
    result = fitted(key, dirty(rows=120), params=params)
    assert len(result.model.predict(result.ready.data)) == len(result.ready.target)
    assert any("one number per category" in entry.treatment for entry in result.ready.plan.treatments)


def test_the_seed_of_the_request_reaches_estimators_inside_that_have_none() -> None:
    params = {
        "estimators": [
            ["a", model("tree.ExtraTreeClassifier")],
            ["b", model("tree.ExtraTreeClassifier", random_state=5)],
            ["c", model("tree.ExtraTreeClassifier", random_state=None)],
            ["d", BAYES],
        ]
    }
    result = fitted("ensemble.VotingClassifier", numeric_classes(), params=params, random_state=7)
    assert [one.get_params().get("random_state") for one in result.model.estimators_] == [7, 5, None, None]
    assert isinstance(result.model.estimators_[0], ExtraTreeClassifier)


@pytest.mark.parametrize("key", ["ensemble.BaggingClassifier", "ensemble.StackingClassifier"])
def test_the_same_request_gives_the_same_model(key: str) -> None:
    inner = model("tree.ExtraTreeClassifier", max_depth=2)
    params = {"estimator": inner, "n_estimators": 3} if "Bagging" in key else {"estimators": [["a", inner]], "cv": 2}
    first, again, other = (
        fitted(key, numeric_classes(), params=params, random_state=seed).model.predict_proba(
            numeric_classes()[INPUTS].astype("float64")
        )
        for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


WEIGHTS = {"no": 1, "maybe": 5, "yes": 0.5}
# What the host shows its inner estimators of the labels.
WEIGHTED = {
    "bagging": ("ensemble.BaggingClassifier", {"n_estimators": 2}, [0, 1, 2]),
    "AdaBoost": ("ensemble.AdaBoostClassifier", {"n_estimators": 2}, ["maybe", "no", "yes"]),
    "calibration": ("calibration.CalibratedClassifierCV", {"cv": 2}, ["maybe", "no", "yes"]),
    "voting": ("ensemble.VotingClassifier", {"voting": "soft"}, [0, 1, 2]),
    "stacking": ("ensemble.StackingClassifier", {"cv": 2}, [0, 1, 2]),
    "a beginning": ("ensemble.GradientBoostingClassifier", {"n_estimators": 2}, [0, 1, 2]),
}


@pytest.mark.parametrize("inner", [TREE, HIST], ids=["tree", "histogram boosting"])
@pytest.mark.parametrize(("key", "more", "keys"), WEIGHTED.values(), ids=WEIGHTED)
def test_class_weights_by_label_reach_an_estimator_inside(
    key: str, more: dict[str, Any], keys: list[Any], inner: dict[str, Any]
) -> None:
    table, name = numeric_classes(), HOSTS[key].slots[0].name
    weighted = inner | {"params": inner["params"] | {"class_weight": WEIGHTS}}
    params = {name: [["a", weighted]] if name == "estimators" else weighted, **more}
    result = fitted(key, table, params=params)
    numbered = keys if inner is TREE else [0, 1, 2]
    by_hand = (tree() if inner is TREE else HistGradientBoostingClassifier(max_iter=3, **SEED)).set_params(
        class_weight=dict(zip(numbered, [5, 1, 0.5], strict=True))
    )
    host = type(last_step(result.model))
    seed = SEED if "random_state" in parameters_of(result.model) else {}
    expected = host(**{name: [("a", by_hand)] if name == "estimators" else by_hand}, **more, **seed)
    expected = fitted_by_hand(expected, result.ready)
    inputs = table[INPUTS].astype("float64")
    assert result.model.predict_proba(inputs).tolist() == expected.predict_proba(inputs).tolist()
    shown = parameters_of(result.model)[name]
    assert (shown[0][1] if name == "estimators" else shown)["params"]["class_weight"] == WEIGHTS


def test_the_parameters_of_a_registered_model_show_those_inside_as_a_request_writes_them() -> None:
    params = {"estimators": [["tree", TREE], ["ridge", NEIGHBOURS]], "final_estimator": BAYES, "cv": 2}
    shown = parameters_of(fitted("ensemble.StackingClassifier", numeric_classes(), params=params).model)
    name, first = shown["estimators"][0]
    assert (name, first["module"], first["class"]) == ("tree", "tree", "DecisionTreeClassifier")
    assert first["params"].items() >= {"max_depth": 2, "random_state": 42}.items()
    assert "n_jobs" not in shown["estimators"][1][1]["params"]
    assert shown["final_estimator"]["class"] == "GaussianNB"
    # They can be sent again as they stand.
    _, problems = read_tree("ensemble", "StackingClassifier", shown)
    assert [problem.detail for problem in problems] == []


def test_the_function_of_a_target_is_shown_by_its_name() -> None:
    shown = parameters_of(fitted("compose.TransformedTargetRegressor", numeric_amounts(), params={"func": "log"}).model)
    assert (shown["func"], shown["inverse_func"]) == ("log", "exp")


COMPILED: dict[str, tuple[str, dict[str, Any]]] = {
    "AdaBoost of trees of three levels": (
        "ensemble.AdaBoostClassifier",
        {"estimator": model("tree.DecisionTreeClassifier", max_depth=3), "n_estimators": 4},
    ),
    "AdaBoost of numbers": ("ensemble.AdaBoostRegressor", {"estimator": REGRESSION_TREE, "n_estimators": 4}),
    "bagging of random trees": ("ensemble.BaggingClassifier", {"estimator": model("tree.ExtraTreeClassifier")}),
    "a consensus": ("linear_model.RANSACRegressor", {"estimator": model("linear_model.LinearRegression")}),
    "a linear regression": (
        "compose.TransformedTargetRegressor",
        {"regressor": model("linear_model.LinearRegression")},
    ),
}


def compilation_of(key: str, params: dict[str, Any]) -> Compilation:
    model, ready = fitted(key, table_for(key), params=params)
    _, compilation = compile_fitted(model, ready.signature, ready.data.iloc[ready.split.test])
    return compilation


@pytest.mark.parametrize(("key", "params"), COMPILED.values(), ids=COMPILED)
def test_a_host_of_trees_has_a_compiled_form_when_they_are_named_too(key: str, params: dict[str, Any]) -> None:
    compilation = compilation_of(key, params)
    assert compilation.compiled, compilation.detail


NOT_COMPILED = [
    "bagging of neighbours",
    "stacking",
    "voting of numbers",
    "a consensus of ridges",
    "a target in logarithms",
]


@pytest.mark.parametrize("case", NOT_COMPILED)
def test_a_host_of_others_says_why_it_has_no_compiled_form(case: str) -> None:
    key, params, _ = CASES[case]
    compilation = compilation_of(key, params)
    assert not compilation.compiled
    assert compilation.detail.startswith("No compiled form: ")
    assert "failed" not in compilation.detail
