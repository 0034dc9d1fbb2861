"""Rows that count more than others in a fit, by a column of the table."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from shared.errors import PlatformError
from shared.training.checks.training import problems_of
from shared.training.split import split_rows
from tests.support.training_tables import numeric_amounts, numeric_classes, profile_of, spec_of, trained, treatment

WEIGHTS = np.random.default_rng(5).integers(1, 5, 60).astype(float)
CLASSES = numeric_classes().assign(weight=WEIGHTS)
AMOUNTS = numeric_amounts().assign(weight=WEIGHTS)


# One for each way in which a fit tells how far it is, and some that tell nothing, with and without a recipe.
@pytest.mark.parametrize(
    ("estimator", "params"),
    [
        ("ensemble.RandomForestClassifier", {"n_estimators": 20}),
        ("ensemble.GradientBoostingClassifier", {"n_estimators": 5}),
        ("ensemble.HistGradientBoostingClassifier", {"max_iter": 5, "min_samples_leaf": 3}),
        ("ensemble.AdaBoostClassifier", {"n_estimators": 5}),
        ("linear_model.LogisticRegression", {}),
        ("naive_bayes.GaussianNB", {}),
        ("linear_model.Ridge", {}),
        ("tree.DecisionTreeRegressor", {}),
    ],
)
def test_the_weights_reach_the_fit(estimator: str, params: dict[str, Any]) -> None:
    table = AMOUNTS if estimator.endswith(("Ridge", "Regressor")) else CLASSES
    result = trained(estimator, table, params=params, sample_weight="weight")
    inputs = table[["width", "height", "count"]].astype(float)
    target = table["target"].to_numpy()
    part = split_rows(target, spec_of(estimator), task=result.facts.signature.task).train
    by_hand = clone(result.model)
    by_hand.fit(inputs.iloc[part], target[part], sample_weight=WEIGHTS[part])
    unweighted = clone(result.model).fit(inputs.iloc[part], target[part])
    answer = "predict_proba" if hasattr(by_hand, "predict_proba") else "predict"
    found, expected, other = (getattr(model, answer)(inputs) for model in (result.model, by_hand, unweighted))
    np.testing.assert_array_equal(found, expected)
    assert (found != other).any()


def test_the_weights_reach_the_estimator_behind_a_recipe_and_the_folds() -> None:
    table = CLASSES.assign(width=CLASSES["width"].where(np.arange(60) % 7 > 0))
    result = trained("linear_model.LogisticRegression", table, sample_weight="weight", split={"folds": 3})
    assert result.facts.assessment is not None
    assert len(result.facts.assessment.folds) == 3
    same = trained("linear_model.LogisticRegression", table.assign(weight=1.0), sample_weight="weight")
    plain = trained("linear_model.LogisticRegression", table.drop(columns="weight"))
    np.testing.assert_array_equal(same.model[-1].coef_, plain.model[-1].coef_)
    assert (result.model[-1].coef_ != plain.model[-1].coef_).any()


def test_the_weight_is_no_input_and_is_told() -> None:
    result = trained("linear_model.Ridge", AMOUNTS, sample_weight="weight")
    # Whole rows of the table can be sent.
    used = {column.name: column.used for column in result.facts.signature.inputs}
    assert used == {"width": True, "height": True, "count": True, "weight": False}
    assert treatment(result, "weight")["treatment"] == "left out: it says how much each row counts"
    assert any("'weight' says how much each row counts" in note for note in result.facts.report["notes"])


BAD: dict[str, tuple[pd.DataFrame, str, dict[str, Any], str]] = {
    "an unknown column": (CLASSES, "naive_bayes.GaussianNB", {"sample_weight": "weigth"}, "Did you mean 'weight'?"),
    "the target": (CLASSES, "naive_bayes.GaussianNB", {"sample_weight": "target"}, "is the target"),
    "an input": (
        CLASSES,
        "naive_bayes.GaussianNB",
        {"sample_weight": "weight", "features": ["weight", "width"]},
        "is one of 'features'",
    ),
    "words": (CLASSES.assign(weight="a"), "naive_bayes.GaussianNB", {}, "weights are numbers"),
    "huge weights": (CLASSES.assign(weight=WEIGHTS * 1e305), "naive_bayes.GaussianNB", {}, "at most 1e+100"),
    "negative weights": (CLASSES.assign(weight=WEIGHTS - 2), "naive_bayes.GaussianNB", {}, "goes down to -1"),
    "gaps": (
        CLASSES.assign(weight=np.where(WEIGHTS > 3, np.nan, 1.0)),
        "naive_bayes.GaussianNB",
        {},
        "has no value in",
    ),
    "nothing but zeros": (CLASSES.assign(weight=0.0), "naive_bayes.GaussianNB", {}, "none counts"),
    "an estimator without": (CLASSES, "neighbors.KNeighborsClassifier", {}, "takes no weights of rows"),
}


@pytest.mark.parametrize(("table", "estimator", "fields", "said"), BAD.values(), ids=BAD.keys())
def test_weights_that_cannot_be_used_are_refused(
    table: pd.DataFrame, estimator: str, fields: dict[str, Any], said: str
) -> None:
    spec = spec_of(estimator, **{"sample_weight": "weight", **fields})
    found: list[PlatformError] = problems_of(spec, columns=profile_of(table), rows=60)
    assert any(said in problem.detail for problem in found), [problem.detail for problem in found]
    assert all(error["loc"] == ["body", "sample_weight"] for problem in found for error in problem.errors)
