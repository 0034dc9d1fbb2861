"""Compiled models against scikit-learn, for estimators and parameters that take another way through the code."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.compiled.file import read_model, write_model
from shared.compiled.making.checking import TOLERANCE, FormDiffers, check_model, columns_of
from shared.compiled.making.making import compile_model
from shared.compiled.making.notion import NotCompilable
from shared.compiled.model import CompiledModel
from shared.compiled.trees import SumOfTrees
from shared.training.frame import forget_names, named_frame
from shared.training.recipe import last_step
from shared.training.trainer import Trained
from tests.support.training_tables import dirty, numeric_amounts, numeric_classes, trained

FOREST = "ensemble.RandomForestClassifier"
BOOSTING = "ensemble.HistGradientBoostingClassifier"


def two_classes() -> pd.DataFrame:
    return numeric_classes(("no", "yes"))


def many_classes() -> pd.DataFrame:
    return numeric_classes(tuple(f"class {number:02}" for number in range(12)), rows=360)


def with_gaps() -> pd.DataFrame:
    table = numeric_classes(rows=120)
    table.loc[::7, "width"] = np.nan
    return table


def with_codes() -> pd.DataFrame:
    """A column of numbers that are names of categories, some of them missing."""
    table = numeric_classes(rows=240)
    table["count"] = np.random.default_rng(0).choice([3.0, 7.5, 11.0, -2.0, 300.0], len(table))
    table.loc[::9, "count"] = np.nan
    return table


def one_column() -> pd.DataFrame:
    return two_classes()[["width", "target"]]


def with_a_word_for_unseen() -> pd.DataFrame:
    table = dirty()
    table["city"] = table["city"].replace("Oslo", "unseen")
    return table


def dirty_amounts() -> pd.DataFrame:
    table = dirty()
    table["target"] = np.random.default_rng(3).uniform(1, 5, len(table))
    return table


WAYS: dict[str, tuple[str, Callable[[], pd.DataFrame], dict[str, Any]]] = {
    "a forest": (FOREST, numeric_classes, {"n_estimators": 20}),
    "a forest of a dirty table": (FOREST, dirty, {"n_estimators": 20}),
    "a forest of numbers with gaps": (FOREST, with_gaps, {"n_estimators": 20}),
    "a forest of a table that says unseen": (FOREST, with_a_word_for_unseen, {"n_estimators": 20}),
    "a forest of small trees": (FOREST, many_classes, {"n_estimators": 20, "max_leaf_nodes": 5}),
    "a tree of many classes": ("tree.DecisionTreeClassifier", many_classes, {}),
    "boosting of two classes": (BOOSTING, two_classes, {"max_iter": 20}),
    "boosting of many classes": (BOOSTING, many_classes, {"max_iter": 5}),
    "boosting with gaps": (BOOSTING, with_gaps, {"max_iter": 20}),
    "boosting of a dirty table": (BOOSTING, dirty, {"max_iter": 20}),
    "boosting with categories of its own": (BOOSTING, with_codes, {"max_iter": 20, "categorical_features": [2]}),
    "boosting of counts": ("ensemble.HistGradientBoostingRegressor", numeric_amounts, {"loss": "poisson"}),
    "boosting of a quantile": (
        "ensemble.HistGradientBoostingRegressor",
        dirty_amounts,
        {"loss": "quantile", "quantile": 0.3, "max_iter": 20},
    ),
    "gradient boosting": ("ensemble.GradientBoostingClassifier", many_classes, {"n_estimators": 5}),
    "gradient boosting from nothing": ("ensemble.GradientBoostingClassifier", two_classes, {"init": "zero"}),
    "gradient boosting of exponential loss": (
        "ensemble.GradientBoostingClassifier",
        two_classes,
        {"loss": "exponential"},
    ),
    "gradient boosting of amounts": ("ensemble.GradientBoostingRegressor", dirty_amounts, {"loss": "huber"}),
    "bagging over some features": ("ensemble.BaggingClassifier", many_classes, {"max_features": 2}),
    "bagging over some classes": ("ensemble.BaggingClassifier", many_classes, {"max_samples": 15}),
    "bagging over one column": ("ensemble.BaggingClassifier", one_column, {}),
    "bagging of amounts": ("ensemble.BaggingRegressor", numeric_amounts, {"max_features": 2}),
    "AdaBoost of two classes": ("ensemble.AdaBoostClassifier", two_classes, {"n_estimators": 8}),
    "AdaBoost of many classes": ("ensemble.AdaBoostClassifier", many_classes, {"n_estimators": 8}),
    "AdaBoost of amounts": ("ensemble.AdaBoostRegressor", dirty_amounts, {"loss": "square"}),
    "gradient descent with probabilities": ("linear_model.SGDClassifier", many_classes, {"loss": "log_loss"}),
    "gradient descent of modified Huber loss": ("linear_model.SGDClassifier", many_classes, {"loss": "modified_huber"}),
    "the same of two classes": ("linear_model.SGDClassifier", two_classes, {"loss": "modified_huber"}),
    "gradient descent without probabilities": ("linear_model.SGDClassifier", dirty, {}),
    "a network of two classes": ("neural_network.MLPClassifier", two_classes, {"activation": "tanh", "max_iter": 20}),
    "a network of many classes": (
        "neural_network.MLPClassifier",
        many_classes,
        {"activation": "logistic", "max_iter": 20},
    ),
    "a network of amounts": (
        "neural_network.MLPRegressor",
        dirty_amounts,
        {"activation": "identity", "hidden_layer_sizes": [5, 4], "max_iter": 20},
    ),
    "a link of logarithms": ("linear_model.TweedieRegressor", numeric_amounts, {"link": "log", "power": 1.5}),
    "a regression without an intercept": ("linear_model.Ridge", dirty_amounts, {"fit_intercept": False}),
    "logistic regression": ("linear_model.LogisticRegression", dirty, {}),
    "logistic regression of many classes": ("linear_model.LogisticRegression", many_classes, {}),
    "naive Bayes": ("naive_bayes.GaussianNB", many_classes, {}),
    "naive Bayes of what is above a limit": ("naive_bayes.BernoulliNB", many_classes, {"binarize": 3.0}),
    "naive Bayes of categories": ("naive_bayes.CategoricalNB", dirty, {}),
    "discriminants and nothing else": (
        "discriminant_analysis.QuadraticDiscriminantAnalysis",
        two_classes,
        {"reg_param": 1.0},
    ),
    "discriminants": ("discriminant_analysis.QuadraticDiscriminantAnalysis", many_classes, {"reg_param": 0.1}),
    "a guess": ("dummy.DummyClassifier", many_classes, {"strategy": "most_frequent"}),
    "a guess of amounts": ("dummy.DummyRegressor", numeric_amounts, {"strategy": "quantile", "quantile": 0.2}),
}
# Neither adds the same numbers in the same order; the digits that differ are the last ones.
NEARLY = {"a network of many classes", "AdaBoost of many classes", "boosting of many classes"}


def written_and_read(compiled: CompiledModel, folder: Path) -> CompiledModel:
    write_model(compiled, folder / "form")
    return read_model(io.BytesIO((folder / "form").read_bytes()))


def inputs(result: Trained, table: pd.DataFrame) -> pd.DataFrame:
    return named_frame(table[table["target"].notna()], result.facts.signature.inputs)


@pytest.mark.parametrize("way", WAYS)
def test_a_compiled_model_answers_as_scikit_learn_does(way: str, tmp_path: Path) -> None:
    estimator, make, params = WAYS[way]
    table = make()
    result = trained(estimator, table, params=params)
    assert result.facts.compilation is not None
    assert result.facts.compilation.compiled, result.facts.compilation.detail
    assert result.facts.compilation.rows_compared > 1_000
    assert result.compiled is not None
    numeric = result.facts.signature.numeric
    agreement = check_model(
        written_and_read(result.compiled, tmp_path),
        forget_names(result.model) if numeric else result.model,
        result.facts.signature,
        inputs(result, table),
        as_taken=(lambda rows: np.ascontiguousarray(rows.to_numpy())) if numeric else (lambda rows: rows),
    )
    assert agreement.bit_for_bit or (way in NEARLY and agreement.worst < TOLERANCE)


def test_a_model_has_the_same_file_each_time(tmp_path: Path) -> None:
    compiled = trained(FOREST, dirty(), params={"n_estimators": 3}).compiled
    assert compiled is not None
    for name in ("first", "second"):
        write_model(compiled, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_row_is_answered_alike_alone_and_among_others() -> None:
    table = dirty()
    result = trained("ensemble.GradientBoostingClassifier", table)
    assert result.compiled is not None
    rows = columns_of(result.compiled, inputs(result, table))
    together = result.compiled.compute(rows, probabilities=True)
    assert together.probabilities is not None
    for place in range(20):
        alone = result.compiled.compute(np.ascontiguousarray(rows[place : place + 1]), probabilities=True)
        assert alone.predictions == together.predictions[place]
        assert (np.asarray(alone.probabilities) == together.probabilities[place]).all()


def test_what_has_no_compiled_form_says_why() -> None:
    result = trained("svm.SVC", numeric_classes())
    assert result.compiled is None
    assert result.facts.compilation is not None
    assert result.facts.compilation.detail == "No compiled form: there is no compiled form of this estimator."
    guess = trained("dummy.DummyClassifier", numeric_classes(), params={"strategy": "uniform"})
    assert guess.facts.compilation is not None
    assert guess.facts.compilation.detail == "No compiled form: it answers at random."
    few = trained("ensemble.BaggingClassifier", numeric_classes(), params={"n_estimators": 2, "max_features": 1})
    assert few.facts.compilation is not None
    assert few.facts.compilation.detail == "No compiled form: none of its trees was shown some of the features."


def test_a_form_that_differs_is_found_out_and_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    table = numeric_classes()
    result = trained(FOREST, table, params={"n_estimators": 3})
    assert result.compiled is not None
    score = result.compiled.score
    assert isinstance(score, SumOfTrees)
    # One ulp in one threshold: only a row on that threshold shows it.
    place = int(np.flatnonzero(score.nodes["feature"] >= 0)[-1])
    limit = score.nodes["threshold"][place]
    score.nodes["threshold"][place] = np.nextafter(np.float32(limit), np.float32(-np.inf))
    model, signature = forget_names(result.model), result.facts.signature
    check = {"as_taken": lambda rows: np.ascontiguousarray(rows.to_numpy())}
    with pytest.raises(FormDiffers):
        check_model(result.compiled, model, signature, inputs(result, table), **check)

    def wrong(*_given: object) -> CompiledModel:
        assert result.compiled is not None
        return result.compiled

    monkeypatch.setattr("shared.compiled.making.form.compile_model", wrong)
    again = trained(FOREST, table, params={"n_estimators": 3})
    assert again.compiled is None
    assert again.facts.compilation is not None
    assert again.facts.compilation.detail.startswith("The compiled form is not used, because it differs")


def test_a_failure_of_the_compilation_leaves_the_training_its_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_given: object) -> CompiledModel:
        raise AttributeError("of an estimator that nobody has thought of")

    monkeypatch.setattr("shared.compiled.making.form.compile_model", broken)
    result = trained(FOREST, numeric_classes(), params={"n_estimators": 2})
    assert result.compiled is None
    assert result.facts.compilation is not None
    assert "AttributeError" in result.facts.compilation.detail
    assert len(result.model.estimators_) == 2


def test_an_ensemble_of_other_estimators_has_none() -> None:
    from sklearn.ensemble import BaggingClassifier
    from sklearn.linear_model import LogisticRegression

    table = numeric_classes()
    model = BaggingClassifier(LogisticRegression(), n_estimators=2).fit(table.drop(columns="target"), table["target"])
    with pytest.raises(NotCompilable, match="other estimators than trees"):
        compile_model(model, trained(FOREST, table, params={"n_estimators": 1}).facts.signature)


def test_where_no_class_is_likely_all_are_alike() -> None:
    table = numeric_classes()
    result = trained("linear_model.SGDClassifier", table, params={"loss": "log_loss"})
    last_step(result.model).intercept_ -= 1e6
    model, signature = forget_names(result.model), result.facts.signature
    compiled = compile_model(model, signature)
    shares = compiled.compute(columns_of(compiled, inputs(result, table)), probabilities=True).probabilities
    assert shares is not None
    assert (shares == model.predict_proba(inputs(result, table).to_numpy())).all()
